// SPDX-License-Identifier: GPL-2.0-or-later
/* heat.c: the columns of a heat map, one a tick, computed once for each filter. */
#include <stdlib.h>
#include <string.h>

#include "tui/heat.h"

/* ---- filter ------------------------------------------------------------------ */

bool heat_filter_equal(const struct heat_filter *a, const struct heat_filter *b)
{
	return a->pid == b->pid && a->start_time_ns == b->start_time_ns &&
	       a->one_call == b->one_call && a->waits == b->waits &&
	       (!a->one_call || (a->nr == b->nr && !strcmp(a->abi, b->abi)));
}

bool heat_counts(const struct heat_filter *f, const struct syscalls_row *r)
{
	if (!f->one_call)
		return f->waits || r->waits != 1;
	return r->nr == f->nr && r->abi && !strncmp(r->abi, f->abi, sizeof(f->abi) - 1);
}

void heat_rows(const struct heat_filter *f, const struct snapshot *s, u32 *ret_first, u32 *ret_end)
{
	if (f->pid) {
		snapshot_process_rows(s, TABLE_syscalls, f->pid, f->start_time_ns, ret_first, ret_end);
		return;
	}
	*ret_first = 0;
	*ret_end = s->tables[TABLE_syscalls].n;
}

/* ---- columns ------------------------------------------------------------------ */

static void columns_drop(struct heat_column *columns, u32 n)
{
	for (u32 i = 0; i < n; i++)
		hist_put(columns[i].hist);
	free(columns);
}

void heat_free(struct heat *m)
{
	columns_drop(m->columns, m->n);
	m->columns = NULL;
	m->n = m->cap = 0;
}

void heat_set_filter(struct heat *m, const struct heat_filter *f)
{
	if (heat_filter_equal(&m->filter, f))
		return;
	heat_free(m);
	m->filter = *f;
}

/* The calls of one tick, or NULL when they were not observed in it. */
static const struct hist *tick_hist(const struct heat_filter *f, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_syscalls];
	struct hist_acc acc;
	u32 first, end;

	if (t->status != TS_OK && t->status != TS_PARTIAL)
		return NULL;
	memset(&acc, 0, sizeof(acc));
	heat_rows(f, s, &first, &end);
	for (u32 i = first; i < end; i++) {
		const struct syscalls_row *r = (const struct syscalls_row *)t->rows[i];

		if (heat_counts(f, r))
			hist_acc_add(&acc, r->hist_tick);
	}
	return hist_seal(&acc);
}

static const struct snapshot *tick_snapshot(struct history *h, u32 i, const struct snapshot *shown)
{
	if (shown && shown->seq == history_seq(h, i) &&
	    shown->interval_ns == history_interval_ns(h, i))
		return snapshot_get(shown);
	return history_snapshot(h, i);
}

static struct heat_column column_compute(const struct heat_filter *f, struct history *h, u32 i,
					 const struct snapshot *shown)
{
	struct heat_column col = {
		.seq = history_seq(h, i),
		.time_ns = history_time_ns(h, i),
		.interval_ns = history_interval_ns(h, i),
	};
	const struct snapshot *s = tick_snapshot(h, i, shown);

	if (s)
		col.hist = tick_hist(f, s);
	snapshot_put(s);
	return col;
}

/*
 * A merged tick keeps the number of its last one, so number and length together
 * say whether a column is still of the same calls.
 */
void heat_need(struct heat *m, struct history *h, const struct snapshot *shown,
	       u32 first, u32 last)
{
	struct heat old = *m;
	u32 len = history_len(h), k = 0;

	m->columns = NULL;
	m->n = m->cap = 0;
	for (u32 i = 0; i < len; i++) {
		u64 seq = history_seq(h, i);
		struct heat_column col;

		for (; k < old.n && old.columns[k].seq < seq; k++)
			hist_put(old.columns[k].hist);
		if (k < old.n && old.columns[k].seq == seq &&
		    old.columns[k].interval_ns == history_interval_ns(h, i))
			col = old.columns[k++];
		else if (i >= first && i <= last)
			col = column_compute(&m->filter, h, i, shown);
		else
			continue;
		m->columns = grow(m->columns, m->n, &m->cap, sizeof(*m->columns));
		m->columns[m->n++] = col;
	}
	for (; k < old.n; k++)
		hist_put(old.columns[k].hist);
	free(old.columns);
}

const struct heat_column *heat_find(const struct heat *m, u64 seq)
{
	u32 low = 0, end = m->n;

	while (low < end) {
		u32 mid = (low + end) / 2;

		if (m->columns[mid].seq < seq)
			low = mid + 1;
		else
			end = mid;
	}
	return low < m->n && m->columns[low].seq == seq ? &m->columns[low] : NULL;
}

/* ---- counts ------------------------------------------------------------------- */

u64 heat_hist_count(const struct hist *h, int low, int end)
{
	int base;
	u64 count = 0;

	if (!h)
		return 0;
	base = h->offset - HIST_UNIT_OFFSET;
	for (int j = max(low, base); j < min(end, base + (int)h->n); j++)
		count += h->counts[j - base];
	return count + (low <= HEAT_ZERO && end > HEAT_ZERO ? h->zero : 0);
}

u64 heat_count(const struct heat_column *col, int low, int end)
{
	return heat_hist_count(col->hist, low, end);
}

int heat_highest(const struct heat_column *col)
{
	if (!col->hist || !col->hist->count)
		return HEAT_ZERO - 1;
	return col->hist->n ? col->hist->offset - HIST_UNIT_OFFSET + (int)col->hist->n - 1 : HEAT_ZERO;
}
