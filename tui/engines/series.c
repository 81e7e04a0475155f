// SPDX-License-Identifier: GPL-2.0-or-later
/* series.c: the last values of a member, for sparklines. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "tui/term/graph.h"
#include "tui/engines/series.h"

#define SERIES_ENOUGH 40	/* enough for the second widest sparkline */

/* ---- of the machine ------------------------------------------------------------------ */

static float value_at(const struct snapshot *s, int field)
{
	const struct row *r = s ? snapshot_single(s, TABLE_host) : NULL;

	return r ? row_f32(r, &table_descs[TABLE_host].fields[field]) : F32_UNKNOWN;
}

static void append(struct series *s, u64 seq, float v)
{
	if (s->n == SERIES_MAX) {
		memmove(s->values, s->values + 1, (SERIES_MAX - 1) * sizeof(*s->values));
		memmove(s->seqs, s->seqs + 1, (SERIES_MAX - 1) * sizeof(*s->seqs));
	} else {
		s->n++;
	}
	s->values[s->n - 1] = v;
	s->seqs[s->n - 1] = seq;
}

/* Older values are still here; the history is read again when few are left. True: done. */
static bool step_back(struct series *s, u64 seq, int at)
{
	while (s->n && s->seqs[s->n - 1] > seq)
		s->n--;
	return s->n && s->seqs[s->n - 1] == seq && (s->n >= SERIES_ENOUGH || s->n > at);
}

static void read_again(struct series *s, struct history *h, int at, int field)
{
	s->n = 0;
	for (int i = max(at - SERIES_MAX + 1, 0); i < at; i++) {
		const struct snapshot *old = history_snapshot(h, (u32)i);

		append(s, history_seq(h, (u32)i), value_at(old, field));
		snapshot_put(old);
	}
}

void series_update(struct series *s, struct history *h, const struct snapshot *shown, const char *member)
{
	int at, field = table_field(TABLE_host, member);

	if (!shown || (s->n && s->seqs[s->n - 1] == shown->seq))
		return;
	at = h ? history_find(h, shown->seq) : -1;
	if (step_back(s, shown->seq, at))
		return;
	if (!s->n || s->seqs[s->n - 1] + 1 != shown->seq)
		read_again(s, h, at, field);
	append(s, shown->seq, value_at(shown, field));
}

/* ---- all rows ------------------------------------------------------------------- */

#define TRAIL_KEPT 40		/* steps back (less TRAIL_LEN) without reading again */

struct trail {
	struct hash_node node;
	u64 pid, start_time_ns;
	u64 seq;		/* of the newest level */
	u8 levels[TRAIL_KEPT];
};

struct trails {
	enum table_id table;
	int field, pid, start;
	float top;
	u64 seq;		/* shown */
	u64 first, newest;	/* what was read; 0: nothing */
	struct hash_table all;
};

struct trails *series_trails_new(enum table_id t, int field, float top)
{
	struct trails *tr = xcalloc(1, sizeof(*tr));

	tr->table = t;
	tr->field = field;
	tr->top = top;
	tr->pid = table_field(t, "pid");
	tr->start = table_field(t, "start_time_ns");
	return tr;
}

void series_trails_free(struct trails *t)
{
	if (!t)
		return;
	hash_free(&t->all, free);
	free(t);
}

static struct trail *find_trail(const struct trails *t, u64 pid, u64 start)
{
	return hash_find(&t->all, hash_of(pid, start), struct trail, tr,
			 tr->pid == pid && tr->start_time_ns == start);
}

static struct trail *trail_new(struct trails *t, u64 pid, u64 start)
{
	struct trail *tr = xcalloc(1, sizeof(*tr));

	tr->pid = pid;
	tr->start_time_ns = start;
	hash_add(&t->all, &tr->node, hash_of(pid, start));
	return tr;
}

/* What was not seen in the last TRAIL_KEPT ticks has ended. */
static void forget_old(struct trails *t)
{
	hash_each(&t->all, struct trail, tr) {
		if (tr->seq + TRAIL_KEPT > t->newest)
			continue;
		hash_remove(&t->all, &tr->node);
		free(tr);
	}
}

static void shift(struct trail *tr, u64 seq, u8 level)
{
	u64 by = tr->seq ? min(seq - tr->seq, (u64)TRAIL_KEPT) : TRAIL_KEPT;

	memmove(tr->levels, tr->levels + by, TRAIL_KEPT - by);
	memset(tr->levels + TRAIL_KEPT - by, 0, by);
	tr->levels[TRAIL_KEPT - 1] = level;
	tr->seq = seq;
}

static void add_tick(struct trails *t, const struct snapshot *s)
{
	const struct table_desc *d = &table_descs[t->table];
	const struct table *table = &s->tables[t->table];

	t->newest = s->seq;
	if (!t->first)
		t->first = s->seq;
	if (t->all.n > 2 * table->n)
		forget_old(t);
	for (u32 i = 0; i < table->n; i++) {
		const struct row *r = table->rows[i];
		u64 pid = row_u64(r, &d->fields[t->pid]), start = row_u64(r, &d->fields[t->start]);

		shift(find_trail(t, pid, start) ?: trail_new(t, pid, start), s->seq, (u8)graph_level(row_f32(r, &d->fields[t->field]), t->top));
	}
}

static void rebuild(struct trails *t, struct history *h, u64 seq)
{
	int end = h ? history_find(h, seq) : -1;

	hash_free(&t->all, free);
	t->first = 0;
	for (int i = max(end - TRAIL_LEN + 1, 0); i < end; i++) {
		const struct snapshot *old = history_snapshot(h, (u32)i);

		if (old)
			add_tick(t, old);
		snapshot_put(old);
	}
}

/* Whether the TRAIL_LEN levels up to seq are here. */
static bool is_kept(const struct trails *t, struct history *h, u64 seq)
{
	u64 want = max(seq, (u64)TRAIL_LEN) - TRAIL_LEN + 1;

	if (!t->first || seq > t->newest || t->newest - seq > TRAIL_KEPT - TRAIL_LEN)
		return false;
	if (h && history_len(h))	/* nothing precedes its oldest tick */
		want = max(want, history_seq(h, 0));
	return t->first <= want && seq >= t->first;
}

void series_trails_update(struct trails *t, struct history *h, const struct snapshot *shown)
{
	if (!shown || t->seq == shown->seq)
		return;
	if (!is_kept(t, h, shown->seq)) {
		if (t->newest + 1 != shown->seq)
			rebuild(t, h, shown->seq);
		add_tick(t, shown);
	}
	t->seq = shown->seq;
}

const u8 *series_trails_levels(const struct trails *t, u64 pid, u64 start_time_ns)
{
	const struct trail *tr = find_trail(t, pid, start_time_ns);

	if (!tr || tr->seq < t->seq || tr->seq - t->seq > TRAIL_KEPT - TRAIL_LEN)
		return NULL;
	return tr->levels + (TRAIL_KEPT - TRAIL_LEN) - (tr->seq - t->seq);
}
