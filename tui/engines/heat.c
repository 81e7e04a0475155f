// SPDX-License-Identifier: GPL-2.0-or-later
/* heat.c: the columns of a heat map, one a tick, computed once for each filter. */
#include <stdlib.h>
#include <string.h>

#include "tui/engines/heat.h"

#define CHUNK 30		/* ticks decoded forward before going further back */
#define CAP_BYTES (6u << 20)	/* limit of the per-caller data */

bool heat_filter_equal(const struct heat_filter *a, const struct heat_filter *b)
{
	return a->source == b->source && a->pid == b->pid && a->start_time_ns == b->start_time_ns &&
	       a->one == b->one && a->waits == b->waits && (!a->one || a->what == b->what);
}

static void column_drop(struct heat_column *c)
{
	hist_put(c->hist);
	heat_tick_free(c->calls);
}

void heat_free(struct heat *m)
{
	for (u32 i = 0; i < m->n; i++)
		column_drop(&m->columns[i]);
	free(m->columns);
	heat_ids_free(m->ids);
	m->columns = NULL;
	m->ids = NULL;
	m->n = m->cap = 0;
}

void heat_set_filter(struct heat *m, const struct heat_filter *f)
{
	if (heat_filter_equal(&m->filter, f))
		return;
	heat_free(m);
	m->filter = *f;
}

/* ---- computing -------------------------------------------------------------------- */

/* A merged tick keeps its last tick's number: number and length tell whether a column is valid. */
static bool is_of_tick(const struct heat_column *c, const struct history *h, u32 i)
{
	return c->seq == history_seq(h, i) && c->interval_ns == history_interval_ns(h, i);
}

/* Drops columns of ticks that were evicted or merged. */
static void drop_old(struct heat *m, const struct history *h)
{
	u32 len = history_len(h), i = 0, n = 0;

	for (u32 k = 0; k < m->n; k++) {
		while (i < len && history_seq(h, i) < m->columns[k].seq)
			i++;
		if (i < len && is_of_tick(&m->columns[k], h, i))
			m->columns[n++] = m->columns[k];
		else
			column_drop(&m->columns[k]);
	}
	m->n = n;
}

/* Index of the first column at or after seq. */
static u32 lower_bound(const struct heat *m, u64 seq)
{
	return bisect(i, 0, m->n, m->columns[i].seq < seq);
}

const struct heat_column *heat_find(const struct heat *m, u64 seq)
{
	u32 at = lower_bound(m, seq);

	return at < m->n && m->columns[at].seq == seq ? &m->columns[at] : NULL;
}

static const struct snapshot *tick_snapshot(struct history *h, u32 i, const struct snapshot *shown)
{
	if (shown && shown->seq == history_seq(h, i) &&
	    shown->interval_ns == history_interval_ns(h, i))
		return snapshot_get(shown);
	return history_snapshot(h, i);
}

static void add_column(struct heat *m, struct history *h, u32 i, const struct snapshot *shown)
{
	struct heat_column col = {
		.seq = history_seq(h, i),
		.time_ns = history_time_ns(h, i),
		.interval_ns = history_interval_ns(h, i),
	};
	const struct snapshot *s = tick_snapshot(h, i, shown);
	u32 at = lower_bound(m, col.seq);

	if (s)
		col.calls = heat_tick_new(m->ids, &m->filter, s, &col.hist);
	snapshot_put(s);
	m->columns = grow(m->columns, m->n, &m->cap, sizeof(*m->columns));
	memmove(&m->columns[at + 1], &m->columns[at], (m->n - at) * sizeof(*m->columns));
	m->columns[at] = col;
	m->n++;
}

/* Evicts per-caller data, oldest first, to stay within CAP_BYTES. */
static void drop_calls(struct heat *m)
{
	u64 bytes = heat_ids_bytes(m->ids);

	for (u32 i = 0; i < m->n; i++)
		bytes += heat_tick_bytes(m->columns[i].calls);
	for (u32 i = 0; i < m->n && bytes > CAP_BYTES; i++) {
		bytes -= heat_tick_bytes(m->columns[i].calls);
		heat_tick_free(m->columns[i].calls);
		m->columns[i].calls = NULL;
	}
}

static void compact_ids(struct heat *m)
{
	struct heat_tick **ticks = xcalloc(m->n + 1, sizeof(struct heat_tick *));

	for (u32 i = 0; i < m->n; i++)
		ticks[i] = m->columns[i].calls;
	heat_ids_compact(m->ids, ticks, m->n);
	free(ticks);
}

/* The newest chunk first, where the user looks. Within it forward, which is cheap. */
bool heat_need(struct heat *m, struct history *h, const struct snapshot *shown,
	       u32 first, u32 last, u64 budget_ns)
{
	u64 begin = boottime_ns();
	s64 end = (s64)min(last, history_len(h) - 1);
	bool worked = false;	/* at least one a call, to make progress */

	if (!history_len(h))
		return true;
	if (!m->ids)
		m->ids = heat_ids_new();
	drop_old(m, h);
	drop_calls(m);
	compact_ids(m);
	/* The shown tick needs no decoding, and the cursor is usually on it. */
	if (shown && history_seq(h, (u32)end) == shown->seq && !heat_find(m, shown->seq))
		add_column(m, h, (u32)end, shown);
	for (; end >= (s64)first; end -= CHUNK) {
		for (s64 i = max(end - CHUNK + 1, (s64)first); i <= end; i++) {
			if (heat_find(m, history_seq(h, (u32)i)))
				continue;
			if (budget_ns && worked && boottime_ns() - begin > budget_ns)
				return false;
			add_column(m, h, (u32)i, shown);
			worked = true;
		}
	}
	return true;
}

/* ---- counts ------------------------------------------------------------------------- */

u64 heat_count(const struct heat_column *col, int low, int end)
{
	const struct hist *h = col->hist;
	u64 count = 0;
	int base;

	if (!h)
		return 0;
	base = h->offset - HIST_UNIT_OFFSET;
	for (int j = max(low, base); j < min(end, base + (int)h->n); j++)
		count += h->counts[j - base];
	return count + (low <= HEAT_ZERO && end > HEAT_ZERO ? h->zero : 0);
}

int heat_highest(const struct heat_column *col)
{
	if (!col->hist || !col->hist->count)
		return HEAT_ZERO - 1;
	if (!col->hist->n)
		return HEAT_ZERO;
	return col->hist->offset - HIST_UNIT_OFFSET + (int)col->hist->n - 1;
}
