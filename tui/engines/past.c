// SPDX-License-Identifier: GPL-2.0-or-later
/* past.c: see past.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tui/term/graph.h"
#include "tui/engines/past.h"

#define HEAVY_ROWS 8000		/* with so many rows decoding would be noticeable: start empty */
#define PORTION_FIRST 12
#define PORTION_MAX 60
#define PORTION_NS (5 * NSEC_PER_MSEC)	/* of the 16 ms of a frame */

/* ---- values ---------------------------------------------------------------- */

static float value_of(const struct row *r, const struct field *f)
{
	if (f->type == FT_F32)
		return f32_known(row_f32(r, f)) ? row_f32(r, f) : F32_UNKNOWN;
	return u64_known(row_u64(r, f)) ? (float)row_u64(r, f) : F32_UNKNOWN;
}

/* Sets the values at index i of every lane; s NULL: unreadable. */
static void set_tick(struct past *p, int i, const struct snapshot *s)
{
	for (int k = 0; k < p->n_lanes; k++) {
		struct past_lane *l = p->lanes[k];
		const struct row *r = s ? snapshot_find(s, l->like) : NULL;

		for (int f = 0; f < p->n_fields; f++)
			l->values[f][i] = r ? value_of(r, &table_descs[p->table].fields[p->fields[f]])
					    : F32_UNKNOWN;
	}
	p->time_ns[i] = s ? s->time_ns : 0;
	p->interval_ns[i] = s ? s->interval_ns : 0;
}

/* Inserts `by` ticks at the start, or removes as many if negative. */
static void shift(struct past *p, int by)
{
	int from = max(-by, 0), to = max(by, 0), n = p->n - from;

	memmove(p->time_ns + to, p->time_ns + from, (size_t)n * sizeof(*p->time_ns));
	memmove(p->interval_ns + to, p->interval_ns + from, (size_t)n * sizeof(*p->interval_ns));
	for (int k = 0; k < p->n_lanes; k++)
		for (int f = 0; f < p->n_fields; f++)
			memmove(p->lanes[k]->values[f] + to, p->lanes[k]->values[f] + from,
				(size_t)n * sizeof(float));
	p->n += by;
}

static void append(struct past *p, const struct snapshot *s)
{
	if (p->n == PAST_TICKS)
		shift(p, -1);
	set_tick(p, p->n++, s);
	p->seq = s->seq;
}

/* ---- which rows --------------------------------------------------------------- */

static void drop_lanes(struct past *p)
{
	while (p->n_lanes) {
		row_put(p->lanes[--p->n_lanes]->like);
		free(p->lanes[p->n_lanes]);
	}
	p->n = 0;
	p->seq = p->older = 0;
}

void past_free(struct past *p)
{
	drop_lanes(p);
}

int past_find(const struct past *p, const struct row *like)
{
	for (int k = 0; k < p->n_lanes; k++)
		if (p->table == (int)like->table && !row_cmp_keys(p->lanes[k]->like, like))
			return k;
	return -1;
}

static bool is_of_table(const struct past *p, enum table_id t, const char *const *members)
{
	int f = 0;

	for (; p->table == (int)t && members[f]; f++)
		if (f >= p->n_fields || p->fields[f] != table_field(t, members[f]))
			return false;
	return p->table == (int)t && f == p->n_fields;
}

static bool same_rows(const struct past *p, enum table_id t, const char *const *members,
		      const struct row *const *rows, int n)
{
	if (p->n_lanes != n || !is_of_table(p, t, members))
		return false;
	for (int k = 0; k < n; k++)
		if (row_cmp_keys(p->lanes[k]->like, rows[k]))
			return false;
	return true;
}

static struct past_lane *lane_new(const struct row *like, int n)
{
	struct past_lane *l = xcalloc(1, sizeof(*l));

	l->like = row_get(like);
	for (int f = 0; f < PAST_FIELDS; f++)
		for (int i = 0; i < n; i++)
			l->values[f][i] = F32_UNKNOWN;
	return l;
}

/* Rows were added or removed: the others keep their values. */
static void change_rows(struct past *p, const struct row *const *rows, int n)
{
	struct past_lane *lanes[PAST_LANES];

	for (int k = 0; k < n; k++) {
		int at = past_find(p, rows[k]);

		lanes[k] = at < 0 ? lane_new(rows[k], p->n) : p->lanes[at];
		if (at >= 0)
			p->lanes[at] = p->lanes[--p->n_lanes];
	}
	for (int k = 0; k < p->n_lanes; k++) {
		row_put(p->lanes[k]->like);
		free(p->lanes[k]);
	}
	memcpy(p->lanes, lanes, (size_t)n * sizeof(*lanes));
	p->n_lanes = n;
}

static void set_rows(struct past *p, enum table_id t, const char *const *members,
		     const struct row *const *rows, int n)
{
	bool any = false;

	for (int k = 0; k < n && !any && is_of_table(p, t, members); k++)
		any = past_find(p, rows[k]) >= 0;
	if (any) {
		change_rows(p, rows, n);
		return;
	}
	drop_lanes(p);
	p->table = (int)t;
	for (p->n_fields = 0; p->n_fields < PAST_FIELDS && members[p->n_fields]; p->n_fields++)
		p->fields[p->n_fields] = table_field(t, members[p->n_fields]);
	for (p->n_lanes = 0; p->n_lanes < n; p->n_lanes++)
		p->lanes[p->n_lanes] = lane_new(rows[p->n_lanes], 0);
}

