// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * processes.c: the tables processes and events. The task iterator reads every thread's counters
 * once a tick; the ring reports forks, execs, and exits with their final counters.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/collector.h"
#include "bpf/host/events.h"
#include "bpf/host/identity.h"
#include "bpf/kernel/iter.h"
#include "bpf/kernel/probes.h"
#include "bpf/host/procfs.h"
#include "bpf/collectors/threads.h"
#include "bpf/collectors/waits/waits.h"
#include "bpf/host/users.h"
#include "bpf/collectors/processes/processes_life.h"
#include "bpf/collectors/processes/processes_row.h"
#include "bpf/collectors/processes/processes_unread.h"
#include "processes.skel.h"

#define SYMBOLS_PER_DRAIN 8192
#define STATM_PER_TICK 256
#define REREADS_PER_TICK 16	/* command lines change: postgres, nginx */

static struct processes *skel;
static struct bpf_program *exec_prog, *exit_prog;
static struct bpf_link *links[9];
static struct ring_buffer *ring;
static struct wire_thread *threads;
static u32 n_threads, cap_threads;
static u64 pass_start_ns, lost_exits, calls_total;
static u32 reread_cursor, statm_reads;
static int blocked;		/* programs */
static bool offsets_sought;
static struct symbol_search offsets;
static u32 n_ticks;

const struct wire_thread *threads_all(u32 *ret_n)
{
	*ret_n = n_threads;
	return threads;
}

u64 processes_calls(void)
{
	return calls_total;
}

int tasks_map_fd(void)
{
	return skel ? bpf_map__fd(skel->maps.tasks) : -1;
}

int counted_map_fd(void)
{
	return skel ? bpf_map__fd(skel->maps.counted) : -1;
}

void tasks_set_generation(u32 generation)
{
	if (skel)
		skel->bss->call_generation = generation;
}

/* Addresses of per-CPU memory counters: in steps after the first screen, not to delay samples. */
static void find_per_cpu_offsets(void)
{
	if (offsets_sought || skel->bss->rss_is_exact || !skel->rodata->sum_cpus || n_ticks < 2)
		return;
	offsets_sought = procfs_seek_symbol(&offsets, "__per_cpu_offset", SYMBOLS_PER_DRAIN);
	if (offsets_sought)
		skel->bss->per_cpu_offsets = offsets.addr;
}

static void processes_drain(void)
{
	find_per_cpu_offsets();
	life_begin_drain();
	if (ring)
		ring_buffer__consume(ring);
}

/* ---- the pass over all tasks ---- */

static int state_rank(char s)
{
	static const char order[] = "XZISTtDR";
	const char *at = strchr(order, s);

	return s && at ? (int)(at - order) : 0;
}

static void add_usage(struct proc_usage *u, const struct wire_thread *t)
{
	u->cpu_ns += t->runtime_ns;
	u->utime_ns += t->utime_ns;
	u->stime_ns += t->stime_ns;
	u->runq_ns += t->runq_ns;
	u->blocked_ns += t->blocked_ns;
	u->read_bytes += t->read_bytes;
	u->write_bytes += t->write_bytes;
	u->calls += t->calls;
}

/* Threads and leaders come in any order: the first one of a process in a tick resets the sums. */
static struct proc *pass_process(const struct wire_thread *t)
{
	bool is_new;
	struct proc *p = proctab_get(t->tgid, t->process_start_ns, &is_new);

	if (is_new) {
		p->born_here = life_saw_birth(t->process_start_ns);
		p->first_seen_ns = p->born_here ? t->process_start_ns : pass_start_ns;
	}
	if (!p->seen) {
		p->seen = true;
		p->state = 'X';
		if (!p->exited)
			memset(&p->now, 0, sizeof(p->now));
	}
	return p;
}

static void take_thread(const struct wire_thread *t)
{
	struct proc *p = pass_process(t);

	if (!p->exited)
		add_usage(&p->now, t);
	if (state_rank(t->state) > state_rank(p->state))
		p->state = t->state;
	if (t->leader) {
		p->kthread = t->kthread;
		if (!p->comm || strncmp(p->comm, t->comm, sizeof(t->comm)))
			str_set(&p->comm, str_newn(t->comm, sizeof(t->comm)));
	}
	threads = grow(threads, n_threads, &cap_threads, sizeof(*threads));
	threads[n_threads++] = *t;
}

