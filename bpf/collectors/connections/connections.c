// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * connections.c: the table connections, and its rows of the table events. The ring
 * reports every TCP connection that ended, with its final counters; a pass over all
 * open files (connections_pass.c) reads the open ones.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/collectors/collector.h"
#include "bpf/host/netns.h"
#include "bpf/kernel/probes.h"
#include "bpf/host/proctab.h"
#include "bpf/collectors/connections/connections_calls.h"
#include "bpf/collectors/connections/connections_events.h"
#include "bpf/collectors/connections/connections_fresh.h"
#include "bpf/collectors/connections/connections_holders.h"
#include "bpf/collectors/connections/connections_late.h"
#include "bpf/collectors/connections/connections_pass.h"
#include "bpf/collectors/connections/connections_short.h"
#include "bpf/collectors/connections/connections_table.h"
#include "bpf/collectors/connections/connections_udp.h"
#include "bpf/collectors/connections/connections_young.h"
#include "connections.skel.h"

static struct connections *skel;
enum { SOCKETS_ITER, ON_STATE, ON_STATE_AGAIN, ON_DESTROY, OWNERLESS_ITER, N_PROGRAMS };
static struct bpf_link *links[N_PROGRAMS];
static struct ring_buffer *ring;
static struct counter ends;
static char calls_why[128];	/* why there are no UDP flows, or "" */
static int blocked;		/* programs */
static u32 unobserved[N_UNOBSERVED];	/* of the last pass */

/* ---- ends ---- */

static void take_counters(struct conn *c, const struct wire_sock *w, u64 now_ns)
{
	struct connections_row *r = conn_row(c);

	r->rx_bytes = tcp_rx_bytes(w);
	r->tx_bytes = tcp_tx_bytes(w, c->direction);
	r->rx_packets = w->segs_in;
	r->tx_packets = w->segs_out;
	r->retransmits = w->retransmits;
	r->srtt_ns = w->srtt_8us ? (u64)w->srtt_8us * NSEC_PER_USEC / 8 : U64_BLANK;
	/* ~0: no sample yet (include/linux/win_minmax.h, tcp_init_sock()) */
	r->rtt_min_ns = w->rtt_min_us && w->rtt_min_us != ~0u ?
		(u64)w->rtt_min_us * NSEC_PER_USEC : U64_BLANK;
	r->cwnd = w->cwnd;
	c->read_ns = now_ns;
	c->updated = true;
}

/* True when a counter, the state or the direction differs from the row. */
static bool has_changed(const struct conn *c, const struct wire_sock *w)
{
	const struct connections_row *r = c->row;

	return c->state != w->state || r->tx_packets != w->segs_out ||
	       r->rx_packets != w->segs_in || !c->read_ns ||
	       (f32_known(r->segments_rate) && r->segments_rate > 0) ||
	       (f32_known(r->rx_rate) && r->rx_rate > 0) || !f32_known(r->rx_rate);
}

static void set_direction(struct conn *c, const struct wire_sock *w)
{
	struct conn_verdict v = tcp_direction(w);
	enum conn_direction before = c->counted;

	if (v.by == BY_COUNTERS) {	/* a single reading may be wrong: the next one has to agree */
		c->counted = v.direction;
		if (before != v.direction)
			return;
	}
	conn_set_direction(c, v);
}

/* Of a connection seen since its SYN: start time, duration of the handshake. */
static void set_begin(struct conn *c, const struct wire_sock *w)
{
	struct connections_row *r;

	if (w->begun_ns && c->begun_ns != w->begun_ns) {
		r = conn_row(c);
		c->begun_ns = w->begun_ns;
		r->row.first_seen_ns = w->begun_ns;
	}
	if (w->flags & WS_OPENED && w->begun_ns && w->open_ns &&
	    c->row->connect_ns != w->open_ns - w->begun_ns)
		conn_row(c)->connect_ns = w->open_ns - w->begun_ns;
	else if (w->flags & WS_ACCEPTED && c->row->connect_ns != U64_BLANK)
		conn_row(c)->connect_ns = U64_BLANK;
}

