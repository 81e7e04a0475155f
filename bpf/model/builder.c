// SPDX-License-Identifier: GPL-2.0-or-later
/* builder.c: builds a snapshot: rows are added, then it is sealed. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/snapshot_build.h"

#define ALLOC_BYTES 16	/* malloc overhead of an allocation */

struct pending {
	const struct row **rows;
	u32 n, cap;
	bool kept;	/* all are the previous snapshot's rows, in its order */
};

struct builder {
	struct snapshot *s;
	const struct snapshot *prev;
	struct pending tables[N_TABLES];
};

static void fill_unknown(struct row *r, const struct field *f)
{
	void *p = (char *)r + f->offset;

	if (f->type == FT_U64)
		*(u64 *)p = U64_UNKNOWN;
	else if (f->type == FT_F32)
		*(float *)p = F32_UNKNOWN;
}

void *row_new(enum table_id t)
{
	const struct table_desc *d = &table_descs[t];
	struct row *r = xcalloc(1, d->row_size);

	r->refs = 1;
	r->table = (u8)t;
	for (u32 i = 0; i < d->n_fields; i++)
		fill_unknown(r, &d->fields[i]);
	return r;
}

struct row *row_clone(const struct row *from, bool with_hists)
{
	const struct table_desc *d = &table_descs[from->table];
	struct row *r = xmalloc(d->row_size);

	memcpy(r, from, d->row_size);
	r->refs = 1;
	for (u32 i = 0; i < d->n_strs; i++)
		str_get(*(const char *const *)((const char *)r + d->strs[i]));
	for (u32 i = 0; i < d->n_hists; i++) {
		const struct hist **h = (const struct hist **)((char *)r + d->hists[i]);

		h[0] = with_hists ? hist_get(h[0]) : NULL;
		h[1] = with_hists ? hist_get(h[1]) : NULL;
	}
	return r;
}

void *row_own(struct row *r)
{
	struct row *copy;

	if (r->refs == 1)	/* the only reference: no other thread can take one */
		return r;
	copy = row_clone(r, true);
	row_put(r);
	return copy;
}

struct builder *builder_new(const struct snapshot *prev, const struct session *session)
{
	struct builder *b = xcalloc(1, sizeof(*b));

	b->prev = snapshot_get(prev);
	b->s = xcalloc(1, sizeof(*b->s));
	b->s->refs = 1;
	b->s->session = session;
	return b;
}

void builder_time(struct builder *b, u64 seq, u64 time_ns, s64 unix_offset_ns, u64 interval_ns)
{
	b->s->seq = seq;
	b->s->time_ns = time_ns;
	b->s->unix_offset_ns = unix_offset_ns;
	b->s->interval_ns = interval_ns;
}

void builder_add(struct builder *b, const struct row *r)
{
	struct pending *p = &b->tables[r->table];

	p->kept = false;
	p->rows = grow(p->rows, p->n, &p->cap, sizeof(*p->rows));
	p->rows[p->n++] = r;
}

void builder_more(struct builder *b, struct requests_row **rows, u32 n, u64 left_out)
{
	b->s->more = (const struct requests_row **)rows;
	b->s->n_more = n;
	b->s->left_out = left_out;
}

void *builder_row(struct builder *b, enum table_id t)
{
	struct row *r = row_new(t);

	builder_add(b, r);
	return r;
}

void builder_status(struct builder *b, enum table_id t, enum table_status status,
		    const char *reason, u64 interval_ns)
{
	struct table *table = &b->s->tables[t];

	table->status = status;
	str_set(&table->reason, reason ? str_new(reason) : NULL);
	table->interval_ns = interval_ns;
}

void builder_keep(struct builder *b, enum table_id t)
{
	const struct table *from = b->prev ? &b->prev->tables[t] : NULL;
	bool empty = !b->tables[t].n;

	for (u32 i = 0; from && i < from->n; i++)
		if (!from->rows[i]->closed)
			builder_add(b, row_get(from->rows[i]));
	b->tables[t].kept = empty;
	if (from)
		builder_status(b, t, from->status, from->reason, 0);
}

void builder_lacks(struct builder *b, enum table_id t, const char *what)
{
	struct table *table = &b->s->tables[t];
	char *text;

	if (table->status != TS_OK && table->status != TS_PARTIAL)
		return;
	text = table->reason ? xasprintf("%s; %s", table->reason, what) : xstrdup(what);
	table->status = TS_PARTIAL;
	str_set(&table->reason, str_new(text));
	free(text);
}

const struct row **builder_rows(struct builder *b, enum table_id t, u32 *ret_n)
{
	*ret_n = b->tables[t].n;
	return b->tables[t].rows;
}

static const struct {
	const char *name;
	double q;	/* above 1: the maximum */
} quantiles[] = { { "p50_ns", 0.50 }, { "p95_ns", 0.95 }, { "p99_ns", 0.99 }, { "max_ns", 2 } };

