// SPDX-License-Identifier: GPL-2.0-or-later
/* snapshot.c: rows, and sealed snapshots as consumers see them. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/snapshot_build.h"

/* ---- rows ---- */

static void row_free(struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];

	for (u32 i = 0; i < d->n_strs; i++)
		str_put(*(const char *const *)((char *)r + d->strs[i]));
	for (u32 i = 0; i < d->n_hists; i++) {
		const struct hist *const *h = (const struct hist *const *)((char *)r + d->hists[i]);

		hist_put(h[0]);
		hist_put(h[1]);
	}
	free(r);
}

const struct row *row_get(const struct row *r)
{
	if (r)
		atomic_fetch_add_explicit(&((struct row *)r)->refs, 1, memory_order_relaxed);
	return r;
}

void row_put(const struct row *r)
{
	struct row *m = (struct row *)r;

	if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		row_free(m);
}

static int cmp_field(const struct row *a, const struct row *b, const struct field *f)
{
	if (f->type == FT_STR) {
		const char *x = row_str(a, f), *y = row_str(b, f);

		return x == y ? 0 : !x ? -1 : !y ? 1 : strcmp(x, y);
	}
	return cmp(row_u64(a, f), row_u64(b, f));
}

int row_cmp_keys(const struct row *a, const struct row *b)
{
	const struct table_desc *d = &table_descs[a->table];
	u32 keys = d->n_keys;
	int c;

	if (a == b)	/* shared, as most rows of a large table */
		return 0;
	if (a->sum || b->sum)
		return cmp(a->sum, b->sum) ?: cmp(a, b);
	for (u32 i = 0; keys; i++) {
		if (d->fields[i].kind != FK_KEY)
			continue;
		c = cmp_field(a, b, &d->fields[i]);
		if (c)
			return c;
		keys--;
	}
	return 0;
}

static bool field_equal(const struct row *a, const struct row *b, const struct field *f)
{
	switch (f->type) {
	case FT_U64:
		return row_u64(a, f) == row_u64(b, f);
	case FT_F32:	/* bitwise: NaN is a value here */
		return !memcmp((const char *)a + f->offset, (const char *)b + f->offset,
			       sizeof(float));
	case FT_STR:
		return row_str(a, f) == row_str(b, f);
	case FT_HIST:
		return hist_equal(row_hist(a, f), row_hist(b, f)) &&
		       hist_equal(row_hist_tick(a, f), row_hist_tick(b, f));
	case FT_SUB:
		break;
	}
	return true;
}

bool row_equal(const struct row *a, const struct row *b)
{
	const struct table_desc *d = &table_descs[a->table];

	if (a == b)
		return true;
	if (a->table != b->table || a->closed != b->closed || a->other != b->other ||
	    a->first_seen_ns != b->first_seen_ns)
		return false;
	for (u32 i = 0; i < d->n_fields; i++)
		if (!field_equal(a, b, &d->fields[i]))
			return false;
	return true;
}

/* ---- snapshots ---- */

const struct snapshot *snapshot_get(const struct snapshot *s)
{
	if (s)
		atomic_fetch_add_explicit(&((struct snapshot *)s)->refs, 1, memory_order_relaxed);
	return s;
}

void snapshot_put(const struct snapshot *s)
{
	struct snapshot *m = (struct snapshot *)s;

	if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (int t = 0; t < N_TABLES; t++) {
		for (u32 i = 0; i < m->tables[t].n; i++) {
			row_prefetch(m->tables[t].rows, i, m->tables[t].n);
			row_put(m->tables[t].rows[i]);
		}
		free(m->tables[t].rows);
		str_put(m->tables[t].reason);
	}
	for (u32 i = 0; i < m->n_more; i++)
		row_put(&m->more[i]->row);
	free(m->more);
	free(m);
}

const struct row *snapshot_find(const struct snapshot *s, const struct row *like)
{
	const struct table *t = &s->tables[like->table];
	u32 lo = 0, hi = t->n;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		int c = row_cmp_keys(t->rows[mid], like);

		if (!c)
			return t->rows[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* First row whose (pid, start) is not below the given pair; start counts only when `exact`. */
static u32 lower_bound(const struct table *t, const struct field *fpid,
		       const struct field *fstart, u64 pid, u64 start)
{
	return bisect(i, 0, t->n, row_u64(t->rows[i], fpid) < pid ||
		      (row_u64(t->rows[i], fpid) == pid && row_u64(t->rows[i], fstart) < start));
}

void snapshot_process_rows(const struct snapshot *s, enum table_id t, u64 pid, u64 start_time_ns,
			   u32 *ret_first, u32 *ret_end)
{
	const struct field *fpid = schema_field(t, "pid"), *fstart = schema_field(t, "start_time_ns");

	*ret_first = *ret_end = 0;
	if (!fpid || !fstart || !u64_known(pid))
		return;
	*ret_first = lower_bound(&s->tables[t], fpid, fstart, pid, start_time_ns);
	/* any start: no start is greater than an unknown one */
	*ret_end = start_time_ns && start_time_ns + 1 ?
		lower_bound(&s->tables[t], fpid, fstart, pid, start_time_ns + 1) :
		lower_bound(&s->tables[t], fpid, fstart, pid + 1, 0);
}

const struct processes_row *snapshot_process(const struct snapshot *s, u64 pid, u64 start_time_ns)
{
	u32 first, end;

	snapshot_process_rows(s, TABLE_processes, pid, start_time_ns, &first, &end);
	if (first == end)
		return NULL;
	return processes_row(s->tables[TABLE_processes].rows[end - 1]);
}

const struct row *snapshot_single(const struct snapshot *s, enum table_id t)
{
	return s->tables[t].n ? s->tables[t].rows[0] : NULL;
}

/* Every table of events begins with a time and a number. */
static u64 event_number(const struct row *r)
{
	return row_u64(r, schema_field(r->table, "seq"));
}

bool event_is_due(const struct event_cursor *c, const struct snapshot *s, const struct row *r)
{
	if (!(table_descs[r->table].flags & T_EVENTS))
		return true;
	return c->begun ? event_number(r) > c->last :
	       row_u64(r, &table_descs[r->table].fields[0]) + s->interval_ns > s->time_ns;
}

void events_taken(struct event_cursor *c, const struct snapshot *s, enum table_id t)
{
	const struct table *table = &s->tables[t];

	if (!(table_descs[t].flags & T_EVENTS))
		return;
	for (u32 i = 0; i < table->n; i++)
		c->last = max(c->last, event_number(table->rows[i]));
	c->begun = true;
}