/* Emits the event of its opening, once, as soon as its owner is known. */
static void announce(struct conn *c, const struct wire_sock *w)
{
	if (c->announced || !w->open_ns)
		return;
	c->announced = true;
	conn_event(c, w->flags & WS_OPENED ? "connect" : "accept", w->open_ns, &w->owner);
}

/* MPTCP is agreed on with the first packets, and given up where the other end has none. */
static void set_proto(struct conn *c, const struct wire_sock *w)
{
	const char *name = conn_proto_name(IPPROTO_TCP, w->flags);

	if (strcmp(c->row->proto, name))
		str_set(&conn_row(c)->proto, str_new(name));
}

static struct conn *update_tcp(const struct wire_sock *w, u64 now_ns)
{
	bool is_new;
	struct conn *c = conn_get(w->cookie, w->generation, IPPROTO_TCP, w->flags, &w->ends, now_ns,
				   &is_new);

	if (!c)
		return NULL;
	set_proto(c, w);
	set_begin(c, w);
	set_direction(c, w);
	if (has_changed(c, w))
		take_counters(c, w, now_ns);
	if (c->state != w->state)
		str_set(&conn_row(c)->state, str_new(tcp_state_name(w->state)));
	c->state = w->state;
	return c;
}

/* A TCP socket as read by the pass. NULL: it has ended, or the table is full. */
static struct conn *take_tcp(const struct wire_sock *w, u64 now_ns)
{
	struct conn *c = conn_ended(w) ? NULL : update_tcp(w, now_ns);

	if (c)
		announce(c, w);
	return c;
}

/* One that the pass has not read yet. If several processes could accept it, the pass will find the owner. */
static void take_fresh(const struct wire_sock *w, u64 now_ns)
{
	struct conn *c;

	if (conn_ended(w))	/* its entry is about to go, too */
		return;
	c = update_tcp(w, now_ns);
	if (!c)
		return;
	conn_set_owner(c, &w->owner, false);
	pass_listener_owner(c, &w->ends, true);
	if (u64_known(c->row->pid))
		announce(c, w);
}

static void take_end(const struct wire_end *e)
{
	enum conn_reason reason = tcp_reason(e->sock.state, e->err);
	const struct wire_owner none = {};
	bool failed = tcp_failed(e);
	struct conn *c;

	if (conn_ended(&e->sock))	/* on_destroy has repeated it: see move_out() */
		return;
	conn_note_end(&e->sock, e->time_ns);
	c = update_tcp(&e->sock, e->time_ns);
	if (!c)
		return;
	pass_last_user(c);
	conn_set_owner(c, &e->sock.owner, false);
	pass_listener_owner(c, &e->sock.ends, true);
	announce(c, &e->sock);
	take_counters(c, &e->sock, e->time_ns);
	conn_close(c, reason, failed, e->time_ns);
	conn_event(c, failed ? "fail" : "close", e->time_ns, &none);
}

static bool owner_is_known(const struct wire_sock *w)
{
	const struct conn *c = conn_find(w->cookie, w->generation, &w->ends);

	return c && u64_known(c->row->pid) && !c->guessed;
}

static int on_end(void *ctx, void *data, size_t size)
{
	const struct wire_end *e = data;

	(void)ctx;
	if (size < sizeof(*e))
		return 0;
	if (e->sock.flags & WS_LATE_OWNER) {
		late_owner(e->sock.cookie, &e->sock.owner);
	} else if (e->sock.flags & WS_OWNER_LATER && !owner_is_known(&e->sock)) {
		late_keep(e);
	} else {
		if (e->sock.flags & WS_OWNER_LATER)
			young_forget(e->sock.cookie, e->sock.generation);
		late_owner(e->sock.cookie, &e->sock.owner);	/* if it is repeated while the first one waits */
		take_end(e);
	}
	return 0;
}

