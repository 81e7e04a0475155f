// SPDX-License-Identifier: GPL-2.0-or-later
/* syscalls_group.c: the rows of the syscall table added up by call or by process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/views/syscalls.h"

/*
 * `row` is the first member and is counted like any other, so whoever still
 * holds it when the group goes may do so. Its texts are borrowed from `source`.
 */
struct group {
	struct syscalls_row row;
	const struct row *source;
	enum syscalls_by by;
	u32 members;
	bool used;
	char many[24];	/* "12 processes" */
};

static void group_forget(struct group *g)
{
	hist_put(g->row.hist);
	hist_put(g->row.hist_tick);
	g->row.hist = g->row.hist_tick = NULL;
	g->row.comm = g->row.syscall = g->row.abi = g->row.errnos = NULL;
	g->row.waits_on = NULL;
	row_put(g->source);
	g->source = NULL;
}

/* Whoever else has the row keeps one without texts; else it is freed here. */
static void group_drop(struct group *g)
{
	group_forget(g);
	row_put(&g->row.row);
}

void groups_free(struct groups *g)
{
	for (u32 i = 0; i < g->n; i++)
		group_drop(g->groups[i]);
	free(g->groups);
	memset(g, 0, sizeof(*g));
}

static bool is_of(const struct group *g, enum syscalls_by by, const struct syscalls_row *r)
{
	if (g->by != by || !g->source)
		return false;
	if (by == BY_PROCESS)
		return g->row.pid == r->pid && g->row.start_time_ns == r->start_time_ns;
	return g->row.nr == r->nr && !strcmp(g->row.abi ? g->row.abi : "", r->abi ? r->abi : "");
}

/* ---- finding the group of a row ----------------------------------------------- */

/* Groups by their keys: open addressing, a power of two, index + 1; 0 is free. */
struct index {
	u32 *slots, mask;
};

static u32 hash_of(enum syscalls_by by, const struct syscalls_row *r)
{
	u64 h = by == BY_PROCESS ? r->pid ^ (r->start_time_ns << 22) : r->nr;

	return (u32)((h * 0x9e3779b97f4a7c15ull) >> 32);
}

static void index_add(struct index *x, const struct groups *g, u32 i)
{
	u32 at = hash_of(g->groups[i]->by, &g->groups[i]->row) & x->mask;

	while (x->slots[at])
		at = (at + 1) & x->mask;
	x->slots[at] = i + 1;
}

/* Room for the groups there are and one more for each of n rows. */
static void index_make(struct index *x, const struct groups *g, u32 n)
{
	for (x->mask = 255; x->mask < (g->n + n) * 2; x->mask = x->mask * 2 + 1)
		;
	x->slots = xcalloc((size_t)x->mask + 1, sizeof(*x->slots));
	for (u32 i = 0; i < g->n; i++)
		index_add(x, g, i);
}

static struct group *index_find(const struct index *x, const struct groups *g,
				enum syscalls_by by, const struct syscalls_row *r)
{
	u32 at = hash_of(by, r) & x->mask;

	for (; x->slots[at]; at = (at + 1) & x->mask)
		if (is_of(g->groups[x->slots[at] - 1], by, r))
			return g->groups[x->slots[at] - 1];
	return NULL;
}

static struct group *group_new(struct groups *g, enum syscalls_by by)
{
	struct group *group = xcalloc(1, sizeof(*group));

	group->row.row.refs = 1;
	group->row.row.table = TABLE_syscalls;
	group->by = by;
	g->groups = grow(g->groups, g->n, &g->cap, sizeof(*g->groups));
	g->groups[g->n++] = group;
	return group;
}

/* ---- adding up ------------------------------------------------------------------- */

