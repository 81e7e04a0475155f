// SPDX-License-Identifier: GPL-2.0-or-later
/* encoder.c: snapshots to bytes (format: codec.h). */
#include "bpf/model/index.h"
#include "bpf/record/codec.h"
#include "bpf/model/snapshot_build.h"

/* A group with more bytes of strings than this is followed by a new one. */
#define FULL_BYTES (2u << 20)

/* Interned strings of the group, with a reference each. */
struct dict {
	const char **strings;	/* by number */
	u32 n, cap;
	u64 bytes;
	struct index by_address;
};

struct encoder {
	const struct snapshot *prev;
	struct row *blank[N_TABLES];
	struct dict dict;
};

struct encoder *encoder_new(void)
{
	struct encoder *e = xcalloc(1, sizeof(*e));

	for (int t = 0; t < N_TABLES; t++)
		e->blank[t] = row_new(t);
	return e;
}

static void dict_clear(struct dict *d)
{
	for (u32 i = 0; i < d->n; i++)
		str_put(d->strings[i]);
	free(d->strings);
	index_free(&d->by_address);
	*d = (struct dict){ 0 };
}

void encoder_free(struct encoder *e)
{
	if (!e)
		return;
	dict_clear(&e->dict);
	for (int t = 0; t < N_TABLES; t++)
		row_put(e->blank[t]);
	snapshot_put(e->prev);
	free(e);
}

bool encoder_is_full(const struct encoder *e)
{
	return e->dict.bytes > FULL_BYTES;
}

/* The number of a string, or INDEX_NONE. */
static u32 dict_find(const struct dict *d, const char *s, u32 hash)
{
	u32 at = 0, id;

	do
		id = index_next(&d->by_address, hash, &at);
	while (id != INDEX_NONE && d->strings[id] != s);
	return id;
}

/* 0: NULL; 1: a new string follows; else its number + 2. */
static void put_str(struct dict *d, const char *s, struct buf_out *o)
{
	u32 hash = index_fold(((uintptr_t)s >> 4) * 0x9e3779b97f4a7c15ull), id;
	size_t len;

	if (!s) {
		buf_put_varint(o, 0);
		return;
	}
	id = dict_find(d, s, hash);
	if (id != INDEX_NONE) {
		buf_put_varint(o, (u64)id + 2);
		return;
	}
	len = strnlen(s, CODEC_MAX_STR);
	index_add(&d->by_address, hash, d->n);
	d->strings = grow(d->strings, d->n, &d->cap, sizeof(*d->strings));
	d->strings[d->n++] = str_get(s);
	d->bytes += len + 32;
	buf_put_varint(o, 1);
	buf_put_varint(o, len);
	buf_put_bytes(o, s, len);
}

/* Bucket counts, doubled; +1 if followed by the length of a run of empty buckets. */
static void put_counts(const struct hist *h, struct buf_out *o)
{
	for (u32 k = 0, gap; k < h->n; k += gap + 1) {
		for (gap = 0; k + gap + 1 < h->n && !h->counts[k + gap + 1]; gap++)
			;
		buf_put_varint(o, h->counts[k] << 1 | (gap > 0));
		if (gap)
			buf_put_varint(o, gap);
	}
}

static void put_hist(const struct hist *h, struct buf_out *o)
{
	buf_put_varint(o, h->n);
	buf_put_varint(o, h->zero);
	if (!h->n && !h->zero)
		return;
	buf_put_varint(o, h->sum_ns);
	buf_put_varint(o, h->min_ns);
	buf_put_varint(o, h->max_ns);
	if (!h->n)
		return;
	buf_put_varint(o, (u64)(h->offset - HIST_UNIT_OFFSET));
	put_counts(h, o);
}

static u8 tick_mode(const struct hist *tick, const struct hist *was)
{
	return !tick ? HT_NULL : hist_equal(tick, was) ? HT_SAME : HT_GIVEN;
}

static u8 cum_mode(const struct hist *cum, const struct hist *was, const struct hist *tick)
{
	const struct hist *sum;
	u8 mode = HC_GIVEN;

	if (!cum)
		return HC_NULL;
	if (hist_equal(cum, was))
		return HC_SAME;
	sum = hist_sum(was, tick);
	if (hist_equal(cum, sum))
		mode = HC_SUM;
	hist_put(sum);
	return mode;
}

static void put_hists(const struct row *r, const struct row *base, const struct field *f,
		      struct buf_out *o)
{
	const struct hist *cum = row_hist(r, f), *tick = row_hist_tick(r, f);
	const struct hist *was = base ? row_hist(base, f) : NULL;
	u8 t = tick_mode(tick, base ? row_hist_tick(base, f) : NULL);
	u8 c = cum_mode(cum, was, tick);

	buf_put_u8(o, (u8)(t | c << 2));
	if (t == HT_GIVEN)
		put_hist(tick, o);
	if (c == HC_GIVEN)
		put_hist(cum, o);
}