/* ---- reading --------------------------------------------------------------------- */

static bool is_heavy(const struct snapshot *s)
{
	u32 n = 0;

	for (u32 t = 0; t < N_TABLES; t++)
		n += s->tables[t].n;
	return n > HEAVY_ROWS;
}

void past_update(struct past *p, struct history *h, const struct snapshot *shown, enum table_id t,
		 const char *const *members, const struct row *const *rows, int n)
{
	bool same;

	if (!shown)
		return;
	n = min(n, PAST_LANES);
	same = same_rows(p, t, members, rows, n);
	if (same && p->seq == shown->seq)
		return;
	if (!same)
		set_rows(p, t, members, rows, n);
	if (p->n && p->seq == shown->seq) {
		set_tick(p, p->n - 1, shown);
		return;
	}
	if (!p->seq || p->seq + 1 != shown->seq) {
		p->n = 0;
		p->older = h && history_find(h, shown->seq) > 0 && !is_heavy(shown) ? shown->seq : 0;
	}
	append(p, shown);
}

bool past_more(struct past *p, struct history *h)
{
	u64 begin = boottime_ns(), took;
	int end, from, n;

	if (!p->older || !h || p->n >= PAST_TICKS)
		return false;
	/* Ticks older than the axis are skipped; after another jump they are read again. */
	end = history_find(h, p->older);
	if (end >= 0 && history_seq(h, (u32)end) == p->older)
		end--;
	p->portion = p->portion ? p->portion : PORTION_FIRST;
	n = min(min(p->portion, PAST_TICKS - p->n), end + 1);
	from = end + 1 - n;
	if (n <= 0 || history_time_ns(h, (u32)end) + PAST_NS < p->time_ns[p->n - 1]) {
		p->older = 0;
		return false;
	}
	shift(p, n);
	for (int i = 0; i < n; i++) {
		const struct snapshot *s = history_snapshot(h, (u32)(from + i));

		set_tick(p, i, s);
		p->time_ns[i] = history_time_ns(h, (u32)(from + i));
		p->interval_ns[i] = history_interval_ns(h, (u32)(from + i));
		snapshot_put(s);
	}
	p->older = from > 0 ? history_seq(h, (u32)from) : 0;
	took = boottime_ns() - begin;
	p->portion = took > PORTION_NS ? max(p->portion / 2, 1) : min(p->portion * 2, PORTION_MAX);
	return p->older && p->n < PAST_TICKS;
}

/* ---- drawing ------------------------------------------------------------------------- */

/* Means over `width` equal parts of the five minutes before the newest tick. */
static void bucket(const struct past *p, int lane, int field, int width, float *cells)
{
	double *sums = xcalloc((size_t)width, sizeof(*sums)), *weights = xcalloc((size_t)width, sizeof(*weights));
	u64 end = p->n ? p->time_ns[p->n - 1] : 0;

	for (int i = 0; i < p->n; i++) {
		float v = p->lanes[lane]->values[field][i];
		u64 age = end - p->time_ns[i];
		int cell = width - 1 - (int)(age * (u64)width / PAST_NS);

		if (cell < 0 || !f32_known(v))
			continue;
		sums[cell] += (double)v * (double)max(p->interval_ns[i], (u64)1);
		weights[cell] += (double)max(p->interval_ns[i], (u64)1);
	}
	for (int i = 0; i < width; i++)
		cells[i] = weights[i] > 0 ? (float)(sums[i] / weights[i]) : F32_UNKNOWN;
	/* A tick longer than a cell (a merged one) also fills the cells before it. */
	for (int i = 0; i < p->n; i++) {
		u64 age = end - p->time_ns[i];
		int last = width - 1 - (int)(age * (u64)width / PAST_NS);
		int first = width - 1 - (int)(((age + p->interval_ns[i]) * (u64)width - 1) / PAST_NS);

		for (int k = max(first, 0); k < last && last >= 0; k++)
			if (!f32_known(cells[k]))
				cells[k] = p->lanes[lane]->values[field][i];
	}
	free(sums);
	free(weights);
}

float past_spark(const struct past *p, int lane, int field, struct canvas *c, int row, int col,
		 int width, u32 style, float floor)
{
	float top = floor, *cells;
	bool any = false;

	if (lane < 0 || width <= 0)
		return 0;
	cells = xcalloc((size_t)width, sizeof(*cells));
	bucket(p, lane, field, width, cells);
	for (int i = 0; i < width; i++) {
		if (!f32_known(cells[i]))
			continue;
		any = true;
		top = max(top, cells[i]);
	}
	if (any)
		graph_spark(c, row, col, width, style, cells, width, top > 0 ? top : 1);
	free(cells);
	return any ? top : 0;
}

bool past_range(const struct past *p, int lane, int field, float *ret_min, float *ret_max)
{
	u64 end = p->n ? p->time_ns[p->n - 1] : 0;
	bool any = false;

	for (int i = 0; lane >= 0 && i < p->n; i++) {
		float v = p->lanes[lane]->values[field][i];

		if (!f32_known(v) || p->time_ns[i] + PAST_NS < end)
			continue;
		*ret_min = any ? min(*ret_min, v) : v;
		*ret_max = any ? max(*ret_max, v) : v;
		any = true;
	}
	return any;
}
