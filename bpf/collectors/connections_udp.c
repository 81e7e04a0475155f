// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_udp.c: see connections_udp.h. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/features.h"
#include "bpf/probes.h"
#include "bpf/proctab.h"
#include "bpf/collectors/connections_udp.h"
#include "connections_calls.skel.h"

#define SOCKET_BUCKETS 1024
#define IDLE_NS (60 * NSEC_PER_SEC)	/* of a flow whose socket has other peers too */
#define BATCH 256

/* A UDP socket: what the pass says of it. */
struct udp_sock {
	struct udp_sock *next;
	u64 id;			/* as flow_key.socket has it */
	u64 cookie;
	u32 pass;		/* the last one that met it */
	bool connected;
};

static struct connections_calls *skel;
static struct bpf_link *links[4];
static u32 n_links;
static struct udp_sock *sockets[SOCKET_BUCKETS];

/* ---- sockets ---- */

static struct udp_sock **bucket_of(u64 id)
{
	return &sockets[id * 0x9e3779b97f4a7c15ull >> 40 & (SOCKET_BUCKETS - 1)];
}

static struct udp_sock *socket_find(u64 id)
{
	struct udp_sock *s = *bucket_of(id);

	while (s && s->id != id)
		s = s->next;
	return s;
}

static struct udp_sock *socket_make(u64 id, u64 cookie)
{
	struct udp_sock *s = xcalloc(1, sizeof(*s));

	s->id = id;
	s->cookie = cookie;
	s->next = *bucket_of(id);
	*bucket_of(id) = s;
	return s;
}

static void sockets_sweep(u32 pass)
{
	for (u32 i = 0; i < SOCKET_BUCKETS; i++) {
		struct udp_sock **link = &sockets[i];

		while (*link) {
			struct udp_sock *s = *link;

			if (s->pass >= pass) {
				link = &s->next;
				continue;
			}
			*link = s->next;
			free(s);
		}
	}
}

/* ---- flows ---- */

static struct conn *flow_conn(u64 cookie, u16 flags, const struct wire_ends *e, u64 now_ns)
{
	bool is_new;
	struct conn *c = conn_get(cookie, IPPROTO_UDP, flags, e, now_ns, &is_new);
	struct connections_row *r;

	if (!is_new)
		return c;
	r = conn_row(c);
	r->state = str_new("FLOW");
	r->direction = str_new("");
	r->srtt_ns = r->rtt_min_ns = r->cwnd = r->retransmits = r->connect_ns = U64_BLANK;
	r->rx_bytes = r->tx_bytes = r->rx_packets = r->tx_packets = 0;
	c->read_ns = now_ns;
	c->updated = true;
	return c;
}

struct conn *udp_socket(const struct wire_sock *w, u32 pass, u64 now_ns)
{
	u64 id = skel && skel->rodata->by_descriptor ? w->ino | FLOW_BY_INODE : w->cookie;
	struct udp_sock *s = socket_find(id) ?: socket_make(id, w->cookie);

	s->pass = pass;
	s->connected = w->ends.rport != 0;
	return s->connected ? flow_conn(s->cookie, w->flags, &w->ends, now_ns) : NULL;
}

struct unmet {
	u32 pass;
	u64 pass_start_ns, now_ns;
};

static void close_unmet(struct conn *c, void *arg)
{
	const struct unmet *u = arg;
	struct udp_sock *s;

	if (c->proto != IPPROTO_UDP || c->closed || c->read_ns >= u->pass_start_ns)
		return;
	s = socket_find(c->socket);
	if (s && s->pass >= u->pass && (s->connected || u->now_ns - c->read_ns < IDLE_NS))
		return;
	conn_close(c, END_CLOSED, false, c->read_ns);
}

void udp_unmet(u32 pass, u64 pass_start_ns, u64 now_ns)
{
	struct unmet u = { pass, pass_start_ns, now_ns };

	conn_each(close_unmet, &u);
	sockets_sweep(pass);
}

