// SPDX-License-Identifier: GPL-2.0-or-later
/* syscalls_totals.c: see syscalls_totals.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/host/proctab.h"
#include "bpf/host/syscall_names.h"
#include "bpf/collectors/syscalls/syscalls_totals.h"
#include "bpf/collectors/waits/waits.h"

#define MAX_ERRNOS 8	/* kept apart per row and tick; the rest is in the sum */

/* One process x call. */
struct call_total {
	struct total t;
	u32 call;
	u64 returned, died, errors, total_ns, shown_count;
	struct counter c_count, c_errors, c_time, c_hard;
	u64 hard_errors;
	/* of this tick */
	struct bucket { u32 b, n; } *buckets;	/* few: a dense histogram of each is 2.7 KB */
	u32 n_buckets, cap_buckets;
	u64 zero, sum_ns, min_ns, max_ns;
	u32 in_flight, in_flight_entered;	/* the latter: entered while we measured */
	u64 in_flight_max_ns;
	const struct wire_thread *oldest;	/* of this tick, in flight */
	struct { u32 e, n; } errnos[MAX_ERRNOS];
	u32 n_errnos;
};

static struct row *make_row(struct total *total, struct proc *p, const struct tick *tick);
static void reset_tick(struct total *total);

static struct totals calls = { .size = sizeof(struct call_total), .row = make_row, .reset = reset_tick };
static struct call_total *by_slot[N_SLOTS];	/* of the set that is drained */

static struct call_total *total_get(u32 tgid, u64 start_ns, u32 call)
{
	u32 hash = hash_of(tgid, start_ns, call);
	struct call_total *t = hash_find(&calls.all, hash, struct call_total, x,
					 x->t.tgid == tgid && x->call == call && x->t.start_ns == start_ns);

	if (t)
		return t;
	t = totals_add(&calls, hash, tgid, start_ns);
	t->call = call;
	return t;
}

void syscalls_totals_begin(u64 now_ns)
{
	totals_begin(&calls, now_ns);
}

void syscalls_totals_slot(u32 index, const struct sc_slot *s)
{
	struct call_total *t = total_get(s->tgid, s->start_ns, s->call);
	u64 min_ns = ~s->inv_min_ns;

	by_slot[index] = t;
	t->t.active = true;
	t->returned += s->count;
	t->died += s->died;
	t->errors += s->errors;
	t->total_ns += s->total_ns;
	if (!s->count)
		return;
	t->min_ns = t->sum_ns || t->zero ? min(t->min_ns, min_ns) : min_ns;
	t->max_ns = max(t->max_ns, (u64)s->max_ns);
	t->sum_ns += s->total_ns;
	t->zero += s->zero;
}

static void add_errno(struct call_total *t, u32 e, u32 n)
{
	u32 i = 0;

	if (!errno_is_soft(e))
		t->hard_errors += n;
	while (i < t->n_errnos && t->errnos[i].e != e)
		i++;
	if (i == MAX_ERRNOS)
		return;
	if (i == t->n_errnos) {
		t->errnos[i].e = e;
		t->errnos[i].n = 0;
		t->n_errnos++;
	}
	t->errnos[i].n += n;
}

void syscalls_totals_cell(u32 slot, u32 what, u32 n)
{
	struct call_total *t = slot < N_SLOTS ? by_slot[slot] : NULL;

	if (!t)
		return;
	if (what >= CELL_ERRNO) {
		add_errno(t, what - CELL_ERRNO, n);
		return;
	}
	t->t.active = true;
	t->buckets = grow(t->buckets, t->n_buckets, &t->cap_buckets, sizeof(*t->buckets));
	t->buckets[t->n_buckets++] = (struct bucket){ what, n };
}

void syscalls_totals_set_done(void)
{
	memset(by_slot, 0, sizeof(by_slot));
}

void syscalls_totals_in_flight(const struct wire_thread *w)
{
	struct call_total *t = total_get(w->tgid, w->process_start_ns, w->call);

	t->in_flight++;
	t->in_flight_entered += w->call_exact;
	if (!t->oldest || w->call_age_ns > t->in_flight_max_ns)
		t->oldest = w;
	t->in_flight_max_ns = max(t->in_flight_max_ns, (u64)w->call_age_ns);
	t->t.active = true;
}

