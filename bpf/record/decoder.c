// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * decoder.c: bytes to snapshots (codec.h). Input is untrusted: reads and allocations are bounded.
 */
#include <errno.h>

#include "bpf/record/codec.h"
#include "bpf/model/snapshot_build.h"

/* A table as of the last tick, in the recording's order: another version may have other keys. */
struct dtable {
	enum table_status status;
	const char *reason;
	u64 interval_ns;
	const struct row **rows;
	u32 n, cap;
};

struct decoder {
	const struct stored_schema *schema;
	const struct session *session;
	const struct snapshot *like;	/* or NULL; no reference */
	struct tick_head head;
	bool valid;		/* a tick was decoded since the last error */
	struct dtable *tables;
	u64 row_bytes;		/* size of the rows of all tables */
	const char **dict;
	u32 n_dict, cap_dict;
	u64 dict_bytes;
};

struct decoder *decoder_new(const struct stored_schema *schema, const struct session *session)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	d->schema = schema;
	d->session = session;
	d->tables = xcalloc(schema->n + 1, sizeof(*d->tables));
	return d;
}

static void dtable_clear(struct dtable *t)
{
	for (u32 i = 0; i < t->n; i++)
		row_put(t->rows[i]);
	free(t->rows);
	str_put(t->reason);
	*t = (struct dtable){ 0 };
}

static void decoder_reset(struct decoder *d)
{
	for (u32 t = 0; t < d->schema->n; t++)
		dtable_clear(&d->tables[t]);
	for (u32 i = 0; i < d->n_dict; i++)
		str_put(d->dict[i]);
	free(d->dict);
	d->dict = NULL;
	d->n_dict = d->cap_dict = 0;
	d->dict_bytes = d->row_bytes = 0;
	d->valid = false;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	decoder_reset(d);
	free(d->tables);
	free(d);
}

void decoder_like(struct decoder *d, const struct snapshot *like)
{
	d->like = like;
}

static const char *new_str(struct decoder *d, struct buf_in *in)
{
	u64 n = buf_get_max(in, CODEC_MAX_STR);
	const u8 *p = buf_get_bytes(in, n);

	d->dict_bytes += n + 64;
	if (!p || d->n_dict >= CODEC_MAX_STRINGS || d->dict_bytes > CODEC_MAX_STRING_BYTES) {
		in->bad = true;
		return NULL;
	}
	d->dict = grow(d->dict, d->n_dict, &d->cap_dict, sizeof(*d->dict));
	return d->dict[d->n_dict++] = str_newn((const char *)p, n);
}

/* A string owned by the dictionary, or NULL. */
static const char *get_str(struct decoder *d, struct buf_in *in)
{
	u64 id = buf_get_varint(in);

	if (id == 0 || in->bad)
		return NULL;
	if (id == 1)
		return new_str(d, in);
	if (id - 2 < d->n_dict)
		return d->dict[id - 2];
	in->bad = true;
	return NULL;
}

static void get_counts(struct buf_in *in, struct hist_acc *a, u32 j, u32 end)
{
	while (j < end && !in->bad) {
		u64 v = buf_get_varint(in);

		a->counts[j++] = v >> 1;
		a->count += v >> 1;
		if (v >> 1 > CODEC_MAX_COUNT || a->count > CODEC_MAX_COUNT)
			in->bad = true;
		if (v & 1)
			j += (u32)buf_get_max(in, end - j);
	}
}

/* A histogram (one reference), or NULL if damaged. */
static const struct hist *get_hist(struct buf_in *in)
{
	u32 n = (u32)buf_get_max(in, HIST_BUCKETS), first;
	struct hist_acc a;

	memset(&a, 0, sizeof(a));
	a.zero = a.count = buf_get_max(in, CODEC_MAX_COUNT);
	if (n || a.zero) {
		a.sum_ns = buf_get_varint(in);
		a.min_ns = buf_get_varint(in);
		a.max_ns = buf_get_varint(in);
	}
	if (n) {
		first = (u32)buf_get_max(in, HIST_BUCKETS - n);
		get_counts(in, &a, first, first + n);
	}
	return in->bad ? NULL : hist_seal(&a);
}

