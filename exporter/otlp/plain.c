// SPDX-License-Identifier: GPL-2.0-or-later
/* plain.c: see plain.h. */
#include <stdlib.h>

#include "exporter/otlp/plain.h"

#define ROWS_MAX 1000	/* limit for each table: users can create any number of interfaces */

static const enum table_id tables[] = { TABLE_host, TABLE_cpus, TABLE_interfaces, TABLE_drops, TABLE_self };

struct plain_table {
	struct otlp_metric *metrics;
	u32 n_metrics;
	const struct row **exported;	/* rows of the last export; counted */
	u32 n_exported;
};

struct otlp_plain {
	struct plain_table tables[ARRAY_SIZE(tables)];
};

u64 otlp_plain_tables(void)
{
	u64 bits = 0;

	for (u32 i = 0; i < ARRAY_SIZE(tables); i++)
		bits |= TABLE_BIT(tables[i]);
	return bits;
}

static void find_metrics(struct plain_table *x, enum table_id t)
{
	const struct table_desc *d = &table_descs[t];

	x->metrics = xcalloc(d->n_fields, sizeof(*x->metrics));
	for (u32 k = 0; k < d->n_fields; k++) {
		struct otlp_metric *m = &x->metrics[x->n_metrics];

		if (otlp_metric_of(&d->fields[k], m) && m->kind != OTLP_ATTRIBUTE && m->kind != OTLP_HISTOGRAM)
			x->n_metrics++;
	}
}

struct otlp_plain *otlp_plain_new(void)
{
	struct otlp_plain *p = xcalloc(1, sizeof(*p));

	for (u32 i = 0; i < ARRAY_SIZE(tables); i++)
		find_metrics(&p->tables[i], tables[i]);
	return p;
}

/* Start of a row's counters (CLOCK_BOOTTIME). Those of interfaces are counted by the kernel. */
static u64 start_of_row(const struct snapshot *s, const struct row *r)
{
	if (r->table == TABLE_interfaces)
		return 0;
	return r->first_seen_ns ? r->first_seen_ns : s->session->start_ns;
}

static bool has_value(const struct row *r, const struct field *f)
{
	return f->type == FT_F32 ? f32_known(row_f32(r, f)) : u64_known(row_u64(r, f));
}

/* Different attributes (a namespace got a name) make a different series. */
static bool is_same_series(const struct attributes *a, const struct attributes *b)
{
	return message_hash(0, a->attributes, a->n_attributes) ==
	       message_hash(0, b->attributes, b->n_attributes);
}

/* Ends the series of `was`; `now` is the row with the same keys, or NULL. */
static void end_row(const struct plain_table *x, const struct snapshot *s, const struct row *was,
		    const struct row *now, struct metrics *m)
{
	struct attributes old = { 0 }, new = { 0 };

	message_add_row(m->scratch, &old, was);
	if (now)
		message_add_row(m->scratch, &new, now);
	if (now && !is_same_series(&old, &new))
		now = NULL;
	for (u32 k = 0; k < x->n_metrics; k++) {
		const struct field *f = x->metrics[k].field;

		if (m->deltas && x->metrics[k].kind == OTLP_COUNTER)
			continue;	/* only gauges are ended */
		if (has_value(was, f) && !(now && has_value(now, f)))
			metrics_ended(m, &x->metrics[k], &old, start_of_row(s, was));
	}
}

/* Merges two lists ordered by key. */
static void end_rows(const struct plain_table *x, const struct snapshot *s, const struct table *t, u32 n,
		     struct metrics *m)
{
	u32 k = 0;

	for (u32 i = 0; i < x->n_exported; i++) {
		const struct row *was = x->exported[i];
		int order = -1;

		while (k < n && (order = row_cmp_keys(t->rows[k], was)) < 0)
			k++;
		if (k >= n || t->rows[k] != was)
			end_row(x, s, was, k < n && !order ? t->rows[k] : NULL, m);
	}
}

static void forget_told(struct plain_table *x)
{
	for (u32 i = 0; i < x->n_exported; i++)
		row_put(x->exported[i]);
	free(x->exported);
	x->exported = NULL;
	x->n_exported = 0;
}

static void set_told(struct plain_table *x, const struct table *t, u32 n)
{
	forget_told(x);
	x->exported = xmalloc((n + 1) * sizeof(*x->exported));
	for (; x->n_exported < n; x->n_exported++)
		x->exported[x->n_exported] = row_get(t->rows[x->n_exported]);
}

static void put_row(const struct plain_table *x, const struct snapshot *s, const struct row *r, struct metrics *m)
{
	struct attributes a = { 0 };
	u64 start = start_of_row(s, r);

	message_add_row(m->scratch, &a, r);
	for (u32 k = 0; k < x->n_metrics; k++)
		metrics_value(m, &x->metrics[k], &a, start, r);
}

void otlp_plain_export(struct otlp_plain *p, const struct snapshot *s, struct metrics *m)
{
	for (u32 i = 0; i < ARRAY_SIZE(tables); i++) {
		const struct table *t = &s->tables[tables[i]];
		u32 n = min(t->n, (u32)ROWS_MAX);

		for (u32 k = 0; k < n; k++)
			put_row(&p->tables[i], s, t->rows[k], m);
		end_rows(&p->tables[i], s, t, n, m);
		set_told(&p->tables[i], t, n);
	}
}

void otlp_plain_free(struct otlp_plain *p)
{
	if (!p)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(tables); i++) {
		forget_told(&p->tables[i]);
		free(p->tables[i].metrics);
	}
	free(p);
}
