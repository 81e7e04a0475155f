// SPDX-License-Identifier: GPL-2.0-or-later
/* history.c: encodes ticks, and decodes them to snapshots. */
#include "bpf/record/ticks.h"

#define FORGET_AFTER 6	/* appends after which an unused cursor, with a whole snapshot, is freed */
#define RECENT_FOR 3	/* appends after which its recent snapshots are freed */
#define FAMILY_BYTES 46000000ull	/* budget is 50 MB; shrinking takes a while */
#define LEAST_SHARE 16
#define FIT_STEP 32	/* fraction of the cap per append, as merging takes time */

static struct history *history_alloc(const struct stored_schema *schema,
				     const struct session *session, int fd, u64 cap_bytes)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->schema = schema;
	h->session = session;
	h->fd = fd;
	h->cap_bytes = h->most_bytes = cap_bytes;
	h->next_id = 1;
	return h;
}

struct history *history_new(size_t cap_bytes)
{
	return history_alloc(stored_schema_own(), NULL, -1, cap_bytes);
}

struct history *history_new_file(int fd, const struct stored_schema *schema,
				 const struct session *session)
{
	return history_alloc(schema, session, fd, 0);
}

/* ---- groups ---- */

static struct group *last_group(struct history *h)
{
	return h->n ? &h->groups[h->n - 1] : NULL;
}

static struct group *new_group(struct history *h)
{
	h->groups = grow(h->groups, h->n, &h->cap, sizeof(*h->groups));
	h->groups[h->n] = (struct group){ .id = h->next_id++, .first = h->len, .level = 1 };
	return &h->groups[h->n++];
}

/* Its bytes change, so it gets another id: cursors restart. */
static void close_group(struct history *h)
{
	struct group *g = last_group(h);

	if (!g)
		return;
	h->bytes -= group_bytes(g);
	group_close(g);
	g->id = h->next_id++;
	h->bytes += group_bytes(g);
}

/* A group ends by number of ticks, size of its deltas, or if it alone exceeds the cap. */
static bool group_is_full(struct history *h, const struct group *g)
{
	return g->n >= CODEC_GROUP_TICKS || encoder_is_full(h->encoder) ||
	       h->bytes > h->cap_bytes ||
	       g->bytes.n > max(h->cap_bytes / 8, 2ull * g->ticks[0].len);
}

void history_renumber(struct history *h)
{
	h->len = 0;
	for (u32 i = 0; i < h->n; i++) {
		h->groups[i].first = h->len;
		h->len += h->groups[i].n;
	}
}

/* ---- appending ---- */

static void drop_recent(struct cursor *c)
{
	for (u32 i = 0; i < RECENT_TICKS; i++) {
		snapshot_put(c->recent[i].s);
		c->recent[i] = (struct recent){ 0 };
	}
}

static void cursor_clear(struct cursor *c)
{
	drop_recent(c);
	decoder_free(c->decoder);
	reader_clear(&c->reader);
	*c = (struct cursor){ 0 };
}

void history_append(struct history *h, const struct snapshot *s)
{
	struct group *g = last_group(h);

	if (!h->encoder)
		h->encoder = encoder_new();
	h->session = s->session;
	if (!g || group_is_full(h, g)) {
		close_group(h);
		g = new_group(h);
	}
	h->bytes -= group_bytes(g);
	group_append(g, h->encoder, s);
	h->bytes += group_bytes(g);
	h->len++;
	snapshot_put(h->newest);
	h->newest = snapshot_get(s);
	if (++h->cursor.unused > FORGET_AFTER)
		cursor_clear(&h->cursor);
	else if (h->cursor.unused == RECENT_FOR)
		drop_recent(&h->cursor);
	compact_step(h);
}

void history_fit(struct history *h, u64 family_bytes)
{
	u64 others = family_bytes - min(family_bytes, h->bytes);
	u64 room = FAMILY_BYTES - min(FAMILY_BYTES, others), step = h->most_bytes / FIT_STEP;

	room = min(max(room, family_bytes / LEAST_SHARE), h->most_bytes);
	h->cap_bytes = room < h->cap_bytes ? max(room, h->cap_bytes - min(step, h->cap_bytes)) :
					     min(room, h->cap_bytes + step);
}