/* ---- rows ---- */

static int by_count(const void *a, const void *b)
{
	const u32 *x = a, *y = b;	/* { errno, count } */

	return cmp(y[1], x[1]);
}

/* "EAGAIN 9380, EPIPE 2" */
static const char *errno_text(struct call_total *t)
{
	char buf[160] = "";

	qsort(t->errnos, t->n_errnos, sizeof(t->errnos[0]), by_count);
	for (u32 i = 0; i < t->n_errnos; i++) {
		const char *name = errno_name(t->errnos[i].e);
		char number[16];

		snprintf(number, sizeof(number), "%u", t->errnos[i].e);
		text_add(buf, sizeof(buf), ", ", "%s %u", name ?: number, t->errnos[i].n);
	}
	return str_new(buf);
}

static void fill_rates(struct syscalls_row *r, struct call_total *t, u64 interval_ns)
{
	r->rate = rate_per_s(counter_advance(&t->c_count, t->shown_count, true), interval_ns);
	r->error_rate = rate_per_s(counter_advance(&t->c_errors, t->errors, true), interval_ns);
	r->time_rate = rate_per_s(counter_advance(&t->c_time, t->total_ns, true), interval_ns);
	r->hard_error_rate = rate_per_s(counter_advance(&t->c_hard, t->hard_errors, true),
					interval_ns);
}

/* The histogram of this tick, or NULL; one dense accumulator serves all, one after the other. */
static const struct hist *tick_hist(const struct call_total *t)
{
	struct hist_acc a = { .sum_ns = t->sum_ns, .min_ns = t->min_ns, .max_ns = t->max_ns };

	if (!t->n_buckets && !t->zero)
		return NULL;
	hist_acc_bucket(&a, -1, t->zero);
	for (u32 i = 0; i < t->n_buckets; i++)
		hist_acc_bucket(&a, (int)t->buckets[i].b, t->buckets[i].n);
	return hist_seal(&a);
}

static struct row *make_row(struct total *total, struct proc *p, const struct tick *tick)
{
	struct call_total *t = (struct call_total *)total;
	struct syscalls_row *r = builder_row(tick->b, TABLE_syscalls);
	bool other = !total->tgid;

	r->row.first_seen_ns = total->first_seen_ns;
	r->row.closed = total->closed;
	r->row.other = other;
	r->pid = total->tgid;
	r->start_time_ns = total->start_ns;
	r->nr = syscall_nr(t->call);
	r->abi = str_new(other ? "" : syscall_abi(t->call));
	r->syscall = other ? str_new("other") : syscall_name(t->call);
	r->comm = p && p->comm ? str_get(p->comm) : str_new(other ? "other" : "?");
	r->waits = syscall_waits(r->syscall);
	/* a call in flight may be counted as returned a moment later: never decrease */
	t->shown_count = max(t->shown_count, t->returned + t->died + t->in_flight_entered);
	if (total->closed)
		t->shown_count = t->returned + t->died;
	r->count = t->shown_count;
	r->errors = t->errors;
	r->total_ns = t->total_ns;
	r->in_flight = t->in_flight;
	r->in_flight_max_ns = t->in_flight ? t->in_flight_max_ns : U64_BLANK;
	r->waits_on = t->oldest ? waits_of(t->oldest) : str_new("");
	r->errnos = errno_text(t);
	fill_rates(r, t, totals_interval(&calls, tick));
	total_hist(total, tick_hist(t), &r->hist, &r->hist_tick);
	return &r->row;
}

static void reset_tick(struct total *total)
{
	struct call_total *t = (struct call_total *)total;

	free(t->buckets);
	t->buckets = NULL;
	t->n_buckets = t->cap_buckets = 0;
	t->zero = t->sum_ns = t->min_ns = t->max_ns = 0;
	t->in_flight = t->in_flight_entered = t->n_errnos = 0;
	t->in_flight_max_ns = 0;
	t->oldest = NULL;
}

void syscalls_totals_rows(const struct tick *tick)
{
	totals_rows(&calls, tick);
}

void syscalls_totals_clear(void)
{
	totals_clear(&calls);
	memset(by_slot, 0, sizeof(by_slot));
}