static void take_flow(const struct flow_key *k, const struct flow *f)
{
	struct udp_sock *s = socket_find(k->socket) ?: socket_make(k->socket, k->socket);
	struct wire_ends e = { .lport = f->lport, .rport = k->rport, .netns = f->netns };
	struct connections_row *r;
	struct conn *c;

	memcpy(e.local, f->local, sizeof(e.local));
	memcpy(e.remote, k->remote, sizeof(e.remote));
	c = flow_conn(s->cookie, k->v6 ? WS_V6 : 0, &e, f->begun_ns);
	c->socket = k->socket;
	if (!c->begun_ns)
		c->begun_ns = f->begun_ns;
	r = conn_row(c);
	r->rx_bytes += f->rx_bytes;
	r->tx_bytes += f->tx_bytes;
	r->rx_packets += f->rx_packets;
	r->tx_packets += f->tx_packets;
	c->read_ns = f->last_ns;
	c->updated = true;
	conn_set_owner(c, &f->owner, true);
}

/* Takes all that is in the map at rest. */
static void drain_map(u32 set)
{
	static struct flow_key keys[BATCH];
	static struct flow values[BATCH];
	int fd = bpf_map__fd(set ? skel->maps.flows1 : skel->maps.flows0), err;
	u32 at, n;
	void *from = NULL;	/* the beginning */

	if (!skel->bss->used[set])
		return;
	do {
		n = BATCH;
		err = bpf_map_lookup_and_delete_batch(fd, from, &at, keys, values, &n, NULL);
		if (err && errno != ENOENT)
			break;
		for (u32 i = 0; i < n; i++)
			take_flow(&keys[i], &values[i]);
		from = &at;
	} while (!err);
	skel->bss->used[set] = 0;
}

bool udp_swap(void)
{
	if (!skel || !skel->bss->used[skel->bss->current_set])
		return false;
	skel->bss->current_set ^= 1;
	return true;
}

void udp_drain(void)
{
	if (!skel || skel->bss->used[skel->bss->current_set] < FLOWS_MAX / 4)
		return;
	skel->bss->current_set ^= 1;
	grace_period();
	drain_map(skel->bss->current_set ^ 1);
}

void udp_read(const struct tick *t)
{
	(void)t;
	if (!skel)
		return;
	drain_map(skel->bss->current_set ^ 1);
	loss_set("datagrams not counted: flow table full", skel->bss->lost_flows);
}

/* ---- open and close ---- */

static int attach_all(char *why, size_t cap)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj) {
		if (!bpf_program__autoload(prog))
			continue;
		links[n_links] = probe_attach(prog);
		if (!links[n_links]) {
			snprintf(why, cap, "%s: %s", bpf_program__name(prog), probe_why(errno));
			return -errno;
		}
		n_links++;
	}
	return 0;
}

/* include/trace/events/sock.h: sock_send_length and sock_recv_length are of 6.3. */
static void choose_programs(void)
{
	struct features f;
	bool classic = probes_prefer_classic(), traced;

	features_read(&f);
	traced = f.major > 6 || (f.major == 6 && f.minor >= 3);
	skel->rodata->by_descriptor = !traced;
	bpf_program__set_autoload(skel->progs.on_send, traced);
	bpf_program__set_autoload(skel->progs.on_receive, traced);
	bpf_program__set_autoload(skel->progs.on_return, !classic);
	bpf_program__set_autoload(skel->progs.on_return_tp, classic);
}

int udp_open(int ring_fd, char *why, size_t cap)
{
	int err;

	skel = connections_calls__open();
	if (!skel)
		return -errno;
	choose_programs();
	err = bpf_map__reuse_fd(skel->maps.ends, ring_fd);
	if (!err)
		err = connections_calls__load(skel);
	if (!err) {
		probes_add("connections", skel->obj);
		err = attach_all(why, cap);
	} else {
		snprintf(why, cap, "%s", probe_why(-err));
	}
	if (err)
		udp_close();
	return err;
}

/* The caller has probes_forget() called for all of the collector. */
void udp_close(void)
{
	while (n_links)
		bpf_link__destroy(links[--n_links]);
	connections_calls__destroy(skel);
	skel = NULL;
	sockets_sweep(UINT32_MAX);
}
