// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_udp.c: see connections_udp.h. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/kernel/probes.h"
#include "bpf/model/hash.h"
#include "bpf/host/proctab.h"
#include "bpf/collectors/connections/connections_calls.h"
#include "bpf/collectors/connections/connections_udp.h"
#include "connections_calls.skel.h"

#define IDLE_NS (60 * NSEC_PER_SEC)	/* for flows of sockets with several peers */
#define BATCH 256

/* A UDP socket, as read by the pass. */
struct udp_sock {
	struct hash_node node;
	u64 id;			/* flow_key.socket */
	u64 cookie;
	u32 pass;		/* the last one that saw it */
	bool connected;
	u8 proto;
	u32 generation;		/* flows of it that have ended: the next one is a new flow, even with the same peer */
};

static struct hash_table sockets;	/* by id */
static u32 last_pass;		/* the current one, or the last */

/* ---- sockets ---- */

static struct udp_sock *socket_find(u64 id)
{
	return hash_find(&sockets, hash_of(id), struct udp_sock, s, s->id == id);
}

static struct udp_sock *socket_make(u64 id, u64 cookie, u8 proto)
{
	struct udp_sock *s = xcalloc(1, sizeof(*s));

	s->id = id;
	s->cookie = cookie;
	s->proto = proto;
	s->pass = last_pass;
	hash_add(&sockets, &s->node, hash_of(id));
	return s;
}

/* Removes sockets that two passes did not see: their last datagrams may be counted after the first. */
static void sockets_sweep(u32 pass)
{
	hash_each(&sockets, struct udp_sock, s) {
		if (s->pass + 1 >= pass)
			continue;
		hash_remove(&sockets, &s->node);
		free(s);
	}
}

/* ---- flows ---- */

static struct conn *flow_conn(const struct udp_sock *s, u16 flags, const struct wire_ends *e, u64 now_ns)
{
	bool is_new;
	struct conn *c = conn_find_flow(s->cookie, e);
	struct connections_row *r;

	if (c)
		return c;
	c = conn_get(s->cookie, s->generation, s->proto, flags, e, now_ns, &is_new);
	if (!c || !is_new)
		return c;
	c->socket = s->id;
	r = conn_row(c);
	r->state = str_new("FLOW");
	r->direction = str_new("");
	r->direction_by = str_new("");
	r->srtt_ns = r->rtt_min_ns = r->cwnd = r->retransmits = r->connect_ns = U64_BLANK;
	r->rx_bytes = r->tx_bytes = r->rx_packets = r->tx_packets = 0;
	c->read_ns = now_ns;
	c->updated = true;
	return c;
}

struct conn *udp_socket(const struct wire_sock *w, u32 pass, u64 now_ns)
{
	u64 id = calls_by_descriptor() ? w->ino | FLOW_BY_INODE : w->cookie;
	struct udp_sock *s = socket_find(id) ?: socket_make(id, w->cookie, w->proto);

	last_pass = s->pass = pass;
	s->connected = w->ends.rport != 0;
	return s->connected ? flow_conn(s, w->flags, &w->ends, now_ns) : NULL;
}

/* Once a datagram count was unclear, this flow's packets stay unknown. */
static void add_packets(u64 *sum, u32 n, bool unclear)
{
	if (unclear)
		*sum = U64_UNKNOWN;
	else if (u64_known(*sum))
		*sum += n;
}

static void take_flow(const struct flow_key *k, const struct flow *f)
{
	struct udp_sock *s = socket_find(k->socket) ?:
			     socket_make(k->socket, k->socket, (u8)f->proto);
	struct wire_ends e = { .lport = f->lport, .rport = k->rport, .netns = f->netns };
	struct connections_row *r;
	struct conn *c;

	memcpy(e.local, f->local, sizeof(e.local));
	memcpy(e.remote, k->remote, sizeof(e.remote));
	s->pass = max(s->pass, last_pass);	/* it was just used, so it exists */
	c = flow_conn(s, k->v6 ? WS_V6 : 0, &e, f->begun_ns);
	if (!c)
		return;
	if (!c->begun_ns)
		c->begun_ns = f->begun_ns;
	r = conn_row(c);
	r->rx_bytes += f->rx_bytes;
	r->tx_bytes += f->tx_bytes;
	add_packets(&r->rx_packets, f->rx_packets, f->unclear & FLOW_RX_UNCLEAR);
	add_packets(&r->tx_packets, f->tx_packets, f->unclear & FLOW_TX_UNCLEAR);
	c->read_ns = f->last_ns;
	c->updated = true;
	conn_set_owner(c, &f->owner, true);
}