/* Its owner was not reported in time. */
static void take_ownerless_end(const struct wire_end *e)
{
	young_forget(e->sock.cookie, e->sock.generation);
	take_end(e);
}

static void connections_drain(void)
{
	if (ring)
		ring_buffer__consume(ring);
	udp_drain();
}

static u32 connections_fds(int *fds)
{
	if (!ring)
		return 0;
	fds[0] = ring_buffer__epoll_fd(ring);
	return 1;
}

/* ---- one tick ---- */

/* Before processes are read, so that all that has ended by now is in this tick's events. */
static bool connections_swap(const struct tick *t)
{
	bool wait;

	netns_refresh(t->now_ns);
	conn_events_begin(t);
	connections_drain();
	wait = udp_swap();

	wait |= short_swap();
	return wait || young_moving();
}

static void begin_rates(struct proc *p, void *arg)
{
	const struct tick *t = arg;

	p->rx_rate = p->tx_rate = t->prev_ns ? 0 : F32_PENDING;
}

/* The pass is over: publishes its counts of other protocols. */
static void settle_unobserved(void)
{
	memcpy(unobserved, skel->bss->unobserved, sizeof(unobserved));
	memset(skel->bss->unobserved, 0, sizeof(unobserved));
}

static size_t unobserved_text(char *to, size_t cap, const char *between)
{
	static const char *const names[N_UNOBSERVED] = {
		[UNOBSERVED_SCTP] = "SCTP", [UNOBSERVED_SMC] = "SMC", [UNOBSERVED_DCCP] = "DCCP",
	};
	size_t n = 0;

	for (u32 i = 0; i < N_UNOBSERVED; i++)
		if (unobserved[i])
			n += (size_t)snprintf(to + n, cap - n, "%s%s is not observed: descriptors of it: %u",
					      n ? "; " : between, names[i], unobserved[i]);
	return n;
}

static void report(const struct tick *t, u32 hidden)
{
	char why[400] = "";
	size_t n = 0;

	if (hidden)
		n += (size_t)snprintf(why + n, sizeof(why) - n, "%u of %u connections kept",
				      CONNS_KEPT, CONNS_KEPT + hidden);
	if (!pass_seen_all())
		n += (size_t)snprintf(why + n, sizeof(why) - n, "%sstill reading what was open: %u so far",
				      n ? "; " : "", conn_count());
	n += unobserved_text(why + n, sizeof(why) - n, n ? "; " : "");
	if (netns_unknown())
		n += (size_t)snprintf(why + n, sizeof(why) - n, "%sthe network namespaces of %u processes may not be read "
				      "(CAP_SYS_PTRACE): open sockets that no process holds may be missing there",
				      n ? "; " : "", netns_unknown());
	if (calls_why[0])
		n += (size_t)snprintf(why + n, sizeof(why) - n, "%sno UDP: %s", n ? "; " : "", calls_why);
	if (blocked)
		snprintf(why + n, sizeof(why) - n, "%ssome probes are blocked: ! shows which",
			 n ? "; " : "");
	builder_status(t->b, TABLE_connections, why[0] ? TS_PARTIAL : TS_OK, why[0] ? why : NULL,
		       t->interval_ns);
	loss_set("ring buffer full (connections)", skel->bss->lost_ring + calls_lost_ring());
	loss_set("connections not tracked: table full", skel->bss->lost_conns);
	loss_set("ended connections beyond the table's size", conn_rows_dropped());
	loss_set("shared sockets whose last user is not followed", holders_unfollowed());
	loss_set("connections and flows beyond 131,072 at once", conn_refused());
	loss_set("listening sockets beyond 16,384", pass_listeners_refused());
}

static void count_runs(const struct tick *t)
{
	float rate = rate_per_s(counter_advance(&ends, skel->bss->n_ends, true), t->interval_ns);

	probe_runs(skel->progs.on_destroy, rate);
}

