// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * heat_parts.c: which calls of which processes are in some cells of a heat map.
 * Counts are exact: they are the buckets of the rows of those ticks. The time
 * inside is exact where all calls of a row's tick lie in the cells; else it is
 * the sum of bucket midpoints, and said to be an estimate.
 */
#include <stdlib.h>
#include <string.h>

#include "tui/heat.h"

static void parts_clear(struct heat_parts *p)
{
	for (u32 i = 0; i < p->n; i++)
		row_put(&p->parts[i].row->row);
	p->n = 0;
	p->count = p->of = 0;
	p->time_ns = 0;
	p->time_exact = true;
	p->merged = false;
}

void heat_parts_free(struct heat_parts *p)
{
	parts_clear(p);
	free(p->parts);
	memset(p, 0, sizeof(*p));
}

/* ---- adding up ------------------------------------------------------------------ */

static int cmp_u64(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int cmp_call(const struct syscalls_row *a, const struct syscalls_row *b)
{
	int d = cmp_u64(a->nr, b->nr);

	return d ? d : strcmp(a->abi ? a->abi : "", b->abi ? b->abi : "");
}

static int cmp_process(const struct syscalls_row *a, const struct syscalls_row *b)
{
	int d = cmp_u64(a->pid, b->pid);

	return d ? d : cmp_u64(a->start_time_ns, b->start_time_ns);
}

static int cmp_group(const struct heat_part *a, const struct heat_part *b, enum heat_group by)
{
	int d = by == HEAT_BY_CALL ? 0 : cmp_process(a->row, b->row);

	return d || by == HEAT_BY_PROCESS ? d : cmp_call(a->row, b->row);
}

static int by_both(const void *a, const void *b)
{
	return cmp_group(a, b, HEAT_BY_BOTH);
}

static int by_call(const void *a, const void *b)
{
	return cmp_group(a, b, HEAT_BY_CALL);
}

static int by_process(const void *a, const void *b)
{
	return cmp_group(a, b, HEAT_BY_PROCESS);
}

/* Most calls first; equal ones in a fixed order, so that lines hold still. */
static int by_count(const void *a, const void *b)
{
	const struct heat_part *p = a, *q = b;
	int d = cmp_u64(q->count, p->count);

	return d ? d : by_both(a, b);
}

static void part_add(struct heat_part *to, const struct heat_part *from)
{
	to->count += from->count;
	to->time_ns += from->time_ns;
	to->time_exact &= from->time_exact;
	if (from->slowest_ns > to->slowest_ns) {
		to->slowest_ns = from->slowest_ns;
		to->slowest_at_ns = from->slowest_at_ns;
		to->slowest_exact = from->slowest_exact;
	}
}

static void parts_merge(struct heat_parts *p, enum heat_group by)
{
	static int (*const order[])(const void *, const void *) = {
		[HEAT_BY_BOTH] = by_both, [HEAT_BY_CALL] = by_call, [HEAT_BY_PROCESS] = by_process,
	};
	u32 n = 0;

	if (!p->n)
		return;
	qsort(p->parts, p->n, sizeof(*p->parts), order[by]);
	for (u32 i = 1; i < p->n; i++) {
		if (cmp_group(&p->parts[n], &p->parts[i], by)) {
			p->parts[++n] = p->parts[i];
			continue;
		}
		part_add(&p->parts[n], &p->parts[i]);
		row_put(&p->parts[i].row->row);
	}
	p->n = n + 1;
}

static void parts_add(struct heat_parts *p, const struct heat_part *part)
{
	p->parts = grow(p->parts, p->n, &p->cap, sizeof(*p->parts));
	p->parts[p->n] = *part;
	row_get(&part->row->row);
	p->n++;
	p->count += part->count;
	p->time_ns += part->time_ns;
	p->time_exact &= part->time_exact;
}

/* ---- finding -------------------------------------------------------------------- */

static double bucket_mid_ns(int j)
{
	return j < 0 ? 0 : sqrt(hist_lower_ns(j) * hist_upper_ns(j));
}

/* Time and slowest call of the buckets low .. end-1 of one row's tick. */
static void part_estimate(struct heat_part *part, const struct hist *h, int low, int end)
{
	int base = h->offset - HIST_UNIT_OFFSET, highest = HEAT_ZERO;

	for (int j = max(low, base); j < min(end, base + (int)h->n); j++) {
		if (!h->counts[j - base])
			continue;
		part->time_ns += (double)h->counts[j - base] * bucket_mid_ns(j);
		highest = j;
	}
	part->time_exact = part->count == h->count;
	if (part->time_exact)
		part->time_ns = (double)h->sum_ns;
	/* The slowest of the tick is in its highest bucket: is that one in the range? */
	part->slowest_exact = !h->n || highest == base + (int)h->n - 1;
	part->slowest_ns = part->slowest_exact ? h->max_ns : (u64)bucket_mid_ns(highest);
}

static void tick_parts(struct heat_parts *p, const struct heat_filter *f, const struct snapshot *s,
		       const struct heat_range *range)
{
	const struct table *t = &s->tables[TABLE_syscalls];
	u32 first, end;

	heat_rows(f, s, &first, &end);
	for (u32 i = first; i < end; i++) {
		struct heat_part part = { .row = (const struct syscalls_row *)t->rows[i] };
		const struct hist *h = part.row->hist_tick;

		if (!h || !h->count || !heat_counts(f, part.row))
			continue;
		p->of += h->count;
		part.count = heat_hist_count(h, range->low, range->end);
		if (!part.count)
			continue;
		part_estimate(&part, h, range->low, range->end);
		part.slowest_at_ns = s->time_ns;
		parts_add(p, &part);
	}
}

/* Its edges are whole ticks unless these were merged since the range was chosen. */
static bool range_merged(struct history *h, int i, int last, const struct heat_range *range)
{
	return history_seq(h, (u32)i) != range->first_seq || history_seq(h, (u32)last) != range->last_seq;
}

void heat_parts_find(struct heat_parts *p, const struct heat_filter *f, struct history *h,
		     const struct snapshot *shown, const struct heat_range *range)
{
	int i, last = (int)history_len(h) - 1;
	u32 merge_at = 4096;

	parts_clear(p);
	for (i = max(history_find(h, range->first_seq), 0); i <= last; i++)
		if (history_seq(h, (u32)i) >= range->first_seq)
			break;
	last = min(last, history_find(h, range->last_seq));
	if (i > last)
		return;
	p->merged = range_merged(h, i, last, range);
	for (; i <= last; i++) {
		bool use = shown && shown->seq == history_seq(h, (u32)i);
		const struct snapshot *s = use ? snapshot_get(shown) : history_snapshot(h, (u32)i);

		if (s)
			tick_parts(p, f, s, range);
		snapshot_put(s);
		/* Many ticks of many rows: add up now and then, not only at the end. */
		if (p->n >= merge_at) {
			parts_merge(p, HEAT_BY_BOTH);
			merge_at = max(merge_at, p->n * 2);
		}
	}
	parts_merge(p, HEAT_BY_BOTH);
	if (p->n)
		qsort(p->parts, p->n, sizeof(*p->parts), by_count);
}

void heat_parts_group(const struct heat_parts *p, enum heat_group by, struct heat_parts *ret)
{
	parts_clear(ret);
	for (u32 i = 0; i < p->n; i++)
		parts_add(ret, &p->parts[i]);
	ret->of = p->of;
	ret->merged = p->merged;
	parts_merge(ret, by);
	if (ret->n)
		qsort(ret->parts, ret->n, sizeof(*ret->parts), by_count);
}
