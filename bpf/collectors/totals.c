// SPDX-License-Identifier: GPL-2.0-or-later
/* totals.c: see totals.h. */
#include <stdlib.h>

#include "bpf/collectors/totals.h"
#include "bpf/host/proctab.h"

void *totals_add(struct totals *set, u32 hash, u32 tgid, u64 start_ns)
{
	struct total *t = xcalloc(1, set->size);

	t->tgid = tgid;
	t->start_ns = start_ns;
	t->first_seen_ns = max(set->began_ns, start_ns);
	hash_add(&set->all, &t->node, hash);
	return t;
}

u64 totals_interval(const struct totals *set, const struct tick *tick)
{
	return tick->now_ns - max(set->began_ns, tick->prev_ns);
}

void total_hist(struct total *t, const struct hist *tick, const struct hist **ret_sum, const struct hist **ret_tick)
{
	hist_merge(&t->hist, tick);
	*ret_sum = hist_get(t->hist);
	*ret_tick = tick;
}

static void reset(const struct totals *set, struct total *t)
{
	t->active = false;
	if (set->reset)
		set->reset(t);
}

static void total_free(struct totals *set, struct total *t)
{
	hash_remove(&set->all, &t->node);
	reset(set, t);
	hist_put(t->hist);
	row_put(t->idle_row);
	free(t);
}

static void add_row(const struct totals *set, struct total *t, const struct tick *tick)
{
	/* a thread's last call may be reported a tick after the last row of its process */
	struct proc *p = t->tgid ? proctab_find_any(t->tgid, t->start_ns) : NULL;
	struct row *r;

	t->closed = t->tgid && (!p || p->closed);
	if (p && !proc_in_scope(p)) {
		reset(set, t);
		return;
	}
	if (!t->active && t->idle_row && !t->closed) {
		builder_add(tick->b, row_get(t->idle_row));
		return;
	}
	r = set->row(t, p, tick);
	ROW_KEEP(t->idle_row, t->active ? NULL : r);
	if (t->idle_row)	/* the builder does not change rows that are referenced elsewhere, too */
		row_quantiles(r);
	reset(set, t);
}

void totals_rows(struct totals *set, const struct tick *tick)
{
	hash_each(&set->all, struct total, t) {
		add_row(set, t, tick);
		if (t->closed)
			total_free(set, t);
	}
}

void totals_clear(struct totals *set)
{
	hash_each(&set->all, struct total, t)
		total_free(set, t);
	hash_free(&set->all, NULL);
}

void totals_begin(struct totals *set, u64 now_ns)
{
	totals_clear(set);
	set->began_ns = now_ns;
}
