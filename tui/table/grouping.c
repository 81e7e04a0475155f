// SPDX-License-Identifier: GPL-2.0-or-later
/* grouping.c: aggregates rows of a table by some of its columns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "bpf/model/index.h"
#include "tui/table/grouping.h"
#include "tui/table/table.h"

/* Numbers by value, texts by address, because they are interned. */
struct key {
	u64 value[GROUP_FIELDS];
};

/* Stored after the row of a group. */
struct group {
	const struct grouping *by;
	const struct field *field[GROUP_FIELDS];
	struct key key;
	bool used;		/* in this tick */
	u32 n, members;		/* rows; live rows */
	u32 first_row, filled;	/* its range in the array of all member rows */
	struct { const struct row *of; const char *text; u32 n; } names[GROUP_NAMES];
	u32 n_names, other_names;
	u32 n_values, first_value;
	u64 p50, p99;
};

static struct group *group_of(const struct row *sum)
{
	return (struct group *)((char *)sum + table_descs[sum->table].row_size);
}

static const struct field *field_of(const struct row *r, const char *name)
{
	int f = name ? table_field(r->table, name) : -1;

	return f < 0 ? NULL : &table_descs[r->table].fields[f];
}

/* ---- keys ------------------------------------------------------------------------ */

struct lookup {
	const struct grouping *by;
	const struct field *key[GROUP_FIELDS], *names, *spread;
	struct sum_plan plan;
	struct index places;	/* of groups, by key */
};

static void look_up(struct lookup *l, const struct grouping *by, const struct row *any)
{
	*l = (struct lookup){ .by = by, .names = field_of(any, by->names), .spread = field_of(any, by->spread) };
	for (u32 i = 0; i < GROUP_FIELDS && by->fields[i]; i++)
		l->key[i] = field_of(any, by->fields[i]);
	sum_plan_make(&l->plan, any->table);
}

static struct key key_of(const struct grouping *by, const struct field *const *fields, const struct row *r)
{
	struct key k = { { 0 } };

	for (u32 i = 0; i < GROUP_FIELDS && fields[i]; i++)
		k.value[i] = !i && by->number ? by->number(r) :
			     fields[i]->type == FT_STR ? (u64)(uintptr_t)row_str(r, fields[i]) :
			     row_u64(r, fields[i]);
	return k;
}

static bool key_equal(const struct key *a, const struct key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static u32 key_hash(const struct key *k)
{
	return hash_bytes(k, sizeof(*k));
}

static struct row *find_group(const struct lookup *l, const struct groups *g, const struct key *k)
{
	for (u32 at = 0, i; (i = index_next(&l->places, key_hash(k), &at)) != INDEX_NONE;)
		if (group_of(g->rows[i])->by == l->by && key_equal(&group_of(g->rows[i])->key, k))
			return g->rows[i];
	return NULL;
}

/* ---- life of a group ------------------------------------------------------------- */

static void forget_names(struct group *g)
{
	for (u32 i = 0; i < g->n_names; i++)
		row_put(g->names[i].of);
	g->n_names = g->other_names = 0;
}

/* Other holders of the row keep its values. */
static void group_drop(struct row *sum)
{
	forget_names(group_of(sum));
	row_put(sum);
}

void groups_free(struct groups *g)
{
	for (u32 i = 0; i < g->n; i++)
		group_drop(g->rows[i]);
	free(g->rows);
	free(g->added);
	memset(g, 0, sizeof(*g));
}

static void drop_unused(struct groups *g)
{
	u32 n = 0;

	for (u32 i = 0; i < g->n; i++) {
		if (group_of(g->rows[i])->used || g->rows[i]->refs > 1)
			g->rows[n++] = g->rows[i];
		else
			group_drop(g->rows[i]);
	}
	g->n = n;
}

static struct row *group_new(struct groups *g, struct lookup *l, enum table_id t, const struct key *k)
{
	struct row *sum = row_sum_new(t, sizeof(struct group));

	group_of(sum)->by = l->by;
	memcpy(group_of(sum)->field, l->key, sizeof(l->key));
	group_of(sum)->key = *k;
	g->rows = grow(g->rows, g->n, &g->cap, sizeof(*g->rows));
	g->rows[g->n++] = sum;
	index_add(&l->places, key_hash(k), g->n - 1);
	return sum;
}

/* ---- adding up ------------------------------------------------------------------- */

static void add_name(struct group *g, const struct row *r, const char *text)
{
	for (u32 i = 0; i < g->n_names; i++) {
		if (g->names[i].text == text) {
			g->names[i].n++;
			return;
		}
	}
	if (g->n_names == GROUP_NAMES) {
		g->other_names++;
		return;
	}
	g->names[g->n_names].of = row_get(r);
	g->names[g->n_names].text = text;
	g->names[g->n_names++].n = 1;
}

static void add_row(const struct lookup *l, struct row *sum, const struct row *r)
{
	struct group *g = group_of(sum);

	if (!g->used) {
		forget_names(g);
		g->n = g->members = g->n_values = 0;
		g->used = true;
	}
	if (!g->n++)
		row_sum_begin(sum, r);
	else
		row_sum_add(&l->plan, sum, r);
	g->n_values += l->spread && u64_known(row_u64(r, l->spread));
	if (r->closed)
		return;
	g->members++;
	if (l->names)
		add_name(g, r, row_str(r, l->names));
}

/* Replaces the member's sum by the group's own number. */
static void set_number(const struct lookup *l, struct row *sum)
{
	if (l->by->number && l->key[0]->type == FT_U64)
		*(u64 *)((char *)sum + l->key[0]->offset) = group_of(sum)->key.value[0];
}

static void set_count(const struct grouping *by, struct row *sum)
{
	char text[48];
	u32 n = group_of(sum)->n;

	snprintf(text, sizeof(text), "%u %s%s", n, by->noun, text_plural(n, "s"));
	row_sum_text(sum, field_of(sum, by->counts), text);
}

/* A member's state is not the group's, unless it is a key. */
static void blank_states(const struct lookup *l, struct row *sum)
{
	const struct table_desc *d = &table_descs[sum->table];

	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];
		bool kept = f->format != FF_STATE || group_of(sum)->n == 1;

		for (u32 k = 0; k < GROUP_FIELDS; k++)
			kept |= l->key[k] == f;
		if (!kept)
			row_sum_text(sum, f, "");
	}
}