static void take_process(const struct wire_thread *t, const struct wire_process *w)
{
	struct proc *p = pass_process(t);

	p->ppid = w->ppid;
	p->ns_pid = w->ns_pid;
	p->living = w->living;
	p->threads = w->threads;
	if (p->rss_pages != w->rss_pages) {
		p->rss_pages = w->rss_pages;
		p->rss_bytes = w->rss_pages * (u64)getpagesize();
		p->rss_rough = !skel->bss->rss_is_exact;
	}
	p->rss_peak_bytes = max(p->rss_peak_bytes, p->rss_bytes);
	life_owner(p, w->uid);
	if (p->css_set != w->css_set) {
		p->css_set = w->css_set;
		p->reread = true;
	}
	if (p->exited)
		return;
	if (p->state == 'Z')
		p->wait_status = w->exit_code;
	p->now.cpu_ns += w->dead_runtime_ns;
	p->now.utime_ns += w->dead_utime_ns;
	p->now.stime_ns += w->dead_stime_ns;
	p->now.runq_ns += w->dead_runq_ns;
	p->now.blocked_ns += w->dead_blocked_ns;
	p->now.read_bytes += w->dead_read_bytes;
	p->now.write_bytes += w->dead_write_bytes;
	p->now.calls += w->dead_calls;
}

/* Takes whole records from buf; returns the bytes that were used. */
static size_t take_records(const char *buf, size_t n, void *arg)
{
	size_t used = 0;

	for (;;) {
		const struct wire_thread *t = (const void *)(buf + used);
		size_t need = sizeof(*t);

		if (n - used < need)
			return used;
		if (t->leader)
			need += sizeof(struct wire_process);
		if (n - used < need)
			return used;
		take_thread(t);
		if (t->leader)
			take_process(t, (const void *)(t + 1));
		used += need;
	}
}

static void clear_seen(struct proc *p, void *arg)
{
	p->seen = false;
}

static int run_pass(void)
{
	pass_start_ns = boottime_ns();
	n_threads = 0;
	proctab_each(clear_seen, NULL);
	return iter_run(links[0], take_records, NULL);
}

/* ---- rows ---- */

/* Addresses of per-CPU parts are hidden: reads some changed processes' exact value from /proc. */
static void read_exact_rss(struct proc *p)
{
	char buf[64];
	unsigned long long pages;

	if (!p->rss_rough || !statm_reads || p->closed)
		return;
	statm_reads--;
	p->rss_rough = false;
	if (procfs_read_pid(p->living, "statm", buf, sizeof(buf)) > 0 &&
	    sscanf(buf, "%*u %llu", &pages) == 1)
		p->rss_bytes = pages * (u64)getpagesize();
}

static void identify(struct proc *p, const struct tick *t)
{
	read_exact_rss(p);
	if ((!p->identified || p->reread) && !p->closed)
		identity_read(p);
	else if (p->retitle && !p->closed)
		identity_title(p);
	if (p->pid == t->focus_pid && !p->closed)
		identity_cwd(p);
}

/*
 * Not seen by the pass. If it ended after the tick's time it stays one more tick, for its last
 * activity in counters that other collectors drain only then.
 */
static void close_process(struct proc *p, const struct tick *t)
{
	if (p->exited) {
		p->state = 'X';
		p->closed = p->exit_ns < t->now_ns;
	} else if (p->first_seen_ns < pass_start_ns) {
		p->closed = true;
		lost_exits += p->state != 'Z';	/* a zombie had ended before ottop started */
	}
}

static void add_process(struct proc *p, void *arg)
{
	const struct tick *t = arg;
	struct processes_row *r;
	bool in_scope;

	p->row = NULL;
	p->rx_rate = p->tx_rate = F32_UNKNOWN;
	p->http_requests = U64_UNKNOWN;
	if (!p->seen)
		close_process(p, t);
	identify(p, t);
	p->calls_delta = counter_advance(&p->calls, p->now.calls, p->born_here);
	calls_total += u64_known(p->calls_delta) ? p->calls_delta : 0;
	if (t->prev_ns < syscalls_counted_since_ns())
		p->calls_delta = U64_UNKNOWN;
	in_scope = proc_in_scope(p);
	unread_count(p, in_scope, t->scope->cgroup);
	if (!in_scope)
		return;
	r = p->row = builder_row(t->b, TABLE_processes);
	processes_row_fill(r, p, t->interval_ns);
}

/* Re-reads some command lines each tick, in turn. */
static void mark_for_reread(struct proc *p, void *arg)
{
	u32 *at = arg, n = max(proctab_count(), 1u);
	u32 from = reread_cursor % n, i = (*at)++;

	if (i < from || i >= from + REREADS_PER_TICK || p->kthread)
		return;
	p->retitle = true;
	p->reread |= p->unread_err != 0;	/* a change of cgroup is seen by the pass */
}

static void retitle(u64 pid)
{
	struct proc *p = proctab_current((u32)pid);

	if (p)
		p->retitle = true;
}

