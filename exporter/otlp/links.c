// SPDX-License-Identifier: GPL-2.0-or-later
/* links.c: see links.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp/conventions.h"
#include "exporter/otlp/links.h"
#include "exporter/otlp/series.h"

#define SIDES_MAX 2048		/* spans that wait for their other side; the oldest goes */

#define ENDED_MAX 2048

/* One side of a call. */
struct side {
	bool used, client;
	u64 connection;		/* a hash of client's and server's address, and of what was asked */
	u64 start_ns, end_ns;
	struct otlp_span_ids ids;
};

struct otlp_links {
	struct side sides[SIDES_MAX];
	const struct row *ended[ENDED_MAX];	/* connections; references, or NULL */
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
		row_put(l->ended[i]);
	free(l);
}

/* ---- the connection -------------------------------------------------------------------------------- */

/* "[::1]:80", as the column `peer` has it. */
static void address_text(char *buf, size_t cap, const char *addr, u64 port)
{
	snprintf(buf, cap, strchr(addr, ':') ? "[%s]:%llu" : "%s:%llu", addr, (unsigned long long)port);
}

static bool is_it(const struct connections_row *c, const char *peer)
{
	char text[96];

	if (!c->remote_addr || !c->local_addr || !u64_known(c->remote_port) || !u64_known(c->local_port))
		return false;
	address_text(text, sizeof(text), c->remote_addr, c->remote_port);
	return !strcmp(text, peer);
}

void otlp_links_tick(struct otlp_links *l, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_connections];

	for (u32 i = 0; i < t->n; i++) {
		if (!t->rows[i]->closed)
			continue;
		row_put(l->ended[l->next_ended]);
		l->ended[l->next_ended] = row_get(t->rows[i]);
		l->next_ended = (l->next_ended + 1) % ENDED_MAX;
	}
}

static const struct connections_row *ended_connection(const struct otlp_links *l, const struct requests_row *r)
{
	for (u32 i = 0; i < ENDED_MAX; i++) {
		const struct connections_row *c = (const struct connections_row *)l->ended[i];

		if (c && c->cookie == r->cookie && is_it(c, r->peer))
			return c;
	}
	return NULL;
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

/* False: the connection is not known. */
static bool describe(const struct otlp_links *l, const struct snapshot *s, const struct requests_row *r,
		     struct side *ret)
{
	const struct connections_row *c;
	char local[96];

	if (!u64_known(r->cookie) || !r->peer || !u64_known(r->duration_ns))
		return false;
	c = open_connection(s, r) ?: ended_connection(l, r);
	if (!c)
		return false;
	address_text(local, sizeof(local), c->local_addr, c->local_port);
	ret->used = true;
	ret->client = text_is(r->side, "client");
	ret->start_ns = r->start_time_ns;
	ret->end_ns = r->start_time_ns + r->duration_ns;
	ret->connection = hash_text(hash_text(0, ret->client ? local : r->peer), ret->client ? r->peer : local);
	ret->connection = hash_text(hash_text(ret->connection, r->method), r->path);
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

	for (u32 i = 0; i < SIDES_MAX; i++) {
		struct side *y = &l->sides[i];
		u64 ns = y->used && y->client != x->client && y->connection == x->connection ?
			 overlap_ns(x, y) : 0;

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

bool otlp_links_find(struct otlp_links *l, const struct snapshot *s, const struct requests_row *r,
		     const struct otlp_span_ids *own, struct otlp_span_ids *ret)
{
	struct side x = { .ids = *own }, *y;

	if (!describe(l, s, r, &x))
		return false;
	y = other_side(l, &x);
	if (y) {
		*ret = y->ids;
		y->used = false;
		return true;
	}
	l->sides[l->next] = x;
	l->next = (l->next + 1) % SIDES_MAX;
	return false;
}