/* The first row of a group in this tick: its keys and texts, sums from 0. */
static void group_begin(struct group *g, enum syscalls_by by, const struct syscalls_row *r)
{
	struct syscalls_row *sum = &g->row;
	struct row head = sum->row;

	group_forget(g);
	g->source = row_get(&r->row);
	g->used = true;
	g->members = 0;
	*sum = *r;
	sum->row = head;
	sum->row.first_seen_ns = r->row.first_seen_ns;
	sum->hist = sum->hist_tick = NULL;
	sum->errnos = sum->waits_on = "";
	sum->rate = sum->error_rate = sum->time_rate = sum->hard_error_rate = 0;
	sum->in_flight = sum->in_flight_max_ns = sum->count = sum->errors = sum->total_ns = 0;
	if (by == BY_CALL) {
		sum->pid = sum->start_time_ns = U64_BLANK;
		sum->comm = g->many;
	} else {
		sum->nr = U64_BLANK;
		sum->abi = "";
		sum->syscall = g->many;
		sum->waits = 0;
	}
}

static void add_f32(float *sum, float v)
{
	if (f32_known(v))
		*sum += v;
}

static void add_u64(u64 *sum, u64 v)
{
	if (u64_known(v))
		*sum += v;
}

static void group_add(struct group *g, const struct syscalls_row *r)
{
	struct syscalls_row *sum = &g->row;
	const struct hist *tick = sum->hist_tick, *all = sum->hist;

	g->members++;
	add_f32(&sum->rate, r->rate);
	add_f32(&sum->error_rate, r->error_rate);
	add_f32(&sum->time_rate, r->time_rate);
	add_f32(&sum->hard_error_rate, r->hard_error_rate);
	add_u64(&sum->in_flight, r->in_flight);
	add_u64(&sum->count, r->count);
	add_u64(&sum->errors, r->errors);
	add_u64(&sum->total_ns, r->total_ns);
	if (u64_known(r->in_flight_max_ns))
		sum->in_flight_max_ns = max(sum->in_flight_max_ns, r->in_flight_max_ns);
	sum->hist_tick = hist_sum(tick, r->hist_tick);
	sum->hist = hist_sum(all, r->hist);
	hist_put(tick);
	hist_put(all);
}

static void group_end(struct group *g)
{
	struct syscalls_row *sum = &g->row;
	const struct hist *h = sum->hist_tick;
	bool any = h && h->count;

	snprintf(g->many, sizeof(g->many), g->by == BY_CALL ? "%u proc%s" : "%u call%s", g->members,
		 g->members == 1 ? "" : "s");
	sum->p50_ns = any ? hist_quantile(h, 0.5) : U64_BLANK;
	sum->p95_ns = any ? hist_quantile(h, 0.95) : U64_BLANK;
	sum->p99_ns = any ? hist_quantile(h, 0.99) : U64_BLANK;
	sum->max_ns = any ? h->max_ns : U64_BLANK;
	if (!sum->in_flight)
		sum->in_flight_max_ns = U64_BLANK;
}

/* Groups that nobody looks at any more go. */
static void drop_unused(struct groups *g)
{
	u32 n = 0;

	for (u32 i = 0; i < g->n; i++) {
		if (!g->groups[i]->used && g->groups[i]->row.row.refs == 1)
			group_drop(g->groups[i]);
		else
			g->groups[n++] = g->groups[i];
	}
	g->n = n;
}

u32 groups_make(struct groups *g, enum syscalls_by by, struct table_row *rows, u32 n)
{
	struct index x;
	u32 made = 0;

	for (u32 i = 0; i < g->n; i++)
		g->groups[i]->used = false;
	index_make(&x, g, n);
	for (u32 i = 0; i < n; i++) {
		const struct syscalls_row *r = (const struct syscalls_row *)rows[i].row;
		struct group *group = index_find(&x, g, by, r);
		bool is_new = !group;

		if (is_new)
			group = group_new(g, by);
		if (!group->used)
			group_begin(group, by, r);
		if (is_new)
			index_add(&x, g, g->n - 1);
		group_add(group, r);
	}
	free(x.slots);
	drop_unused(g);
	for (u32 i = 0; i < g->n; i++) {
		if (!g->groups[i]->used)
			continue;
		group_end(g->groups[i]);
		rows[made] = (struct table_row){ .row = &g->groups[i]->row.row, .order = made };
		made++;
	}
	return made;
}