static int connections_read(const struct tick *t)
{
	int err;
	u32 hidden;

	connections_drain();
	err = pass_run(t, take_tcp);
	if (!err && pass_ended())
		settle_unobserved();
	if (!err && !pass_was_whole())
		fresh_read(boottime_ns(), take_fresh);
	late_sweep(t->now_ns);
	young_sweep(t->now_ns);
	if (err)
		return err;
	udp_read(t);
	short_read(t);
	loss_set("connection ends not reported", pass_lost());
	proctab_each(begin_rates, (void *)t);
	hidden = conn_rows(t);
	count_runs(t);
	report(t, hidden);
	return 0;
}

/* ---- open and close ---- */

static void connections_close(void)
{
	pass_close();
	probes_detach(links, N_PROGRAMS);
	late_close();
	young_close();
	fresh_close();
	short_close();
	ring_buffer__free(ring);
	ring = NULL;
	probes_forget("connections");
	calls_close();
	udp_clear();
	connections__destroy(skel);
	skel = NULL;
	conn_clear();
	netns_clear();
	ends = (struct counter){};
	memset(unobserved, 0, sizeof(unobserved));
}

/* With MPTCP the file exists in every network namespace. */
static bool has_mptcp(void)
{
	return !access("/proc/sys/net/mptcp/enabled", F_OK);
}

static int attach_all(void)
{
	struct bpf_program *const progs[N_PROGRAMS] = {
		[SOCKETS_ITER] = has_mptcp() ? skel->progs.sockets_iter_mptcp : skel->progs.sockets_iter, [ON_STATE] = skel->progs.on_state,
		[ON_STATE_AGAIN] = skel->progs.on_state_again,
		[ON_DESTROY] = skel->progs.on_destroy, [OWNERLESS_ITER] = skel->progs.ownerless_iter,
	};

	blocked = probes_attach(progs, N_PROGRAMS, links);
	return min(blocked, 0);
}

static int connections_open(char *reason, size_t cap)
{
	int err;

	skel = connections__open();
	if (!skel)
		return -errno;
	bpf_program__set_autoload(skel->progs.on_state_again, probes_preemptible());
	bpf_program__set_autoload(skel->progs.sockets_iter, !has_mptcp());
	bpf_program__set_autoload(skel->progs.sockets_iter_mptcp, has_mptcp());
	map_ops_choose(skel->progs.serve_conns);
	map_ops_choose(skel->progs.read_asked);
	err = connections__load(skel);
	if (!err) {
		probes_add("connections", skel->obj);
		if (probes_preemptible())
			probes_duplicates(skel->progs.on_state, skel->progs.on_state_again);
		err = attach_all();
	}
	if (!err) {
		pass_open(bpf_link__fd(links[SOCKETS_ITER]),
			  links[OWNERLESS_ITER] ? bpf_link__fd(links[OWNERLESS_ITER]) : -1);
		young_open(skel->bss->young, skel->bss->spilled,
			   map_ops_of(skel->maps.conns, skel->progs.serve_conns));
		fresh_open(skel);
		short_open(skel);
		late_open(take_end, take_ownerless_end, pass_has_listener);
		ring = ring_buffer__new(bpf_map__fd(skel->maps.ends), on_end, NULL, NULL);
		err = ring ? 0 : -errno;
	}
	if (err)
		return err;
	calls_why[0] = '\0';
	if (calls_open(bpf_map__fd(skel->maps.ends), calls_why, sizeof(calls_why)))
		log_line("connections: no UDP: %s", calls_why);
	return 0;
}

const struct collector connections_collector = {
	.name = "connections",
	.tables = TABLE_BIT(TABLE_connections),
	.what = "iter/task_file",
	.open = connections_open,
	.swap = connections_swap,
	.drain = connections_drain,
	.fds = connections_fds,
	.read = connections_read,
	.close = connections_close,
};
