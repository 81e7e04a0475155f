// SPDX-License-Identifier: GPL-2.0-or-later
/* links.c: see links.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "exporter/otlp/conventions.h"
#include "exporter/otlp/links.h"
#include "exporter/otlp/series.h"

#define SIDES_MAX 2048		/* spans that wait for their other side; the oldest goes */

/* One side of a call. */
struct side {
	struct hash_node node;
	bool used, client;
	u64 connection;		/* a hash of client's and server's address, and of what was asked */
	u64 start_ns, end_ns;
	struct otlp_span_ids ids;
};

struct otlp_links {
	struct side sides[SIDES_MAX];
	struct hash_table by_connection;
	u32 next;
};

struct otlp_links *otlp_links_new(void)
{
	return xcalloc(1, sizeof(struct otlp_links));
}

void otlp_links_free(struct otlp_links *l)
{
	if (!l)
		return;
	hash_free(&l->by_connection, NULL);
	free(l);
}

/* ---- the connection -------------------------------------------------------------------------------- */

static u64 hash_text(u64 hash, const char *text)
{
	return otlp_hash(hash, text, strlen(text) + 1);
}

/* False: its connection is not known, or it was not answered. */
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

/* ---- the other side -------------------------------------------------------------------------------- */

static u64 overlap_ns(const struct side *a, const struct side *b)
{
	u64 from = max(a->start_ns, b->start_ns), to = min(a->end_ns, b->end_ns);

	return to > from ? to - from : 0;
}

/*
 * The one that lasted at the same time. Times of both sides are taken by themselves, so that the
 * request before may seem to overlap a little; where another does so for half as long (streams
 * of one connection that ask for the same) it is not known which it is.
 */
static struct side *other_side(struct otlp_links *l, const struct side *x)
{
	struct side *best = NULL;
	u64 most = 0, second = 0;

	for (struct side *y = hash_first(&l->by_connection, (u32)x->connection); y; y = hash_next(&y->node)) {
		u64 ns = y->client != x->client && y->connection == x->connection ? overlap_ns(x, y) : 0;

		if (ns > most) {
			second = most;
			most = ns;
			best = y;
		} else {
			second = max(second, ns);
		}
	}
	return second < most / 2 ? best : NULL;
}

static void forget_side(struct otlp_links *l, struct side *x)
{
	if (x->used)
		hash_remove(&l->by_connection, &x->node);
	x->used = false;
}

/* Until its other side comes, or so many others have come. */
static void keep_side(struct otlp_links *l, const struct side *x)
{
	struct side *kept = &l->sides[l->next];

	forget_side(l, kept);
	*kept = *x;
	hash_add(&l->by_connection, &kept->node, (u32)x->connection);
	l->next = (l->next + 1) % SIDES_MAX;
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