static void set_quantile(struct row *r, const struct field *f, const struct hist *h)
{
	u64 *v = (u64 *)((char *)r + f->offset);

	*v = U64_BLANK;	/* no values in this interval */
	if (!h || !h->count)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(quantiles); i++)
		if (!strcmp(f->name, quantiles[i].name))
			*v = quantiles[i].q > 1 ? h->max_ns : hist_quantile(h, quantiles[i].q);
}

void row_quantiles(struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];
	const struct hist *h = NULL;

	if (!d->n_hists)	/* quantiles need one */
		return;
	for (u32 i = 0; i < d->n_fields; i++)
		if (d->fields[i].type == FT_HIST)
			h = row_hist_tick(r, &d->fields[i]);
	for (u32 i = 0; i < d->n_fields; i++)
		if (d->fields[i].kind == FK_QUANTILE)
			set_quantile(r, &d->fields[i], h);
}

static int cmp_rows(const void *a, const void *b)
{
	return row_cmp_keys(*(const struct row *const *)a, *(const struct row *const *)b);
}

/* True if the rows were sorted and unique. */
static bool sort_rows(struct pending *p)
{
	for (u32 i = 1; i < p->n; i++) {
		row_prefetch(p->rows, i, p->n);
		if (cmp_rows(&p->rows[i - 1], &p->rows[i]) >= 0) {
			qsort(p->rows, p->n, sizeof(*p->rows), cmp_rows);
			return false;
		}
	}
	return true;
}

static void drop_duplicates(struct pending *p)
{
	u32 n = 0;

	for (u32 i = 0; i < p->n; i++) {
		if (n && !cmp_rows(&p->rows[n - 1], &p->rows[i])) {
			row_put(p->rows[n - 1]);
			p->rows[n - 1] = p->rows[i];
		} else {
			p->rows[n++] = p->rows[i];
		}
	}
	p->n = n;
}

static u64 hist_bytes(const struct hist *h)
{
	return h ? (sizeof(*h) + h->n * sizeof(h->counts[0])) / atomic_load_explicit(&h->refs, memory_order_relaxed) : 0;
}

/* Shared parts count proportionally. */
static u64 row_bytes(const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];
	u64 n = d->row_size + ALLOC_BYTES;

	for (u32 i = 0; i < d->n_strs; i++)
		n += str_share_bytes(*(const char *const *)((const char *)r + d->strs[i]));
	for (u32 i = 0; i < d->n_hists; i++) {
		const struct hist *const *h = (const struct hist *const *)((const char *)r + d->hists[i]);

		n += hist_bytes(h[0]) + hist_bytes(h[1]);
	}
	return n;
}

/*
 * Replaces rows equal to the previous tick's by those (a merge). Returns the bytes of the others.
 */
static u64 share_rows(struct pending *p, const struct table *prev)
{
	u64 own = p->cap * sizeof(*p->rows);
	u32 j = 0;

	for (u32 i = 0; i < p->n; i++) {
		while (j < prev->n && prev->rows[j] != p->rows[i] && row_cmp_keys(prev->rows[j], p->rows[i]) < 0)
			j++;
		if (j < prev->n && prev->rows[j] != p->rows[i] &&
		    row_equal(prev->rows[j], p->rows[i])) {
			row_put(p->rows[i]);
			p->rows[i] = row_get(prev->rows[j]);
		}
		if (j == prev->n || prev->rows[j] != p->rows[i])
			own += row_bytes(p->rows[i]);
	}
	return own;
}

const struct snapshot *builder_seal(struct builder *b)
{
	static const struct table none;
	struct snapshot *s = b->s;

	s->own_bytes = sizeof(*s);
	for (int t = 0; t < N_TABLES; t++) {
		struct pending *p = &b->tables[t];

		if (table_descs[t].n_hists)
			for (u32 i = 0; i < p->n; i++)
				if (p->rows[i]->refs == 1)
					row_quantiles((struct row *)p->rows[i]);
		if (!p->kept && !sort_rows(p))
			drop_duplicates(p);
		s->own_bytes += p->kept ? p->cap * sizeof(*p->rows) :
				share_rows(p, b->prev ? &b->prev->tables[t] : &none);
		s->tables[t].rows = p->rows;
		s->tables[t].n = p->n;
	}
	for (u32 i = 0; i < s->n_more; i++)
		s->own_bytes += sizeof(*s->more) + row_bytes(&s->more[i]->row);
	snapshot_put(b->prev);
	free(b);
	return s;
}

static void copy_table(struct builder *b, const struct table *from, int t)
{
	for (u32 i = 0; i < from->n; i++)
		builder_add(b, row_get(from->rows[i]));
	builder_status(b, (enum table_id)t, from->status, from->reason, from->interval_ns);
}

const struct snapshot *snapshot_with_table(const struct snapshot *s, const struct snapshot *from,
					   enum table_id id)
{
	struct builder *b = builder_new(NULL, s->session);

	builder_time(b, s->seq, s->time_ns, s->unix_offset_ns, s->interval_ns);
	for (int t = 0; t < N_TABLES; t++)
		copy_table(b, t == (int)id ? &from->tables[t] : &s->tables[t], t);
	return builder_seal(b);
}
