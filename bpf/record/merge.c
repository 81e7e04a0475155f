// SPDX-License-Identifier: GPL-2.0-or-later
/* merge.c: merges two neighbouring ticks. */
#include "bpf/record/merge.h"
#include "bpf/model/snapshot_build.h"

/* Shares of the two ticks in the merged interval. */
struct weights {
	double a, b;
};

static bool observed(const struct table *t)
{
	return t->status == TS_OK || t->status == TS_PARTIAL;
}

static struct weights weigh(const struct table *a, const struct table *b)
{
	double all = (double)a->interval_ns + (double)b->interval_ns;

	if (all <= 0)
		return (struct weights){ 0.5, 0.5 };
	return (struct weights){ (double)a->interval_ns / all, (double)b->interval_ns / all };
}

static float *f32_of(struct row *r, const struct field *f)
{
	return (float *)((char *)r + f->offset);
}

/* Whether any field depends on the interval's length; else the row is reused. */
static bool depends_on_interval(const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];

	for (u32 i = 0; i < d->n_fields; i++)
		if (d->fields[i].type == FT_HIST || d->fields[i].kind == FK_RATE ||
		    d->fields[i].kind == FK_SUM)
			return true;
	return false;
}

/*
 * A row of only one of the two ticks: its object did nothing in the other, so its rates are scaled.
 */
static const struct row *scale_row(const struct row *r, double share)
{
	const struct table_desc *d = &table_descs[r->table];
	struct row *copy;

	if (!depends_on_interval(r))
		return row_get(r);
	copy = row_clone(r, true);
	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];

		if (f->type == FT_F32 && f->kind == FK_RATE && f32_known(row_f32(r, f)))
			*f32_of(copy, f) = (float)(row_f32(r, f) * share);
	}
	return copy;
}

static void merge_rate(struct row *r, const struct row *a, const struct field *f,
		       struct weights w)
{
	float *v = f32_of(r, f), old = row_f32(a, f);

	if (!f32_known(old))
		return;
	*v = f32_known(*v) ? (float)(old * w.a + *v * w.b) : old;
}

static void merge_hist(struct row *r, const struct row *a, const struct field *f)
{
	const struct hist **tick = (const struct hist **)((char *)r + f->offset) + 1;
	const struct hist *sum = hist_sum(row_hist_tick(a, f), *tick);

	hist_put(*tick);
	*tick = sum;
}

static bool has_counts(const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];

	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];

		if (f->type == FT_HIST && row_hist_tick(r, f) && row_hist_tick(r, f)->count)
			return true;
		if (f->kind == FK_SUM)
			return true;
	}
	return false;
}

static void merge_sum(struct row *r, const struct row *a, const struct field *f)
{
	u64 *v = (u64 *)((char *)r + f->offset), old = row_u64(a, f);

	if (u64_known(old))
		*v = u64_known(*v) ? *v + old : old;
}

/* Merges the rows of an object that is in both ticks. */
static const struct row *merge_row(const struct row *a, const struct row *b, struct weights w)
{
	const struct table_desc *d = &table_descs[b->table];
	struct row *r;

	if ((a == b && !has_counts(b)) || !depends_on_interval(b))
		return row_get(b);
	r = row_clone(b, true);
	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];

		if (f->type == FT_F32 && f->kind == FK_RATE)
			merge_rate(r, a, f, w);
		else if (f->type == FT_HIST)
			merge_hist(r, a, f);
		else if (f->kind == FK_SUM)
			merge_sum(r, a, f);
	}
	row_quantiles(r);
	return r;
}

static void add_all(struct builder *b, const struct table *t)
{
	for (u32 i = 0; i < t->n; i++)
		builder_add(b, row_get(t->rows[i]));
}

static void merge_rows(struct builder *out, const struct table *a, const struct table *b)
{
	struct weights w = weigh(a, b);
	u32 i = 0, j = 0;

	while (i < a->n || j < b->n) {
		int c = i == a->n ? 1 : j == b->n ? -1 : row_cmp_keys(a->rows[i], b->rows[j]);

		if (c < 0)
			builder_add(out, scale_row(a->rows[i++], w.a));
		else if (c > 0)
			builder_add(out, scale_row(b->rows[j++], w.b));
		else
			builder_add(out, merge_row(a->rows[i++], b->rows[j++], w));
	}
}

/* A tick that did not observe the table is ignored. */
static void merge_table(struct builder *out, enum table_id t, const struct table *a,
			const struct table *b)
{
	const struct table *one = observed(a) && !observed(b) ? a : b;

	if (observed(a) && observed(b)) {
		builder_status(out, t, b->status, b->reason, a->interval_ns + b->interval_ns);
		merge_rows(out, a, b);
	} else {
		builder_status(out, t, one->status, one->reason, one->interval_ns);
		add_all(out, one);
	}
}

const struct snapshot *snapshot_merge(const struct snapshot *a, const struct snapshot *b)
{
	struct builder *out = builder_new(NULL, b->session);

	builder_time(out, b->seq, b->time_ns, b->unix_offset_ns,
		     a->interval_ns + b->interval_ns);
	for (int t = 0; t < N_TABLES; t++)
		merge_table(out, t, &a->tables[t], &b->tables[t]);
	return builder_seal(out);
}