/* The sum of two histograms, bounded. */
static const struct hist *get_sum(struct buf_in *in, const struct hist *was,
				  const struct hist *tick)
{
	if (was && tick && was->count + tick->count > CODEC_MAX_COUNT) {
		in->bad = true;
		return NULL;
	}
	return hist_sum(was, tick);
}

/* Updates both histograms of a row; in_row NULL: skips them. */
static void get_hists(struct buf_in *in, const struct hist **in_row)
{
	const struct hist *cum = NULL, *tick = NULL;
	u8 mode = buf_get_u8(in), t = mode & 3, c = mode >> 2;

	if (t > HT_SAME || c > HC_SUM)
		in->bad = true;
	if (t == HT_GIVEN)
		tick = get_hist(in);
	else if (t == HT_SAME && in_row)
		tick = hist_get(in_row[1]);
	if (c == HC_GIVEN)
		cum = get_hist(in);
	else if (c == HC_SAME && in_row)
		cum = hist_get(in_row[0]);
	else if (c == HC_SUM && in_row)
		cum = get_sum(in, in_row[0], tick);
	if (!in_row) {
		hist_put(cum);
		hist_put(tick);
		return;
	}
	hist_put(in_row[0]);
	hist_put(in_row[1]);
	in_row[0] = cum;
	in_row[1] = tick;
}

/* Reads a value into the row; skips it if the field or table is unknown. */
static void get_value(struct decoder *d, struct buf_in *in, const struct stored_field *w,
		      struct row *r)
{
	bool ours = r && w->field >= 0;
	char *p = ours ? (char *)r + table_descs[r->table].fields[w->field].offset : NULL;
	u32 bits;
	u64 v;

	if (w->type == FT_U64) {
		v = buf_get_zigzag(in);
		if (ours)
			*(u64 *)p += v;
	} else if (w->type == FT_F32) {
		bits = buf_get_u32(in);
		if (ours)
			memcpy(p, &bits, sizeof(bits));
	} else if (w->type == FT_STR) {
		const char *s = get_str(d, in);

		if (ours)
			str_set((const char **)p, str_get(s));
	} else {
		get_hists(in, ours ? (const struct hist **)p : NULL);
	}
}

static u64 row_cost(const struct row *r)
{
	const struct table_desc *d;
	u64 n;

	if (!r)
		return 0;
	d = &table_descs[r->table];
	n = d->row_size + 16;
	for (u32 i = 0; i < d->n_hists; i++) {
		const struct hist *const *h = (const struct hist *const *)((const char *)r + d->hists[i]);

		for (int k = 0; k < 2; k++)
			n += h[k] ? sizeof(*h[k]) + h[k]->n * sizeof(u64) : 0;
	}
	return n;
}

/* One row based on `base` (NULL: a blank one). NULL only for an unknown table, which is skipped. */
static const struct row *get_row(struct decoder *d, struct buf_in *in,
				 const struct stored_table *w, const struct row *base, bool insert)
{
	u64 mask = buf_get_varint(in), since;
	struct row *r = w->id < 0 ? NULL : base ? row_clone(base, !insert) : row_new(w->id);
	u8 flags;

	if (w->n < CODEC_MAX_FIELDS && mask >> (w->n + 1))
		in->bad = true;
	if (mask & 1) {
		flags = buf_get_u8(in);
		since = buf_get_zigzag(in);
		if (r) {
			r->closed = flags & 1;
			r->other = flags & 2;
			r->first_seen_ns += since;
		}
	}
	for (u32 i = 0; i < w->n && !in->bad; i++)
		if (mask & 2ull << i)
			get_value(d, in, &w->fields[i], r);
	if (r)
		row_quantiles(r);
	d->row_bytes += row_cost(r);
	if (d->row_bytes > CODEC_MAX_ROW_BYTES)
		in->bad = true;
	return r;
}

/*
 * Replaces r by the equal row of `like`, if any (takes over r's reference). *at: index after the
 * last match; both are in key order.
 */