static bool field_differs(const struct row *r, const struct row *base, const struct field *f,
			  bool insert)
{
	switch (f->type) {
	case FT_U64:
		return row_u64(r, f) != row_u64(base, f);
	case FT_F32:
		return memcmp((const char *)r + f->offset, (const char *)base + f->offset,
			      sizeof(float));
	case FT_STR:
		return row_str(r, f) != row_str(base, f);
	case FT_HIST:	/* not compared with the neighbour's */
		if (insert)
			return row_hist(r, f) || row_hist_tick(r, f);
		return !hist_equal(row_hist(r, f), row_hist(base, f)) ||
		       !hist_equal(row_hist_tick(r, f), row_hist_tick(base, f));
	case FT_SUB:
		break;
	}
	return false;
}

static u64 row_mask(const struct row *r, const struct row *base, bool insert)
{
	const struct stored_table *w = &stored_schema_own()->tables[r->table];
	u64 mask = r->closed != base->closed || r->other != base->other ||
		   r->first_seen_ns != base->first_seen_ns;

	for (u32 i = 0; i < w->n; i++)
		if (field_differs(r, base, &table_descs[r->table].fields[w->fields[i].field],
				  insert))
			mask |= 2ull << i;
	return mask;
}

static void put_f32(const struct row *r, const struct field *f, struct buf_out *o)
{
	u32 bits;

	memcpy(&bits, (const char *)r + f->offset, sizeof(bits));
	buf_put_u32(o, bits);
}

static void put_row(struct encoder *e, const struct row *r, const struct row *base, u64 mask,
		    bool insert, struct buf_out *o)
{
	const struct stored_table *w = &stored_schema_own()->tables[r->table];

	buf_put_varint(o, mask);
	if (mask & 1) {
		buf_put_u8(o, (u8)(r->closed | r->other << 1));
		buf_put_zigzag(o, r->first_seen_ns - base->first_seen_ns);
	}
	for (u32 i = 0; i < w->n; i++) {
		const struct field *f = &table_descs[r->table].fields[w->fields[i].field];

		if (!(mask & 2ull << i))
			continue;
		if (f->type == FT_U64)
			buf_put_zigzag(o, row_u64(r, f) - row_u64(base, f));
		else if (f->type == FT_F32)
			put_f32(r, f, o);
		else if (f->type == FT_STR)
			put_str(&e->dict, row_str(r, f), o);
		else
			put_hists(r, insert ? NULL : base, f, o);
	}
}

static void put_op(struct buf_out *o, enum codec_op op, u32 *copies)
{
	buf_put_varint(o, (u64)*copies << 2 | op);
	*copies = 0;
}

/* Walks two lists sorted by key side by side. */
static void put_rows(struct encoder *e, const struct table *t, const struct table *was,
		     struct buf_out *o)
{
	u32 i = 0, j = 0, copies = 0;
	u64 mask;

	while (i < t->n || j < was->n) {
		int c = i == t->n ? 1 : j == was->n ? -1 : t->rows[i] == was->rows[j] ? 0 :
			row_cmp_keys(t->rows[i], was->rows[j]);

		if (c > 0) {
			put_op(o, OP_DROP, &copies);
			j++;
		} else if (c < 0) {
			const struct row *base = i ? t->rows[i - 1] : e->blank[t->rows[i]->table];

			put_op(o, OP_INSERT, &copies);
			put_row(e, t->rows[i], base, row_mask(t->rows[i], base, true), true, o);
			i++;
		} else {
			mask = t->rows[i] == was->rows[j] ? 0 :
			       row_mask(t->rows[i], was->rows[j], false);
			if (mask) {
				put_op(o, OP_CHANGE, &copies);
				put_row(e, t->rows[i], was->rows[j], mask, false, o);
			} else {
				copies++;
			}
			i++;
			j++;
		}
	}
	put_op(o, OP_END, &copies);
}

static bool same_rows(const struct table *a, const struct table *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->rows, b->rows, a->n * sizeof(*a->rows)));
}

static void put_table(struct encoder *e, const struct table *t, const struct table *was,
		      u64 interval_ns, struct buf_out *o)
{
	bool status = t->status != was->status || t->reason != was->reason;
	u8 flags = 0;

	if (!status && t->interval_ns == was->interval_ns && same_rows(t, was)) {
		buf_put_u8(o, TF_SAME);
		return;
	}
	flags |= status ? TF_STATUS : 0;
	flags |= t->interval_ns != interval_ns ? TF_INTERVAL : 0;
	buf_put_u8(o, flags);
	if (status) {
		buf_put_u8(o, (u8)t->status);
		put_str(&e->dict, t->reason, o);
	}
	if (flags & TF_INTERVAL)
		buf_put_varint(o, t->interval_ns);
	put_rows(e, t, was, o);
}

void encoder_tick(struct encoder *e, const struct snapshot *s, bool key, struct buf_out *o)
{
	static const struct table none;

	if (key)
		dict_clear(&e->dict);
	buf_put_u8(o, key ? TICK_KEY : 0);
	buf_put_varint(o, s->seq);
	buf_put_varint(o, s->time_ns);
	buf_put_zigzag(o, (u64)s->unix_offset_ns);
	buf_put_varint(o, s->interval_ns);
	for (int t = 0; t < N_TABLES; t++)
		put_table(e, &s->tables[t], key ? &none : &e->prev->tables[t], s->interval_ns, o);
	snapshot_put(e->prev);
	e->prev = snapshot_get(s);
}