static void group_end(const struct lookup *l, struct row *sum)
{
	blank_states(l, sum);
	if (l->by->counts) {
		row_sum_blank(sum, l->key, GROUP_FIELDS);
		set_count(l->by, sum);
	}
	set_number(l, sum);
	row_sum_end(sum);
	if (l->by->finish)
		l->by->finish(sum);
}

/* ---- quantiles over the members ---------------------------------------------------- */

static void set_quantiles(struct group *g, u64 *values)
{
	qsort(values, g->n_values, sizeof(*values), u64_order);
	g->p50 = g->n_values ? values[(g->n_values - 1) / 2] : U64_BLANK;
	g->p99 = g->n_values ? values[(u32)((u64)(g->n_values - 1) * 99 / 100)] : U64_BLANK;
}

/* Collects the values of each group, sorted. of: the group of each row, or NULL. */
static void spread(const struct lookup *l, struct groups *g, struct row *const *of,
		   const struct table_row *rows, u32 n)
{
	u64 *values;
	u32 total = 0;

	for (u32 i = 0; i < g->n; i++) {
		struct group *group = group_of(g->rows[i]);

		group->first_value = total;
		total += group->used ? group->n_values : 0;
		group->n_values = 0;
	}
	values = xcalloc((size_t)total + 1, sizeof(*values));
	for (u32 i = 0; i < n; i++) {
		struct group *group = of[i] ? group_of(of[i]) : NULL;

		if (group && u64_known(row_u64(rows[i].row, l->spread)))
			values[group->first_value + group->n_values++] = row_u64(rows[i].row, l->spread);
	}
	for (u32 i = 0; i < g->n; i++)
		set_quantiles(group_of(g->rows[i]), values + group_of(g->rows[i])->first_value);
	free(values);
}

/* ---- grouping ---------------------------------------------------------------------- */

static void add_rows(struct lookup *l, struct groups *g, struct row **of, const struct table_row *rows, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		struct key k;

		if (rows[i].past)
			continue;
		k = key_of(l->by, l->key, rows[i].row);
		of[i] = find_group(l, g, &k) ?: group_new(g, l, rows[i].row->table, &k);
		add_row(l, of[i], rows[i].row);
	}
}

/* Collects the rows of each group, which a search looks into. */
static void gather(struct groups *g, struct row *const *of, const struct table_row *rows, u32 n)
{
	u32 total = 0;

	for (u32 i = 0; i < g->n; i++) {
		struct group *group = group_of(g->rows[i]);

		group->first_row = total;
		group->filled = 0;
		total += group->used ? group->n : 0;
	}
	free(g->added);
	g->added = xcalloc((size_t)total + 1, sizeof(*g->added));
	for (u32 i = 0; i < n; i++) {
		struct group *group = of[i] ? group_of(of[i]) : NULL;

		if (group)
			g->added[group->first_row + group->filled++] = rows[i].row;
	}
}

