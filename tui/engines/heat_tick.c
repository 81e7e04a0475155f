// SPDX-License-Identifier: GPL-2.0-or-later
/* heat_tick.c: the calls of a tick by caller, packed: 80 bytes an operation of a process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/index.h"
#include "tui/engines/heat.h"

/* Bucket and count in one word: 42 octaves need 9 bits; 0 is the zero bucket. */
struct cell {
	u64 bucket : 10, count : 54;
};

struct entry {
	u32 id, first, n;	/* range of its cells */
	u64 count, sum_ns, max_ns;
};

struct heat_tick {
	struct entry *entries;
	struct cell *cells;
	u32 n_entries, cap_entries, n_cells, cap_cells;
};

/* ---- ids ------------------------------------------------------------------------ */

struct heat_ids {
	struct heat_id *ids;
	u32 n, cap;
	struct index index;	/* of ids */
	u32 compact_at;		/* number of ids that triggers a compaction */
};

struct heat_ids *heat_ids_new(void)
{
	struct heat_ids *ids = xcalloc(1, sizeof(*ids));

	ids->compact_at = 4096;
	return ids;
}

void heat_ids_free(struct heat_ids *ids)
{
	if (!ids)
		return;
	free(ids->ids);
	index_free(&ids->index);
	free(ids);
}

u32 heat_ids_len(const struct heat_ids *ids)
{
	return ids ? ids->n : 0;
}

const struct heat_id *heat_ids_at(const struct heat_ids *ids, u32 i)
{
	return &ids->ids[i];
}

static void copy_text(char *dst, size_t cap, const char *src)
{
	size_t n = strnlen(src ? src : "?", cap - 1);

	memcpy(dst, src ? src : "?", n);
	dst[n] = '\0';
}

static u32 hash_id(u64 pid, u64 start_time_ns, u64 what)
{
	return index_fold((pid * 0x9e3779b97f4a7c15ull) ^ (start_time_ns * 0xc2b2ae3d27d4eb4full) ^
			  (what * 0x165667b19e3779f9ull));
}

static u32 id_of(struct heat_ids *ids, const struct heat_source *src, const struct heat_members *m,
		 const struct row *r, u64 what)
{
	u64 pid = row_u64(r, m->pid), start_ns = row_u64(r, m->start);
	u32 hash = hash_id(pid, start_ns, what), at = 0, i;
	struct heat_id *id;

	while ((i = index_next(&ids->index, hash, &at)) != INDEX_NONE) {
		id = &ids->ids[i];
		if (id->pid == pid && id->start_time_ns == start_ns && id->what == what)
			return i;
	}
	ids->ids = grow(ids->ids, ids->n, &ids->cap, sizeof(*ids->ids));
	id = &ids->ids[ids->n++];
	*id = (struct heat_id){ .pid = pid, .start_time_ns = start_ns, .what = what };
	copy_text(id->comm, sizeof(id->comm), row_str(r, m->comm));
	src->name(r, id->name, sizeof(id->name));
	index_add(&ids->index, hash, ids->n - 1);
	return ids->n - 1;
}

static void tick_mark(const struct heat_tick *t, u32 *used)
{
	for (u32 i = 0; t && i < t->n_entries; i++)
		used[t->entries[i].id] = 1;
}

static void tick_rename(struct heat_tick *t, const u32 *renamed)
{
	for (u32 i = 0; t && i < t->n_entries; i++)
		t->entries[i].id = renamed[t->entries[i].id];
}

/* Drops ids of ended processes and renumbers the ticks, once the number of ids has doubled. */
void heat_ids_compact(struct heat_ids *ids, struct heat_tick *const *ticks, u32 n)
{
	u32 *renamed, kept = 0;

	if (ids->n < ids->compact_at)
		return;
	renamed = xcalloc(ids->n + 1, sizeof(*renamed));
	for (u32 i = 0; i < n; i++)
		tick_mark(ticks[i], renamed);
	index_clear(&ids->index);
	for (u32 i = 0; i < ids->n; i++) {
		const struct heat_id *id = &ids->ids[i];

		if (!renamed[i])
			continue;
		index_add(&ids->index, hash_id(id->pid, id->start_time_ns, id->what), kept);
		ids->ids[kept] = *id;
		renamed[i] = kept++;
	}
	for (u32 i = 0; i < n; i++)
		tick_rename(ticks[i], renamed);
	free(renamed);
	ids->n = kept;
	ids->compact_at = max(kept * 2, 4096u);
}

u64 heat_ids_bytes(const struct heat_ids *ids)
{
	return ids ? ids->n * sizeof(*ids->ids) + ids->index.n_slots * sizeof(*ids->index.slots) : 0;
}

/* ---- packing -------------------------------------------------------------------- */

