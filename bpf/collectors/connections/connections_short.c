// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_short.c: see connections_short.h. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/collectors/connections/connections_events.h"
#include "bpf/collectors/connections/connections_short.h"
#include "bpf/collectors/connections/connections_table.h"
#include "bpf/host/proctab.h"
#include "bpf/model/hash.h"
#include "connections.skel.h"

#define IDLE_NS (60 * NSEC_PER_SEC)	/* as of a flow of UDP */
#define NUMBERS_FROM (1ull << 52)	/* in the place of cookies, which begin at 1; exact as a double */

/* The row of a key; its connection in the table is found by this number. */
struct short_row {
	struct hash_node node;
	struct short_key key;
	struct wire_ends ends;
	u64 number, last_ns;
	bool used;		/* in this tick */
};

static struct connections *skel;
static struct hash_table rows;
static u64 last_number = NUMBERS_FROM;

static struct short_row *row_of(const struct short_count *from)
{
	const struct short_key *k = &from->key;
	u32 hash = hash_bytes(k, sizeof(*k));
	struct short_row *s = hash_find(&rows, hash, struct short_row, x, !memcmp(&x->key, k, sizeof(*k)));

	if (s)
		return s;
	s = xcalloc(1, sizeof(*s));
	s->key = *k;
	s->number = ++last_number;
	s->ends.netns = k->netns;
	memcpy(s->ends.remote, k->remote, sizeof(k->remote));
	memcpy(s->ends.local, from->local, sizeof(from->local));
	*(k->accepted ? &s->ends.lport : &s->ends.rport) = k->port;
	hash_add(&rows, &s->node, hash);
	return s;
}

static void row_begin(struct conn *c, const struct short_count *from)
{
	struct connections_row *r = conn_row(c);
	bool accepted = from->key.accepted;

	c->many = true;
	c->announced = true;
	c->begun_ns = r->row.first_seen_ns = from->first_ns;
	conn_set_direction(c, (struct conn_verdict){ accepted ? DIR_ACCEPTED : DIR_OPENED, BY_SEEN });
	r = conn_row(c);
	str_set(&r->state, str_new("MANY"));
	*(accepted ? &r->remote_port : &r->local_port) = U64_BLANK;
	r->cwnd = r->connect_ns = r->rtt_min_ns = U64_BLANK;
	r->connections = r->rx_bytes = r->tx_bytes = r->rx_packets = r->tx_packets = r->retransmits = 0;
}

static void add(struct conn *c, const struct short_count *from, u64 now_ns)
{
	struct connections_row *r = conn_row(c);

	r->connections += from->n;
	r->rx_bytes += from->rx_bytes;
	r->tx_bytes += from->tx_bytes;
	r->rx_packets += from->rx_packets;
	r->tx_packets += from->tx_packets;
	r->srtt_ns = from->srtt_8us ? (u64)from->srtt_8us * NSEC_PER_USEC / 8 : U64_BLANK;
	c->read_ns = now_ns;
	c->updated = true;
}

static void take(const struct short_count *from, u64 now_ns)
{
	struct short_row *s = row_of(from);
	struct wire_owner owner = { .tgid = from->key.tgid, .start_ns = from->key.start_ns };
	bool is_new;
	struct conn *c = conn_get(s->number, 0, IPPROTO_TCP, from->key.v6 ? WS_V6 : 0, &s->ends, from->first_ns, &is_new);

	s->used = true;
	s->last_ns = from->last_ns;
	if (!c)
		return;
	if (is_new)
		row_begin(c, from);
	memcpy(owner.comm, from->comm, sizeof(owner.comm));
	conn_set_owner(c, &owner, true);
	add(c, from, now_ns);
	conn_events_unlisted(c, 2 * from->n);	/* of its begin, and of its end */
}

/* ---- one tick ---- */

bool short_swap(void)
{
	if (!skel || !skel->bss->short_used[skel->bss->short_set])
		return false;
	skel->bss->short_set ^= 1;
	return true;
}

static void drain(u64 now_ns)
{
	u32 set = skel->bss->short_set ^ 1;
	struct short_count *at = skel->bss->shorts + set * SHORT_PLACES;

	if (!skel->bss->short_used[set])
		return;
	for (u32 i = 0; i < SHORT_PLACES; i++)
		if (at[i].state == SHORT_READY && at[i].n)
			take(&at[i], now_ns);
	memset(at, 0, SHORT_PLACES * sizeof(*at));
	skel->bss->short_used[set] = 0;
}

static bool is_over(const struct short_row *s, u64 now_ns)
{
	const struct proc *p = proctab_find(s->key.tgid, s->key.start_ns);

	return !s->used && (!p || p->closed || now_ns > s->last_ns + IDLE_NS);
}

static void sweep(u64 now_ns)
{
	hash_each(&rows, struct short_row, s) {
		struct conn *c;

		if (!is_over(s, now_ns)) {
			s->used = false;
			continue;
		}
		c = conn_find(s->number, 0, &s->ends);
		if (c)
			conn_close(c, END_CLOSED, false, s->last_ns);
		hash_remove(&rows, &s->node);
		free(s);
	}
}

void short_read(const struct tick *t)
{
	if (!skel)
		return;
	drain(t->now_ns);
	sweep(t->now_ns);
}

void short_open(struct connections *s)
{
	skel = s;
}

void short_close(void)
{
	hash_free(&rows, free);
	skel = NULL;
}