static const struct row *like_row(const struct decoder *d, const struct row *r, u32 *at)
{
	const struct table *t = r && d->like ? &d->like->tables[r->table] : NULL;

	if (!t || *at >= t->n)
		return r;
	if (row_cmp_keys(t->rows[*at], r))
		*at = bisect(i, *at, t->n, row_cmp_keys(t->rows[i], r) < 0);
	if (*at >= t->n || !row_equal(t->rows[*at], r))
		return r;
	row_put(r);
	return row_get(t->rows[(*at)++]);
}

static void add_row(struct dtable *t, const struct row *r, struct buf_in *in)
{
	if (t->n >= CODEC_MAX_ROWS)
		in->bad = true;
	t->rows = grow(t->rows, t->n, &t->cap, sizeof(*t->rows));
	t->rows[t->n++] = r;
}

/* Moves k rows from index `from` of the old table to the new one. */
static void move_rows(struct dtable *t, struct dtable *old, u32 from, u64 k, struct buf_in *in)
{
	if (k > old->n - from) {
		in->bad = true;
		return;
	}
	for (u32 i = from; k; i++, k--) {
		add_row(t, old->rows[i], in);
		old->rows[i] = NULL;
	}
}

/* Applies the edit script to `old`, whose rows move to t. */
static void get_rows(struct decoder *d, struct buf_in *in, const struct stored_table *w,
		     struct dtable *t, struct dtable *old)
{
	enum codec_op op = OP_DROP;
	const struct row *base;
	u32 j = 0, like_at = 0;
	u64 v;

	while (op != OP_END && !in->bad) {
		v = buf_get_varint(in);
		op = v & 3;
		move_rows(t, old, j, v >> 2, in);
		if (in->bad || op == OP_END)
			break;
		j += (u32)(v >> 2);
		if (op != OP_INSERT && j >= old->n) {
			in->bad = true;
			break;
		}
		base = op == OP_INSERT ? (t->n ? t->rows[t->n - 1] : NULL) : old->rows[j];
		if (op != OP_DROP)
			add_row(t, like_row(d, get_row(d, in, w, base, op == OP_INSERT), &like_at), in);
		if (op != OP_INSERT)
			d->row_bytes -= row_cost(old->rows[j++]);
	}
}

static void get_table(struct decoder *d, struct buf_in *in, const struct stored_table *w,
		      struct dtable *t)
{
	struct dtable old = *t;
	u8 flags = buf_get_u8(in);

	if (flags & TF_SAME)
		return;
	t->rows = NULL;
	t->n = t->cap = 0;
	if (flags & TF_STATUS) {
		t->status = buf_get_max(in, TS_BLOCKED);
		str_set(&t->reason, str_get(get_str(d, in)));
	}
	t->interval_ns = flags & TF_INTERVAL ? buf_get_max(in, CODEC_MAX_INTERVAL) :
			 d->head.interval_ns;
	get_rows(d, in, w, t, &old);
	old.reason = NULL;	/* moved to t */
	dtable_clear(&old);
}

int decoder_tick(struct decoder *d, const u8 *data, size_t len)
{
	struct buf_in in = { data, data + len, false };
	struct tick_head head = tick_head_get(&in);

	if (head.key)
		decoder_reset(d);
	else if (!d->valid)
		return -EBADMSG;
	d->head = head;
	for (u32 t = 0; t < d->schema->n && !in.bad; t++)
		get_table(d, &in, &d->schema->tables[t], &d->tables[t]);
	d->valid = !in.bad && in.p == in.end;
	if (!d->valid)
		decoder_reset(d);
	return d->valid ? 0 : -EBADMSG;
}

const struct snapshot *decoder_snapshot(struct decoder *d)
{
	struct builder *b;

	if (!d->valid)
		return NULL;
	b = builder_new(NULL, d->session);
	builder_time(b, d->head.seq, d->head.time_ns, d->head.unix_offset_ns,
		     d->head.interval_ns);
	for (u32 i = 0; i < d->schema->n; i++) {
		const struct dtable *t = &d->tables[i];
		s16 id = d->schema->tables[i].id;

		if (id < 0)
			continue;
		builder_status(b, id, t->status, t->reason, t->interval_ns);
		for (u32 k = 0; k < t->n; k++) {
			row_prefetch(t->rows, k, t->n);
			builder_add(b, row_get(t->rows[k]));
		}
	}
	return builder_seal(b);
}
