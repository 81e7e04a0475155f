// SPDX-License-Identifier: GPL-2.0-or-later
/* sum.c: rows that are sums of several, by the kind of each column. */
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

/* Takes or releases the references of a row. */
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

/* Durations that are levels (ages, round-trip times): only the maximum is meaningful. */
static bool is_age(const struct field *f)
{
	return f->kind == FK_GAUGE && f->format == FF_NS;
}

static bool adds_up(const struct field *f)
{
	return f->kind == FK_RATE || f->kind == FK_COUNTER || f->kind == FK_SUM ||
	       (f->kind == FK_GAUGE && !is_age(f)) || (f->kind == FK_INTERNAL && f->type == FT_F32);
}

static enum sum_op op_of(const struct field *f)
{
	bool level = f->kind == FK_GAUGE;

	if (f->type == FT_HIST)
		return SUM_HIST;
	if (f->type == FT_F32 && adds_up(f))
		return level ? SUM_LEVEL_F32 : SUM_F32;
	if (f->type == FT_U64 && adds_up(f))
		return level ? SUM_LEVEL_U64 : SUM_U64;
	if (is_age(f))
		return SUM_AGE;
	return f->type == FT_STR ? SUM_SAME_STR : f->type == FT_U64 && f->kind != FK_QUANTILE ? SUM_SAME_U64 : SUM_NOTHING;
}

/* Members of one op are contiguous: no decision per member and row. */
void sum_plan_make(struct sum_plan *p, enum table_id t)
{
	const struct table_desc *d = &table_descs[t];
	u32 n = 0;

	for (u32 op = 0; op < SUM_NOTHING; op++) {
		for (u32 i = 0; i < d->n_fields; i++)
			if (op_of(&d->fields[i]) == op && n < SUM_FIELDS)
				p->offsets[n++] = d->fields[i].offset;
		p->end[op] = (u8)n;
	}
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

#define each_offset(p, op, i) \
	for (u32 i = (op) ? (p)->end[(op) - 1] : 0; i < (p)->end[op]; i++)
#define member(r, type, offset) ((type *)((char *)(r) + (offset)))

static void add_f32s(const struct sum_plan *p, enum sum_op op, struct row *sum, const struct row *r)
{
	each_offset(p, op, i)
		add_f32(member(sum, float, p->offsets[i]), *member(r, float, p->offsets[i]));
}

static void add_u64s(const struct sum_plan *p, enum sum_op op, struct row *sum, const struct row *r)
{
	each_offset(p, op, i)
		add_u64(member(sum, u64, p->offsets[i]), *member(r, u64, p->offsets[i]));
}

void row_add_numbers(const struct sum_plan *p, struct row *sum, const struct row *r)
{
	add_f32s(p, SUM_F32, sum, r);
	add_u64s(p, SUM_U64, sum, r);
	if (!r->closed) {
		add_f32s(p, SUM_LEVEL_F32, sum, r);
		add_u64s(p, SUM_LEVEL_U64, sum, r);
	}
	each_offset(p, SUM_HIST, i) {
		hist_merge(hist_at(sum, p->offsets[i]), hist_at((struct row *)r, p->offsets[i])[0]);
		hist_merge(hist_at(sum, p->offsets[i]) + 1, hist_at((struct row *)r, p->offsets[i])[1]);
	}
}

static void blank_str(struct row *sum, u32 offset)
{
	const char **text = str_at(sum, offset);

	if (!*text || **text)
		str_set(text, str_new(""));
}

static void blank(struct row *sum, const struct field *f)
{
	if (f->type == FT_STR)
		blank_str(sum, f->offset);
	else if (f->type == FT_U64)
		*member(sum, u64, f->offset) = U64_BLANK;
	else if (f->type == FT_F32)
		*member(sum, float, f->offset) = F32_BLANK;
}

static void keep_longest(const struct sum_plan *p, struct row *sum, const struct row *r)
{
	each_offset(p, SUM_AGE, i) {
		u64 *to = member(sum, u64, p->offsets[i]), v = *member(r, u64, p->offsets[i]);

		if (u64_known(v) && (!u64_known(*to) || v > *to))
			*to = v;
	}
}

/* Columns that are not summed: the value common to all, or blank. */
static void keep_alike(const struct sum_plan *p, struct row *sum, const struct row *r)
{
	each_offset(p, SUM_SAME_STR, i)
		if (*str_at(sum, p->offsets[i]) != *str_at((struct row *)r, p->offsets[i]))
			blank_str(sum, p->offsets[i]);
	each_offset(p, SUM_SAME_U64, i)
		if (*member(sum, u64, p->offsets[i]) != *member(r, u64, p->offsets[i]))
			*member(sum, u64, p->offsets[i]) = U64_BLANK;
}

void row_sum_add(const struct sum_plan *p, struct row *sum, const struct row *r)
{
	/* the first row had ended: its levels do not count */
	if (sum->closed && !r->closed) {
		const struct table_desc *d = &table_descs[r->table];

		for (u32 i = 0; i < d->n_fields; i++)
			if (d->fields[i].kind == FK_GAUGE)
				blank(sum, &d->fields[i]);
		sum->closed = false;
	}
	keep_alike(p, sum, r);
	if (!r->closed)
		keep_longest(p, sum, r);
	row_add_numbers(p, sum, r);
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