u32 groups_make(struct groups *g, const struct grouping *by, struct table_row *rows, u32 n)
{
	struct row **of = xcalloc((size_t)n + 1, sizeof(*of));
	struct lookup l;
	u32 made = 0;

	for (u32 i = 0; i < g->n; i++)
		group_of(g->rows[i])->used = false;
	if (n) {
		look_up(&l, by, rows[0].row);
		for (u32 i = 0; i < g->n; i++)
			index_add(&l.places, key_hash(&group_of(g->rows[i])->key), i);
		add_rows(&l, g, of, rows, n);
		index_free(&l.places);
		if (l.spread)
			spread(&l, g, of, rows, n);
		gather(g, of, rows, n);
	}
	free(of);
	drop_unused(g);
	g->members = 0;
	for (u32 i = 0; i < g->n; i++) {
		struct row *sum = g->rows[i];

		if (!group_of(sum)->used)
			continue;
		group_end(&l, sum);
		g->members += group_of(sum)->members;
		rows[made] = (struct table_row){ .row = sum, .order = made,
						 .mark = group_members(sum) ? MARK_none : MARK_gone };
		made++;
	}
	return made;
}

/* ---- a single group ------------------------------------------------------------------ */

const struct grouping *group_by(const struct row *sum)
{
	return group_of(sum)->by;
}

bool group_has(const struct row *sum, const struct row *r)
{
	const struct group *g = group_of(sum);
	struct key k = key_of(g->by, g->field, r);

	return key_equal(&k, &g->key);
}

u32 group_members(const struct row *sum)
{
	return group_of(sum)->members;
}

const struct row *group_row(const struct groups *g, const struct row *sum, u32 i)
{
	return i < group_of(sum)->n ? g->added[group_of(sum)->first_row + i] : NULL;
}

bool group_is_one(const struct row *sum)
{
	return group_of(sum)->n == 1;
}

char *group_label(const struct row *sum, char *buf, size_t cap)
{
	const struct grouping *by = group_of(sum)->by;

	*buf = '\0';
	for (u32 i = 0; i < GROUP_FIELDS && group_of(sum)->field[i]; i++) {
		const struct field *f = group_of(sum)->field[i];
		const char *text = f->type == FT_STR ? row_str(sum, f) : "?";

		if (f->kind == FK_INTERNAL || (text && !*text))
			continue;
		if (f->type == FT_STR)
			text_add(buf, cap, " ", "%s", text ? text : "?");
		else if (u64_known(row_u64(sum, f)))
			text_add(buf, cap, " ", "%s %llu", by->title, (unsigned long long)row_u64(sum, f));
		else
			text_add(buf, cap, " ", "?");
	}
	if (!*buf)
		snprintf(buf, cap, "none");
	return buf;
}

const char *group_name(const struct row *sum, u32 i, u32 *ret_n)
{
	const struct group *g = group_of(sum);

	*ret_n = i < g->n_names ? g->names[i].n : g->other_names;
	if (i >= g->n_names)
		return NULL;
	return g->names[i].text ? g->names[i].text : "?";
}

u64 group_p50(const struct row *sum)
{
	return group_of(sum)->p50;
}

u64 group_p99(const struct row *sum)
{
	return group_of(sum)->p99;
}

/* ---- columns --------------------------------------------------------------------------- */

static u32 style_of(const struct table_row *tr)
{
	return tr->tagged ? ROLE_text | S_BOLD : ROLE_text;
}

void group_draw_count(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	char buf[FORMAT_MAX];

	canvas_right(c, row, col, width, style_of(tr), format_count(buf, group_members(tr->row)));
}

static void draw_ns(struct canvas *c, int row, int col, int width, const struct table_row *tr, u64 ns)
{
	char buf[FORMAT_MAX];

	if (u64_known(ns))
		canvas_right(c, row, col, width, style_of(tr), format_ns(buf, (double)ns));
}

void group_draw_p50(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	draw_ns(c, row, col, width, tr, group_p50(tr->row));
}

void group_draw_p99(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	draw_ns(c, row, col, width, tr, group_p99(tr->row));
}

double group_number_count(const struct row *sum)
{
	return group_members(sum);
}

double group_number_p50(const struct row *sum)
{
	return u64_known(group_p50(sum)) ? (double)group_p50(sum) : -1;
}

double group_number_p99(const struct row *sum)
{
	return u64_known(group_p99(sum)) ? (double)group_p99(sum) : -1;
}
