// SPDX-License-Identifier: GPL-2.0-or-later
/* links.c: see links.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "exporter/otlp/conventions.h"
#include "exporter/otlp/links.h"
#include "exporter/otlp/series.h"

#define SIDES_MAX 2048		/* spans that wait for their other side; the oldest goes */

#define ENDED_MAX 2048

/* One side of a call. */
struct side {
	struct hash_node node;
	bool used, client;
	u64 connection;		/* a hash of client's and server's address, and of what was asked */
	u64 start_ns, end_ns;
	struct otlp_span_ids ids;
};

/* A connection that has ended, by its cookie. */
struct ended {
	struct hash_node node;
	const struct row *row;	/* a reference, or NULL */
};

struct otlp_links {
	struct side sides[SIDES_MAX];
	struct ended ended[ENDED_MAX];
	struct hash_table by_connection, by_cookie;
	u32 next, next_ended;
};

struct otlp_links *otlp_links_new(void)
{
	return xcalloc(1, sizeof(struct otlp_links));
}

void otlp_links_free(struct otlp_links *l)
{
	if (!l)
		return;
	for (u32 i = 0; i < ENDED_MAX; i++)
		row_put(l->ended[i].row);
	hash_free(&l->by_connection, NULL);
	hash_free(&l->by_cookie, NULL);
	free(l);
}

/* ---- the connection -------------------------------------------------------------------------------- */

/* Whether a text is "10.0.0.7:80" or "[::1]:80" of these, as the column `peer` has it. */
static bool is_address(const char *text, const char *addr, u64 port)
{
	bool bracketed = strchr(addr, ':') != NULL;
	size_t n = strlen(addr);
	char *end;

	if (bracketed && *text++ != '[')
		return false;
	if (strncmp(text, addr, n))
		return false;
	text += n;
	if (bracketed && *text++ != ']')
		return false;
	return *text == ':' && strtoull(text + 1, &end, 10) == port && !*end;
}

static bool is_it(const struct connections_row *c, const char *peer)
{
	return c->remote_addr && c->local_addr && u64_known(c->remote_port) && u64_known(c->local_port) &&
	       is_address(peer, c->remote_addr, c->remote_port);
}

static void keep_ended(struct otlp_links *l, const struct row *r)
{
	struct ended *e = &l->ended[l->next_ended];

	if (e->row)
		hash_remove(&l->by_cookie, &e->node);
	row_put(e->row);
	e->row = row_get(r);
	hash_add(&l->by_cookie, &e->node, hash_of(((const struct connections_row *)r)->cookie));
	l->next_ended = (l->next_ended + 1) % ENDED_MAX;
}

void otlp_links_tick(struct otlp_links *l, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_connections];

	for (u32 i = 0; i < t->n; i++)
		if (t->rows[i]->closed)
			keep_ended(l, t->rows[i]);
}

static const struct connections_row *row_of(const struct ended *e)
{
	return (const struct connections_row *)e->row;
}

static const struct connections_row *ended_connection(const struct otlp_links *l, const struct requests_row *r)
{
	const struct ended *e = hash_find(&l->by_cookie, hash_of(r->cookie), struct ended, x,
					  row_of(x)->cookie == r->cookie && is_it(row_of(x), r->peer));

	return e ? row_of(e) : NULL;
}

/* The row of the connection of a request; rows are in the order of their cookies. NULL: none. */
static const struct connections_row *open_connection(const struct snapshot *s, const struct requests_row *r)
{
	const struct table *t = &s->tables[TABLE_connections];
	u32 low = 0, high = t->n;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (((const struct connections_row *)t->rows[middle])->cookie < r->cookie)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < t->n; low++) {
		const struct connections_row *c = (const struct connections_row *)t->rows[low];

		if (c->cookie != r->cookie)
			break;
		if (is_it(c, r->peer))
			return c;
	}
	return NULL;
}

static u64 hash_text(u64 hash, const char *text)
{
	return otlp_hash(hash, text ?: "", strlen(text ?: "") + 1);
}

static u64 hash_address(u64 hash, const char *addr, u64 port)
{
	return otlp_hash(hash_text(hash, addr), &port, sizeof(port));
}

/* False: the connection is not known. */
static bool describe(const struct otlp_links *l, const struct snapshot *s, const struct requests_row *r,
		     struct side *ret)
{
	const struct connections_row *c;
	u64 hash = 0;

	if (!u64_known(r->cookie) || !r->peer || !u64_known(r->duration_ns))
		return false;
	c = open_connection(s, r) ?: ended_connection(l, r);
	if (!c)
		return false;
	ret->used = true;
	ret->client = text_is(r->side, "client");
	ret->start_ns = r->start_time_ns;
	ret->end_ns = r->start_time_ns + r->duration_ns;
	if (ret->client)	/* the client's address first */
		hash = hash_address(hash, c->local_addr, c->local_port);
	hash = hash_address(hash, c->remote_addr, c->remote_port);
	if (!ret->client)
		hash = hash_address(hash, c->local_addr, c->local_port);
	ret->connection = hash_text(hash_text(hash, r->method), r->path);
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

bool otlp_links_find(struct otlp_links *l, const struct snapshot *s, const struct requests_row *r,
		     const struct otlp_span_ids *own, struct otlp_span_ids *ret)
{
	struct side x = { .ids = *own }, *y;

	if (!describe(l, s, r, &x))
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