/* A command line changes without an event: those on the screen are read each tick. */
static void mark_looked_at(const struct tick *t)
{
	for (u32 i = 0; i < t->n_looked; i++)
		retitle(t->looked[i]);
	for (u32 i = 0; i < t->scope->n_pids; i++)
		retitle(t->scope->pids[i]);
	retitle(t->focus_pid);
}

static void report(const struct tick *t)
{
	char why[400];

	unread_text(why, sizeof(why));
	if (blocked)
		text_add(why, sizeof(why), "; ", "some probes are blocked: ! shows which");
	builder_status(t->b, TABLE_processes, why[0] ? TS_PARTIAL : TS_OK, why[0] ? why : NULL, t->interval_ns);
}

static int processes_read(const struct tick *t)
{
	u32 at = 0;
	int err;

	statm_reads = STATM_PER_TICK;
	users_refresh(t->now_ns);
	processes_drain();
	err = run_pass();
	if (err)
		return err;
	processes_drain();	/* exits during the pass */
	waits_update(t);
	proctab_each(mark_for_reread, &at);
	mark_looked_at(t);
	reread_cursor = (reread_cursor + REREADS_PER_TICK) % max(proctab_count(), 1u);
	unread_begin();
	proctab_each(add_process, (void *)t);
	events_rows(t->b, t->interval_ns);
	probe_runs(skel->progs.tasks_iter, t->interval_ns ? (float)n_threads * 1e9f /
							    (float)t->interval_ns : 0);
	report(t);
	loss_set("ring buffer full (process events)", skel->bss->lost_ring);
	loss_set("ring buffer full (last CPU slices)", skel->bss->lost_dead);
	loss_set("no task storage (processes)", skel->bss->lost_storage);
	loss_set("exit not reported", lost_exits);
	return 0;
}

static void fill_joined(struct proc *p, void *arg)
{
	const struct tick *t = arg;

	if (p->row)
		processes_row_join(p->row, p, t->interval_ns);
}

static void processes_end(const struct tick *t)
{
	proctab_each(fill_joined, (void *)t);
	unread_report_left_out(t->b);
	n_ticks++;
	proctab_sweep();
}

/* ---- open and close ---- */

static void processes_close(void)
{
	probes_detach(links, ARRAY_SIZE(links));
	ring_buffer__free(ring);
	ring = NULL;
	probes_forget("processes");
	processes__destroy(skel);
	skel = NULL;
	free(threads);
	threads = NULL;
	n_threads = cap_threads = n_ticks = 0;
	offsets_sought = false;
	procfs_seek_end(&offsets);
	offsets.addr = 0;
	proctab_clear();
	events_clear();
}

/* The iterator is essential; the others are optional. */
static int attach_all(void)
{
	struct bpf_program *const progs[] = {
		skel->progs.tasks_iter,
		/* exit first: a process whose birth is seen must not end unseen */
		exit_prog, exec_prog, skel->progs.on_fork, skel->progs.on_fork_again,
		skel->progs.on_switch, skel->progs.on_waking, skel->progs.on_migrate, skel->progs.on_oom,
	};

	_Static_assert(ARRAY_SIZE(progs) == ARRAY_SIZE(links), "");
	blocked = probes_attach(progs, ARRAY_SIZE(progs), links);
	return min(blocked, 0);
}

static void choose_programs(void)
{
	bool classic = probes_prefer_classic();

	exec_prog = classic ? skel->progs.on_exec_tp : skel->progs.on_exec;
	exit_prog = classic ? skel->progs.on_exit_tp : skel->progs.on_exit;
	bpf_program__set_autoload(exec_prog, true);
	bpf_program__set_autoload(exit_prog, true);
	bpf_program__set_autoload(skel->progs.on_fork_again, probes_preemptible());
}

static int processes_open(char *reason, size_t cap)
{
	int err;

	skel = processes__open();
	if (!skel)
		return -errno;
	choose_programs();
	if (libbpf_num_possible_cpus() <= 16)
		skel->rodata->sum_cpus = (u32)libbpf_num_possible_cpus();
	err = processes__load(skel);
	if (!err) {
		probes_add("processes", skel->obj);
		if (probes_preemptible())
			probes_duplicates(skel->progs.on_fork, skel->progs.on_fork_again);
		life_open(boottime_ns());
		identity_want_services(sampler_options()->services);
		err = attach_all();
	}
	if (!err) {
		ring = ring_buffer__new(bpf_map__fd(skel->maps.events), life_event, NULL, NULL);
		err = ring ? 0 : -errno;
	}
	return err;
}

const struct collector processes_collector = {
	.name = "processes",
	.tables = TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_events),
	.always = true,
	.what = "task iterator",
	.open = processes_open,
	.drain = processes_drain,
	.read = processes_read,
	.end = processes_end,
	.close = processes_close,
};
