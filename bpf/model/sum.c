// SPDX-License-Identifier: GPL-2.0-or-later
/* sum.c: rows that stand for several of their table, added up by the kind of each column. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/snapshot_build.h"

struct row *row_sum_new(enum table_id t, size_t extra)
{
	struct row *sum = xcalloc(1, table_descs[t].row_size + extra);

	sum->refs = 1;
	sum->table = (u8)t;
	sum->sum = true;
	return sum;
}

static const char **str_at(struct row *r, u32 offset)
{
	return (const char **)((char *)r + offset);
}

static const struct hist **hist_at(struct row *r, u32 offset)
{
	return (const struct hist **)((char *)r + offset);
}

/* The references that a row holds: taken, or given back. */
static void hold(struct row *r, bool get)
{
	const struct table_desc *d = &table_descs[r->table];

	for (u32 i = 0; i < d->n_strs; i++)
		get ? (void)str_get(*str_at(r, d->strs[i])) : str_put(*str_at(r, d->strs[i]));
	for (u32 i = 0; i < d->n_hists * 2; i++) {
		const struct hist *h = hist_at(r, d->hists[i / 2])[i % 2];

		get ? (void)hist_get(h) : hist_put(h);
	}
}

void row_sum_begin(struct row *sum, const struct row *r)
{
	u32 head = sizeof(struct row);

	hold(sum, false);
	memcpy((char *)sum + head, (const char *)r + head, table_descs[r->table].row_size - head);
	hold(sum, true);
	sum->first_seen_ns = r->first_seen_ns;
	sum->closed = r->closed;
}

static void add_f32(float *to, float v)
{
	if (f32_known(v))
		*to = (f32_known(*to) ? *to : 0) + v;
}

static void add_u64(u64 *to, u64 v)
{
	if (u64_known(v))
		*to = (u64_known(*to) ? *to : 0) + v;
}

static void add_hist(const struct hist **to, const struct hist *h)
{
	const struct hist *sum = hist_sum(*to, h);

	hist_put(*to);
	*to = sum;
}

/* Of durations that are a level (ages, round-trip times) the longest tells something, the sum nothing. */
static bool is_age(const struct field *f)
{
	return f->kind == FK_GAUGE && f->format == FF_NS;
}

static bool adds_up(const struct field *f)
{
	return f->kind == FK_RATE || f->kind == FK_COUNTER || f->kind == FK_SUM ||
	       (f->kind == FK_GAUGE && !is_age(f)) || (f->kind == FK_INTERNAL && f->type == FT_F32);
}

static void add_field(struct row *sum, const struct row *r, const struct field *f)
{
	void *to = (char *)sum + f->offset;

	if (f->type == FT_F32)
		add_f32(to, row_f32(r, f));
	else if (f->type == FT_U64)
		add_u64(to, row_u64(r, f));
}

void row_add_numbers(struct row *sum, const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];

	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];

		if (f->type == FT_HIST) {
			add_hist(hist_at(sum, f->offset), row_hist(r, f));
			add_hist(hist_at(sum, f->offset) + 1, row_hist_tick(r, f));
		} else if (adds_up(f) && !(r->closed && f->kind == FK_GAUGE)) {
			add_field(sum, r, f);
		}
	}
}

static void blank(struct row *sum, const struct field *f)
{
	const char *text = f->type == FT_STR ? row_str(sum, f) : NULL;

	if (f->type == FT_STR && !(text && !*text))
		row_sum_text(sum, f, "");
	else if (f->type == FT_U64)
		*(u64 *)((char *)sum + f->offset) = U64_BLANK;
	else if (f->type == FT_F32)
		*(float *)((char *)sum + f->offset) = F32_BLANK;
}

static void keep_longest(struct row *sum, const struct row *r, const struct field *f)
{
	u64 *to = (u64 *)((char *)sum + f->offset), v = row_u64(r, f);

	if (u64_known(v) && !r->closed && (!u64_known(*to) || v > *to))
		*to = v;
}

/* What does not add up is that of all of them, or nothing. */
static void keep_alike(struct row *sum, const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];

	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];

		if (is_age(f))
			keep_longest(sum, r, f);
		else if (f->type == FT_STR ? row_str(sum, f) != row_str(r, f) :
			 f->type == FT_U64 && !adds_up(f) && row_u64(sum, f) != row_u64(r, f))
			blank(sum, f);
	}
}

void row_sum_add(struct row *sum, const struct row *r)
{
	/* the levels that it began with were those of something that has ended */
	if (sum->closed && !r->closed) {
		const struct table_desc *d = &table_descs[r->table];

		for (u32 i = 0; i < d->n_fields; i++)
			if (d->fields[i].kind == FK_GAUGE)
				blank(sum, &d->fields[i]);
		sum->closed = false;
	}
	keep_alike(sum, r);
	row_add_numbers(sum, r);
}

void row_sum_blank(struct row *sum, const struct field *const *keep, u32 n)
{
	const struct table_desc *d = &table_descs[sum->table];

	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];
		bool kept = is_age(f) || adds_up(f) || f->type == FT_HIST;

		for (u32 k = 0; k < n; k++)
			kept |= keep[k] == f;
		if (!kept)
			blank(sum, f);
	}
}

void row_sum_text(struct row *sum, const struct field *f, const char *text)
{
	str_set(str_at(sum, f->offset), str_new(text));
}

void row_sum_end(struct row *sum)
{
	row_quantiles(sum);
}