static void add_cell(struct heat_tick *t, int bucket, u64 count)
{
	if (!count)
		return;
	t->cells = grow(t->cells, t->n_cells, &t->cap_cells, sizeof(*t->cells));
	t->cells[t->n_cells++] = (struct cell){ .bucket = (u64)(bucket + 1), .count = count };
}

static void add_entry(struct heat_tick *t, u32 id, const struct hist *h)
{
	struct entry *e;

	t->entries = grow(t->entries, t->n_entries, &t->cap_entries, sizeof(*t->entries));
	e = &t->entries[t->n_entries++];
	*e = (struct entry){
		.id = id, .first = t->n_cells,
		.count = h->count, .sum_ns = h->sum_ns, .max_ns = h->max_ns,
	};
	add_cell(t, HEAT_ZERO, h->zero);
	for (u32 k = 0; k < h->n; k++)
		add_cell(t, h->offset - HIST_UNIT_OFFSET + (int)k, h->counts[k]);
	e->n = t->n_cells - e->first;
}

/* Shrinks the arrays to their size. */
static void tick_trim(struct heat_tick *t)
{
	t->entries = xrealloc(t->entries, max(t->n_entries, 1u) * sizeof(*t->entries));
	t->cells = xrealloc(t->cells, max(t->n_cells, 1u) * sizeof(*t->cells));
}

/* A tick that measured only one process (syscalls.c) counts as not observed for all others. */
static bool is_observed(const struct heat_filter *f, const struct table *t)
{
	char only[40];

	if (t->status != TS_PARTIAL || !t->reason || strncmp(t->reason, "only process ", 13))
		return t->status == TS_OK || t->status == TS_PARTIAL;
	snprintf(only, sizeof(only), "only process %llu", (unsigned long long)f->pid);
	return !strcmp(t->reason, only);
}

static bool passes(const struct heat_filter *f, const struct row *r, u64 what)
{
	if (f->one)
		return f->what == what;
	return f->waits || !f->source->waits || !f->source->waits(r);
}

struct heat_tick *heat_tick_new(struct heat_ids *ids, const struct heat_filter *f,
				const struct snapshot *s, const struct hist **ret_hist)
{
	const struct table *table = &s->tables[f->source->table];
	struct heat_members m = heat_members_of(f->source);
	struct heat_tick *t;
	struct hist_acc acc;
	u32 first = 0, end = table->n;

	if (!is_observed(f, table))
		return NULL;
	t = xcalloc(1, sizeof(*t));
	memset(&acc, 0, sizeof(acc));
	if (f->pid)
		snapshot_process_rows(s, f->source->table, f->pid, f->start_time_ns, &first, &end);
	for (u32 i = first; i < end; i++) {
		const struct row *r = table->rows[i];
		const struct hist *h = row_hist_tick(r, m.hist);
		u64 what;

		if (!h || !h->count)
			continue;
		heat_what_of(&m, r, &what);
		if (!passes(f, r, what))
			continue;
		hist_acc_add(&acc, h);
		add_entry(t, id_of(ids, f->source, &m, r, what), h);
	}
	tick_trim(t);
	*ret_hist = hist_seal(&acc);
	return t;
}

void heat_tick_free(struct heat_tick *t)
{
	if (!t)
		return;
	free(t->entries);
	free(t->cells);
	free(t);
}

u64 heat_tick_bytes(const struct heat_tick *t)
{
	if (!t)
		return 0;
	return sizeof(*t) + t->n_entries * sizeof(*t->entries) + t->n_cells * sizeof(*t->cells);
}

/* ---- reading -------------------------------------------------------------------- */

static double bucket_mid_ns(int j)
{
	return j < 0 ? 0 : sqrt(hist_lower_ns(j) * hist_upper_ns(j));
}

static struct heat_share entry_share(const struct heat_tick *t, const struct entry *e, int low,
				     int end)
{
	struct heat_share share = { .id = e->id, .of = e->count };
	int highest = HEAT_ZERO, of_all = HEAT_ZERO;

	for (u32 k = e->first; k < e->first + e->n; k++) {
		int j = (int)t->cells[k].bucket - 1;

		of_all = j;
		if (j < low || j >= end)
			continue;
		share.count += t->cells[k].count;
		share.time_ns += (double)t->cells[k].count * bucket_mid_ns(j);
		highest = j;
	}
	share.time_exact = share.count == e->count;
	if (share.time_exact)
		share.time_ns = (double)e->sum_ns;
	/* The slowest call of the tick is in its highest bucket: is that one in the range? */
	share.slowest_exact = highest == of_all;
	share.slowest_ns = share.slowest_exact ? e->max_ns : (u64)bucket_mid_ns(highest);
	return share;
}

void heat_tick_each(const struct heat_tick *t, int low, int end,
		    void (*fn)(void *arg, const struct heat_share *share), void *arg)
{
	for (u32 i = 0; i < t->n_entries; i++) {
		struct heat_share share = entry_share(t, &t->entries[i], low, end);

		fn(arg, &share);
	}
}
