// SPDX-License-Identifier: GPL-2.0-or-later
/* tracks.c: see tracks.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "tui/engines/tracks.h"

#define TICKS_MAX 600		/* for any interval */
#define POINTS_MAX 2048u		/* a tick; a screen has fewer lines */
#define READ_NS (15 * NSEC_PER_MSEC)	/* time limit a call for reading the history */
#define CHUNK 32		/* ticks read forward at once, which is cheap */

struct point {
	u32 id;			/* hash of the row's key */
	float v;
};

struct track_tick {
	u64 seq;		/* 0: not read */
	u64 of;			/* the tick it was merged into, with the points; or seq */
	u32 n;
	struct point *points;	/* by id */
};

struct tracks {
	enum table_id table;
	int field;
	u64 span_ns;
	u64 seq;		/* of the shown snapshot */
	u32 n;			/* ticks in the span */
	struct track_tick ticks[TICKS_MAX];	/* indexed by seq */
};

struct tracks *tracks_new(enum table_id t, int field, u64 span_ns)
{
	struct tracks *tr = xcalloc(1, sizeof(*tr));

	tr->table = t;
	tr->field = field;
	tr->span_ns = span_ns;
	return tr;
}

void tracks_free(struct tracks *t)
{
	for (u32 i = 0; t && i < TICKS_MAX; i++)
		free(t->ticks[i].points);
	free(t);
}

static u32 id_of(const struct row *r)
{
	const struct table_desc *d = &table_descs[r->table];
	u32 id = 0;

	for (u32 i = 0; i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];
		const char *s = f->type == FT_STR ? row_str(r, f) : NULL;

		if (f->kind == FK_KEY)
			id = hash_of(id, s ? hash_bytes(s, strlen(s)) : f->type == FT_U64 ? row_u64(r, f) : 0);
	}
	return id;
}

static int cmp_points(const void *pa, const void *pb)
{
	return cmp(((const struct point *)pa)->id, ((const struct point *)pb)->id);
}

static struct track_tick *slot(struct tracks *t, u64 seq)
{
	return &t->ticks[seq % TICKS_MAX];
}

static void take_points(struct tracks *t, struct track_tick *tick, const struct snapshot *s)
{
	const struct table *table = &s->tables[t->table];
	const struct field *f = &table_descs[t->table].fields[t->field];
	struct point *points = xcalloc(min(table->n, POINTS_MAX) + 1, sizeof(*points));

	for (u32 i = 0; i < table->n && tick->n < POINTS_MAX; i++)
		if (u64_known(row_u64(table->rows[i], f)))
			points[tick->n++] = (struct point){ id_of(table->rows[i]), (float)row_u64(table->rows[i], f) };
	tick->points = xrealloc(points, max(tick->n, 1u) * sizeof(*points));
	qsort(tick->points, tick->n, sizeof(*points), cmp_points);
}

/* s: NULL if nothing is known of the tick. */
static void take(struct tracks *t, u64 seq, u64 of, const struct snapshot *s)
{
	struct track_tick *tick = slot(t, seq);

	free(tick->points);
	*tick = (struct track_tick){ .seq = seq, .of = of };
	if (s)
		take_points(t, tick, s);
}

/* Reads a tick from the history, where it may have been merged into a later one. */
static void read_tick(struct tracks *t, struct history *h, u64 seq)
{
	int i = h ? history_find(h, seq) : -1;
	const struct snapshot *s;
	u64 of;

	/* the merged tick has the number of its last one */
	if (h && (i < 0 || history_seq(h, (u32)i) != seq) && (u32)(i + 1) < history_len(h) && i >= 0)
		i++;
	of = i < 0 ? 0 : history_seq(h, (u32)i);
	if (of < seq || of > t->seq) {
		take(t, seq, seq, NULL);
		return;
	}
	if (of != seq) {
		take(t, seq, of, NULL);
		return;
	}
	s = history_snapshot(h, (u32)i);
	take(t, seq, seq, s);
	snapshot_put(s);
}

static bool is_read(struct tracks *t, u64 seq)
{
	return slot(t, seq)->seq == seq;
}

/* The newest first, where the user looks, in chunks read forward. */
static bool read_missing(struct tracks *t, struct history *h, u64 first)
{
	u64 begin = boottime_ns(), end = t->seq;

	while (end >= first) {
		u64 from = max(first, end >= CHUNK ? end - CHUNK + 1 : 1ull);

		for (u64 seq = from; seq <= end; seq++) {
			if (is_read(t, seq))
				continue;
			if (boottime_ns() - begin > READ_NS)
				return false;
			read_tick(t, h, seq);
		}
		end = from - 1;
	}
	return true;
}

static u64 first_of(const struct tracks *t)
{
	return t->seq >= t->n ? t->seq - t->n + 1 : 1;
}

bool tracks_update(struct tracks *t, struct history *h, const struct snapshot *shown)
{
	if (!shown || t->field < 0 || !shown->seq)
		return true;
	t->seq = shown->seq;
	t->n = (u32)min(max(t->span_ns / max(shown->interval_ns, 1ull), 1ull), (u64)TICKS_MAX);
	if (!is_read(t, t->seq))
		take(t, t->seq, t->seq, shown);
	return read_missing(t, h, first_of(t));
}

static float value_at(const struct tracks *t, u64 seq, u32 id)
{
	const struct track_tick *tick = &t->ticks[seq % TICKS_MAX];
	const struct point *p, like = { .id = id };

	if (tick->seq == seq && tick->of != seq)
		tick = &t->ticks[tick->of % TICKS_MAX];
	if (tick->seq < seq || !tick->n)
		return NAN;
	p = bsearch(&like, tick->points, tick->n, sizeof(like), cmp_points);
	return p ? p->v : NAN;
}

void tracks_values(const struct tracks *t, const struct row *like, float *values, u32 n)
{
	u32 a_part = n > 1 ? max((t->n + n - 2) / (n - 1), 1u) : max(t->n, 1u), id = id_of(like);
	u64 last = t->seq / a_part;

	for (u32 i = 0; i < n; i++)
		values[i] = NAN;
	for (u64 seq = first_of(t); t->n && seq <= t->seq; seq++) {
		u64 back = last - seq / a_part;
		float v = value_at(t, seq, id);

		if (back < n && !isnan(v) && !(values[n - 1 - back] >= v))
			values[n - 1 - back] = v;
	}
}