void history_add_file_tick(struct history *h, const struct tick_head *head, u64 offset, u32 len)
{
	struct stored_tick t = { head->seq, head->time_ns, head->interval_ns, offset, len };

	group_add(head->key || !h->n ? new_group(h) : last_group(h), &t);
	h->len++;
	h->bytes += sizeof(t);
}

void history_free(struct history *h)
{
	if (!h)
		return;
	compact_abort(h);
	cursor_clear(&h->cursor);
	for (u32 i = 0; i < h->n; i++)
		group_free(&h->groups[i]);
	free(h->groups);
	encoder_free(h->encoder);
	snapshot_put(h->newest);
	free(h);
}

/* ---- reading ---- */

u32 history_len(const struct history *h)
{
	return h->len;
}

/* The group of tick i, which must exist. */
static struct group *group_of(const struct history *h, u32 i)
{
	/* from 1: the first group is the fallback */
	return &h->groups[bisect(k, 1, h->n, h->groups[k].first <= i) - 1];
}

static const struct stored_tick *tick_of(const struct history *h, u32 i)
{
	static const struct stored_tick none;
	const struct group *g;

	if (i >= h->len)
		return &none;
	g = group_of(h, i);
	return &g->ticks[i - g->first];
}

u64 history_seq(const struct history *h, u32 i)
{
	return tick_of(h, i)->seq;
}

u64 history_time_ns(const struct history *h, u32 i)
{
	return tick_of(h, i)->time_ns;
}

u64 history_interval_ns(const struct history *h, u32 i)
{
	return tick_of(h, i)->interval_ns;
}

int history_find(const struct history *h, u64 seq)
{
	return (int)bisect(i, 0, h->len, history_seq(h, i) <= seq) - 1;
}

static const struct snapshot *find_recent(const struct cursor *c, const struct group *g, u32 k)
{
	for (u32 i = 0; i < RECENT_TICKS; i++)
		if (c->recent[i].s && c->recent[i].group == g->id && c->recent[i].tick == k)
			return c->recent[i].s;
	return NULL;
}

/* Keeps the tick decoded last. */
static void keep_recent(struct cursor *c, const struct group *g, u32 k)
{
	struct recent *r = &c->recent[c->n_recent++ % RECENT_TICKS];

	snapshot_put(r->s);
	*r = (struct recent){ g->id, k, decoder_snapshot(c->decoder) };
}

/* Decodes up to and including tick k of g; going back restarts at the key tick. */
static int cursor_walk(struct history *h, struct cursor *c, const struct group *g, u32 k)
{
	const u8 *data;

	if (!c->decoder)
		c->decoder = decoder_new(h->schema, h->session);
	if (c->group != g->id || k + 1 < c->next) {
		c->group = g->id;
		c->next = 0;
	}
	decoder_like(c->decoder, h->newest);
	for (; c->next <= k; c->next++) {
		data = reader_tick(&c->reader, h->fd, g, c->next);
		if (!data || decoder_tick(c->decoder, data, g->ticks[c->next].len))
			return -1;
		if (c->next + RECENT_BEFORE >= k && !find_recent(c, g, c->next))
			keep_recent(c, g, c->next);
	}
	return 0;
}

const struct snapshot *history_snapshot(struct history *h, u32 i)
{
	struct cursor *c = &h->cursor;
	const struct snapshot *s;
	const struct group *g;

	if (i >= h->len)
		return NULL;
	if (i == h->len - 1 && h->newest)
		return snapshot_get(h->newest);
	g = group_of(h, i);
	c->unused = 0;
	s = find_recent(c, g, i - g->first);
	if (s)
		return snapshot_get(s);
	if (cursor_walk(h, c, g, i - g->first)) {
		cursor_clear(c);
		return NULL;
	}
	if (!find_recent(c, g, i - g->first))	/* replaced since by a later one */
		keep_recent(c, g, i - g->first);
	return snapshot_get(find_recent(c, g, i - g->first));
}

void history_rest(struct history *h)
{
	cursor_clear(&h->cursor);
}

u64 history_bytes(const struct history *h)
{
	return h->bytes;
}

u64 history_merged(const struct history *h)
{
	return h->merged;
}

u64 history_dropped(const struct history *h)
{
	return h->dropped;
}