/* Drains the map in batches. 0, or -1 if entries are left that cannot be taken now. */
static int take_batches(int fd)
{
	static struct flow_key keys[BATCH];
	static struct flow values[BATCH];
	void *from = NULL;	/* the beginning */
	u32 at, n;
	int err;

	do {
		n = BATCH;
		err = bpf_map_lookup_and_delete_batch(fd, from, &at, keys, values, &n, NULL);
		if (err && errno != ENOENT)
			return -1;
		for (u32 i = 0; i < n; i++)
			take_flow(&keys[i], &values[i]);
		from = &at;
	} while (!err);
	return 0;
}

/* The same with a BPF program: see bpf/kernel/map_ops.h. */
static int take_by_program(struct connections_calls *skel, int prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	do {
		if (bpf_prog_test_run_opts(prog, &opts))
			return -1;
		for (u32 i = 0; i < skel->bss->n_taken; i++)
			take_flow(&skel->bss->taken[i].key, &skel->bss->taken[i].value);
	} while (skel->bss->n_taken == TAKEN_MAX);
	return 0;
}

/* Drains the inactive map; `used` is the number of entries left. */
static void drain_map(struct connections_calls *skel, u32 set)
{
	int prog = bpf_program__fd(set ? skel->progs.take_flows1 : skel->progs.take_flows0), err;

	if (!skel->bss->used[set])
		return;
	err = prog >= 0 ? take_by_program(skel, prog) :
	      take_batches(bpf_map__fd(set ? skel->maps.flows1 : skel->maps.flows0));
	if (!err)
		skel->bss->used[set] = 0;
}

static void drain_slots(struct connections_calls *skel, u32 set)
{
	if (!skel->bss->n_slots[set])
		return;
	for (u32 i = 0; i < SLOTS_MAX; i++) {
		struct flow_slot *s = &skel->bss->slots[set * SLOTS_MAX + i];

		if (s->state == SLOT_FREE)
			continue;
		if (s->state == SLOT_READY)	/* else its datagram was counted elsewhere */
			take_flow(&s->flow.key, &s->flow.value);
		memset(s, 0, sizeof(*s));
	}
	skel->bss->n_slots[set] = 0;
}

/* The set that programs count in. */
static u32 current_set(const struct connections_calls *skel)
{
	return skel->bss->swaps & 1;
}

bool udp_swap(void)
{
	struct connections_calls *skel = calls_skel();
	u32 set;

	if (!skel)
		return false;
	set = current_set(skel);
	if (!skel->bss->used[set] && !skel->bss->n_slots[set])
		return false;
	skel->bss->swaps++;
	return true;
}

static void drain_at_rest(void)
{
	struct connections_calls *skel = calls_skel();

	if (!skel)
		return;
	drain_slots(skel, current_set(skel) ^ 1);
	drain_map(skel, current_set(skel) ^ 1);
}

void udp_drain(void)
{
	struct connections_calls *skel = calls_skel();

	if (!skel || skel->bss->used[current_set(skel)] < FLOWS_MAX / 4)
		return;
	drain_at_rest();	/* not drained yet if this is called within a tick */
	skel->bss->swaps++;
	probes_grace_period();
	drain_at_rest();
}

struct unseen_flows {
	u32 pass;
	u64 pass_start_ns, now_ns;
};

static void close_unseen(struct conn *c, void *arg)
{
	const struct unseen_flows *u = arg;
	struct udp_sock *s;

	if (c->proto == IPPROTO_TCP || c->closed || c->read_ns >= u->pass_start_ns)
		return;
	s = socket_find(c->socket);
	/* flows counted between the start of the tick and the swap are younger than `now` */
	if (s && s->pass + 1 >= u->pass && (s->connected || u->now_ns < c->read_ns + IDLE_NS))
		return;
	if (s)
		s->generation++;
	conn_close(c, END_CLOSED, false, c->read_ns);
}

/*
 * Drains the counts first: a socket used for the last time after the swap would be closed here, and
 * its last datagrams would appear as another flow.
 */
void udp_close_unseen(u32 pass, u64 pass_start_ns, u64 now_ns)
{
	struct unseen_flows u = { pass, pass_start_ns, now_ns };

	drain_at_rest();
	last_pass = pass;	/* even if it saw no UDP socket: sockets counted from now on were used after it */
	conn_each(close_unseen, &u);
	sockets_sweep(pass);
}

void udp_read(const struct tick *t)
{
	struct connections_calls *skel = calls_skel();

	(void)t;
	if (!skel)
		return;
	calls_follow();
	drain_at_rest();
	loss_set("datagrams not counted: more than 64 in a call", skel->bss->lost_messages);
	loss_set("datagrams not counted: flow table full", skel->bss->lost_flows);
	loss_set("datagrams not counted: new socket", skel->bss->lost_numbers);
}

void udp_clear(void)
{
	hash_free(&sockets, free);
	last_pass = 0;
}
