// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * heat_parts.c: the calls in some cells of a heat map, by operation and process. Counts are exact.
 * Times are exact if all calls of a row's tick lie in the cells; else they are sums of bucket
 * midpoints, marked as estimates.
 */
#include <stdlib.h>
#include <string.h>

#include "tui/engines/heat.h"

static void parts_clear(struct heat_parts *p)
{
	p->n = 0;
	p->count = p->of = 0;
	p->time_ns = 0;
	p->time_exact = true;
	p->merged = false;
}

void heat_parts_free(struct heat_parts *p)
{
	free(p->parts);
	memset(p, 0, sizeof(*p));
}

/* ---- order ------------------------------------------------------------------------ */

static int by_what(const void *pa, const void *pb)
{
	const struct heat_id *a = &((const struct heat_part *)pa)->id;
	const struct heat_id *b = &((const struct heat_part *)pb)->id;

	return cmp(a->what, b->what);
}

static int by_process(const void *pa, const void *pb)
{
	const struct heat_id *a = &((const struct heat_part *)pa)->id;
	const struct heat_id *b = &((const struct heat_part *)pb)->id;

	return cmp(a->pid, b->pid) ?: cmp(a->start_time_ns, b->start_time_ns);
}

/* Most calls first; ties in a fixed order, so that lines do not jump. */
static int by_count(const void *pa, const void *pb)
{
	const struct heat_part *a = pa, *b = pb;

	return cmp(b->count, a->count) ?: by_process(a, b) ?: strcmp(a->id.name, b->id.name) ?: by_what(a, b);
}

static void parts_sort(struct heat_parts *p)
{
	if (p->n)
		qsort(p->parts, p->n, sizeof(*p->parts), by_count);
}

/* ---- finding ------------------------------------------------------------------------ */

struct search {
	struct heat_parts *p;
	struct heat_part *sums;	/* one for each id */
	u64 tick_ns;
};

static void take_slowest(struct heat_part *to, u64 ns, u64 at_ns, bool exact)
{
	if (ns <= to->slowest_ns && to->slowest_at_ns)
		return;
	to->slowest_ns = ns;
	to->slowest_at_ns = at_ns;
	to->slowest_exact = exact;
}

static void add_share(void *arg, const struct heat_share *share)
{
	struct search *s = arg;
	struct heat_part *sum = &s->sums[share->id];

	s->p->of += share->of;
	if (!share->count)
		return;
	if (!sum->count)
		sum->time_exact = true;
	sum->count += share->count;
	sum->time_ns += share->time_ns;
	sum->time_exact &= share->time_exact;
	take_slowest(sum, share->slowest_ns, s->tick_ns, share->slowest_exact);
}

static void parts_add(struct heat_parts *p, const struct heat_part *part)
{
	p->parts = grow(p->parts, p->n, &p->cap, sizeof(*p->parts));
	p->parts[p->n++] = *part;
	p->count += part->count;
	p->time_ns += part->time_ns;
	p->time_exact &= part->time_exact;
}

static bool in_range(const struct heat_column *col, const struct heat_range *range)
{
	return col->seq >= range->first_seq && col->seq <= range->last_seq;
}

/* The tick's per-caller data was evicted: decode it again. */
static struct heat_tick *decode_calls(struct heat *m, struct history *h,
				      const struct heat_column *col)
{
	int i = history_find(h, col->seq);
	const struct snapshot *s = i < 0 ? NULL : history_snapshot(h, (u32)i);
	const struct hist *hist = NULL;
	struct heat_tick *calls = NULL;

	if (s && s->seq == col->seq && s->interval_ns == col->interval_ns)
		calls = heat_tick_new(m->ids, &m->filter, s, &hist);
	hist_put(hist);
	snapshot_put(s);
	return calls;
}

/* Decodes the missing per-caller data of the range; kept until the next heat_need(). */
static void complete_calls(struct heat *m, struct history *h, const struct heat_range *range)
{
	for (u32 i = 0; i < m->n; i++) {
		struct heat_column *col = &m->columns[i];

		if (in_range(col, range) && col->hist && !col->calls)
			col->calls = decode_calls(m, h, col);
	}
}

static void parts_collect(struct heat_parts *p, const struct heat *m,
			  const struct heat_range *range)
{
	u32 n_ids = heat_ids_len(m->ids);
	struct search s = { .p = p, .sums = xcalloc(n_ids + 1, sizeof(*s.sums)) };

	for (u32 i = 0; i < m->n; i++) {
		const struct heat_column *col = &m->columns[i];

		s.tick_ns = col->time_ns;
		if (in_range(col, range) && col->calls)
			heat_tick_each(col->calls, range->low, range->end, add_share, &s);
	}
	for (u32 i = 0; i < n_ids; i++) {
		if (!s.sums[i].count)
			continue;
		s.sums[i].id = *heat_ids_at(m->ids, i);
		parts_add(p, &s.sums[i]);
	}
	free(s.sums);
}

void heat_parts_find(struct heat_parts *p, struct heat *m, struct history *h,
		     const struct heat_range *range)
{
	parts_clear(p);
	p->merged = !heat_find(m, range->first_seq) || !heat_find(m, range->last_seq);
	complete_calls(m, h, range);
	parts_collect(p, m, range);
	parts_sort(p);
}

/* ---- grouping ----------------------------------------------------------------------- */

static void part_add(struct heat_part *to, const struct heat_part *from)
{
	to->count += from->count;
	to->time_ns += from->time_ns;
	to->time_exact &= from->time_exact;
	take_slowest(to, from->slowest_ns, from->slowest_at_ns, from->slowest_exact);
}

void heat_parts_group(const struct heat_parts *p, enum heat_group by, struct heat_parts *ret)
{
	int (*order)(const void *, const void *) = by == HEAT_BY_WHAT ? by_what : by_process;
	u32 n = 0;

	parts_clear(ret);
	for (u32 i = 0; i < p->n; i++)
		parts_add(ret, &p->parts[i]);
	ret->of = p->of;
	ret->merged = p->merged;
	if (!ret->n || by == HEAT_BY_BOTH)
		return;
	qsort(ret->parts, ret->n, sizeof(*ret->parts), order);
	for (u32 i = 1; i < ret->n; i++) {
		if (order(&ret->parts[n], &ret->parts[i]))
			ret->parts[++n] = ret->parts[i];
		else
			part_add(&ret->parts[n], &ret->parts[i]);
	}
	ret->n = n + 1;
	parts_sort(ret);
}
