// SPDX-License-Identifier: GPL-2.0-or-later
/* links.c: see links.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "exporter/otlp/conventions.h"
#include "exporter/otlp/links.h"
#include "exporter/otlp/series.h"

#define SIDES_MAX 16384		/* spans waiting for their counterpart, more than a tick has */
#define SIDES_FIRST 2048	/* initial capacity; doubles when it fills up within ROUND_NS */
#define ROUND_NS (2 * NSEC_PER_SEC)
#define SAME_MAX 256		/* waiting for the same connection and request */

/* One end of a call. */
struct side {
	struct hash_node node;
	bool used, client;
	u64 connection;		/* hash of the client's and server's address, and of the request */
	u64 start_ns, end_ns;
	struct otlp_span_ids ids;
};

struct otlp_links {
	struct side *sides;
	struct hash_table by_connection;
	u32 n, next;
	u64 round_ns;		/* end of the first span when the buffer last wrapped around */
};

struct otlp_links *otlp_links_new(void)
{
	struct otlp_links *l = xcalloc(1, sizeof(*l));

	l->n = SIDES_FIRST;
	l->sides = xcalloc(l->n, sizeof(*l->sides));
	return l;
}

void otlp_links_free(struct otlp_links *l)
{
	if (!l)
		return;
	hash_free(&l->by_connection, NULL);
	free(l->sides);
	free(l);
}

/* ---- the connection -------------------------------------------------------------------------------- */

static u64 hash_text(u64 hash, const char *text)
{
	return otlp_hash(hash, text, strlen(text) + 1);
}

/* False: the connection is not known, or the request was not answered. */
static bool describe(const struct requests_row *r, struct side *ret)
{
	u64 hash;

	if (!r->local || !r->peer || !u64_known(r->duration_ns))
		return false;
	ret->used = true;
	ret->client = text_is(r->side, "client");
	ret->start_ns = r->start_time_ns;
	ret->end_ns = r->start_time_ns + r->duration_ns;
	hash = hash_text(0, ret->client ? r->local : r->peer);
	hash = hash_text(hash, ret->client ? r->peer : r->local);
	ret->connection = hash_text(hash_text(hash, r->method ?: ""), r->path ?: "");
	return true;
}

/* ---- the counterpart ---- */

static u64 overlap_ns(const struct side *a, const struct side *b)
{
	u64 from = max(a->start_ns, b->start_ns), to = min(a->end_ns, b->end_ns);

	return to > from ? to - from : 0;
}

static void forget_side(struct otlp_links *l, struct side *x)
{
	if (x->used)
		hash_remove(&l->by_connection, &x->node);
	x->used = false;
}

/*
 * The span of the other end that overlaps in time. Each end has its own timestamps, so the previous
 * request may seem to overlap a little; if a second one overlaps by half as much (identical
 * requests on streams of one connection) the match is ambiguous.
 */
static struct side *other_side(struct otlp_links *l, const struct side *x)
{
	struct side *best = NULL, *last = NULL;
	u64 most = 0, second = 0;
	u32 n = 0;

	for (struct side *y = hash_first(&l->by_connection, (u32)x->connection); y; y = hash_next(&y->node)) {
		u64 ns = y->client != x->client && y->connection == x->connection ? overlap_ns(x, y) : 0;

		if (ns > most) {
			second = most;
			most = ns;
			best = y;
		} else {
			second = max(second, ns);
		}
		last = y;
		n++;
	}
	if (n >= SAME_MAX && last != best)	/* newest first: keeps the chain short */
		forget_side(l, last);
	return second < most / 2 ? best : NULL;
}

/* The buffer wrapped around: if that took little time its capacity doubles. */
static void end_round(struct otlp_links *l, u64 now_ns)
{
	bool soon = now_ns < l->round_ns + ROUND_NS;

	l->round_ns = now_ns;
	l->next = 0;
	if (!soon || l->n >= SIDES_MAX)
		return;
	hash_free(&l->by_connection, NULL);
	l->sides = xrealloc(l->sides, 2 * l->n * sizeof(*l->sides));
	memset(l->sides + l->n, 0, l->n * sizeof(*l->sides));
	for (u32 i = 0; i < l->n; i++)
		if (l->sides[i].used)
			hash_add(&l->by_connection, &l->sides[i].node, (u32)l->sides[i].connection);
	l->next = l->n;
	l->n *= 2;
}

/* Kept until its counterpart comes or newer spans evict it. */
static void keep_side(struct otlp_links *l, const struct side *x)
{
	struct side *kept = &l->sides[l->next];

	forget_side(l, kept);
	*kept = *x;
	hash_add(&l->by_connection, &kept->node, (u32)x->connection);
	if (++l->next == l->n)
		end_round(l, x->end_ns);
}

bool otlp_links_find(struct otlp_links *l, const struct requests_row *r, const struct otlp_span_ids *own,
		     struct otlp_span_ids *ret)
{
	struct side x = { .ids = *own }, *y;

	if (!describe(r, &x))
		return false;
	y = other_side(l, &x);
	if (y) {
		*ret = y->ids;
		forget_side(l, y);
		return true;
	}
	keep_side(l, &x);
	return false;
}
