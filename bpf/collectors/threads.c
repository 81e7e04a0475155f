// SPDX-License-Identifier: GPL-2.0-or-later
/* threads.c: the table threads: of the selected process, from the pass of processes.c. */
#include <stdlib.h>

#include "bpf/collectors/collector.h"
#include "bpf/model/rate.h"
#include "bpf/host/syscall_names.h"
#include "bpf/collectors/threads.h"
#include "bpf/collectors/waits/waits.h"

struct known {
	u32 tid;
	u64 start_ns;
	struct counter cpu, runq, blocked;
};

static struct known *known, *next;	/* of this tick and the last, in the order of the pass */
static u32 n_known, n_next, cap_known, cap_next;
static u64 focus_pid, focus_start_ns;

static struct known *find_known(const struct wire_thread *w)
{
	for (u32 i = 0; i < n_known; i++)
		if (known[i].tid == w->tid && known[i].start_ns == w->start_ns)
			return &known[i];
	return NULL;
}

static void fill_call(struct threads_row *r, const struct wire_thread *w)
{
	if (w->call == CALL_NONE) {
		r->syscall = str_new("");
		r->in_call = str_new("");
		r->waits_on = str_new("");
		r->in_call_ns = U64_BLANK;
		return;
	}
	r->syscall = syscall_name(w->call);
	r->in_call = str_get(r->syscall);
	r->in_call_ns = w->call_age_ns;
	r->waits_on = waits_of(w);
}

static void add_thread(const struct tick *t, const struct wire_thread *w)
{
	struct threads_row *r = builder_row(t->b, TABLE_threads);
	const struct known *old = find_known(w);
	struct known *k;
	bool young = t->prev_ns && w->start_ns >= t->prev_ns;

	next = grow(next, n_next, &cap_next, sizeof(*next));
	k = &next[n_next++];
	*k = old ? *old : (struct known){ .tid = w->tid, .start_ns = w->start_ns };
	r->row.first_seen_ns = w->start_ns;
	r->pid = w->tgid;
	r->tid = w->tid;
	r->start_time_ns = w->start_ns;
	r->comm = str_newn(w->comm, sizeof(w->comm));
	r->state = str_newn(&w->state, 1);
	r->cpu_pct = rate_pct(counter_advance(&k->cpu, w->runtime_ns, young), t->interval_ns);
	r->runq_wait_pct = proc_runq_pct(counter_advance(&k->runq, w->runq_ns, young), t->interval_ns, 1);
	r->blocked_pct = rate_pct(counter_advance(&k->blocked, w->blocked_ns, young),
				  t->interval_ns);
	r->last_cpu = w->cpu;
	fill_call(r, w);
}

static void swap_known(void)
{
	exchange(known, next);
	exchange(cap_known, cap_next);
	n_known = n_next;
	n_next = 0;
}

/* Of the process that is looked at; where none is, of those of -p. */
static bool is_selected(const struct tick *t, const struct wire_thread *w)
{
	if (focus_pid)
		return w->tgid == focus_pid &&
		       (!focus_start_ns || w->process_start_ns == focus_start_ns);
	for (u32 i = 0; i < t->scope->n_pids; i++)
		if (t->scope->pids[i] == w->tgid)
			return true;
	return false;
}

static int threads_read(const struct tick *t)
{
	const struct wire_thread *all;
	bool any;
	u32 n;

	if (t->focus_pid != focus_pid || t->focus_start_ns != focus_start_ns) {
		n_known = 0;
		focus_pid = t->focus_pid;
		focus_start_ns = t->focus_start_ns;
	}
	all = threads_all(&n);
	for (u32 i = 0; i < n; i++)
		if (is_selected(t, &all[i]))
			add_thread(t, &all[i]);
	swap_known();
	any = focus_pid || t->scope->n_pids;
	builder_status(t->b, TABLE_threads, any ? TS_OK : TS_OFF,
		       any ? NULL : "no process is selected", t->interval_ns);
	return 0;
}

static void threads_close(void)
{
	free(known);
	free(next);
	known = next = NULL;
	n_known = n_next = cap_known = cap_next = 0;
	focus_pid = 0;
}

const struct collector threads_collector = {
	.name = "threads",
	.tables = TABLE_BIT(TABLE_threads),
	.read = threads_read,
	.close = threads_close,
};
