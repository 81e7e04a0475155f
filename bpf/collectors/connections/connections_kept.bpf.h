/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* connections_kept.bpf.h: the programs' state of a TCP connection, and the counters read from its socket. */
#pragma once

#include "bpf/kernel/net.bpf.h"
#include "bpf/collectors/connections/connections.h"
#include "bpf/kernel/map_ops.bpf.h"

u64 lost_conns;
struct conn_slot young[YOUNG_SLOTS] __attribute__((aligned(64)));
u32 spilled[YOUNG_SLOTS];	/* by place: how many of its connections are in `conns` */
u64 young_sk[YOUNG_SLOTS];	/* addresses of the sockets, for read_asked() */
struct sock_ref crowded[CROWDED_MAX];	/* ring of those that went to `conns` at once, their place being taken */
u32 n_crowded;

HASH(conns, 65536, u64, struct conn_state);

MAP_OPS(serve_conns, conns, u64, struct conn_state)

/* How often a socket was connected again; most sockets connect once, and have no entry. */
SK_STORAGE(generations, u32);

/* ---- counters ---- */

/* WS_FIN_*; state: of the socket now. include/net/tcp.h: SYN and FIN take one number each. */
static __always_inline u32 fin_flags(int state, u32 una, u32 nxt, u32 end)
{
	if (state != TCPS_FIN_WAIT1 && state != TCPS_FIN_WAIT2 && state != TCPS_CLOSING &&
	    state != TCPS_LAST_ACK)
		return 0;
	return WS_FIN_SENT | (una == end ? WS_FIN_ACKED : nxt == end ? WS_FIN_IN_FLIGHT : 0);
}

static __always_inline void fill_tcp(struct wire_sock *w, struct sock *sk, struct tcp_sock *tp, int state)
{
	u32 una, nxt;

	una = tp->snd_una;
	nxt = tp->snd_nxt;
	w->in_flight = nxt - una;
	w->flags |= fin_flags(state, una, nxt, tp->write_seq);
	if (sk->__sk_common.skc_flags >> SOCK_DONE & 1)
		w->flags |= WS_FIN_RECEIVED;
	w->bytes_received = tp->bytes_received;
	w->bytes_acked = tp->bytes_acked;
	w->bytes_sent = tp->bytes_sent;
	w->bytes_retrans = tp->bytes_retrans;
	w->segs_in = tp->segs_in;
	w->segs_out = tp->segs_out;
	w->retransmits = tp->total_retrans;
	w->srtt_8us = tp->srtt_us;
	w->rtt_min_us = tp->rtt_min.s[0].v;
	w->cwnd = tp->snd_cwnd;
	if (bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp)
		w->flags |= WS_MPTCP;
}

/* As fill_tcp(), for an address at which the socket may no longer exist. */
static __always_inline void read_tcp(struct wire_sock *w, struct sock *sk)
{
	struct tcp_sock *tp = (struct tcp_sock *)sk;
	u32 una = BPF_CORE_READ(tp, snd_una), nxt = BPF_CORE_READ(tp, snd_nxt);

	w->in_flight = nxt - una;
	w->flags |= fin_flags(w->state, una, nxt, BPF_CORE_READ(tp, write_seq));
	if (BPF_CORE_READ(sk, __sk_common.skc_flags) >> SOCK_DONE & 1)
		w->flags |= WS_FIN_RECEIVED;
	w->bytes_received = BPF_CORE_READ(tp, bytes_received);
	w->bytes_acked = BPF_CORE_READ(tp, bytes_acked);
	w->bytes_sent = BPF_CORE_READ(tp, bytes_sent);
	w->bytes_retrans = BPF_CORE_READ(tp, bytes_retrans);
	w->segs_in = BPF_CORE_READ(tp, segs_in);
	w->segs_out = BPF_CORE_READ(tp, segs_out);
	w->retransmits = BPF_CORE_READ(tp, total_retrans);
	w->srtt_8us = BPF_CORE_READ(tp, srtt_us);
	w->rtt_min_us = BPF_CORE_READ(tp, rtt_min.s[0].v);
	w->cwnd = BPF_CORE_READ(tp, snd_cwnd);
	if (bpf_core_field_exists(tp->is_mptcp) && BPF_CORE_READ(tp, is_mptcp))
		w->flags |= WS_MPTCP;
}

static __always_inline void fill_state(struct wire_sock *w, const struct conn_state *s)
{
	w->begun_ns = s->begun_ns;
	w->open_ns = s->open_ns;
	w->generation = s->generation;
	w->flags |= s->flags;
}

/* ---- the entry of a connection ---- */

static __always_inline u32 slot_of(u64 cookie)
{
	return cookie & (YOUNG_SLOTS - 1);
}

static __always_inline struct conn_state *find(u64 cookie)
{
	u32 at = slot_of(cookie);

	if (young[at].cookie == cookie)
		return &young[at].state;
	return spilled[at] ? bpf_map_lookup_elem(&conns, &cookie) : NULL;
}

static __always_inline void note_crowded(u64 cookie, struct sock *sk)
{
	u32 at = __sync_fetch_and_add(&n_crowded, 1) & (CROWDED_MAX - 1);

	crowded[at].cookie = cookie;
	crowded[at].sk = (u64)sk;
}

static __always_inline int remember(struct sock *sk, u64 cookie, const struct conn_state *s)
{
	u32 at = slot_of(cookie);
	bool is_new;

	if (young[at].cookie == cookie || !__sync_val_compare_and_swap(&young[at].cookie, 0, cookie)) {
		young[at].state = *s;
		young_sk[at] = (u64)sk;
		return 0;
	}
	is_new = !bpf_map_lookup_elem(&conns, &cookie);
	if (bpf_map_update_elem(&conns, &cookie, s, BPF_ANY))
		__sync_fetch_and_add(&lost_conns, 1);
	else if (is_new)
		__sync_fetch_and_add(&spilled[at], 1);
	note_crowded(cookie, sk);
	return 0;
}

static __always_inline void forget(u64 cookie)
{
	u32 at = slot_of(cookie);

	if (young[at].cookie == cookie) {
		young[at].state.begun_ns = 0;	/* so that the next one does not appear as old as this */
		if (__sync_val_compare_and_swap(&young[at].cookie, cookie, 0) == cookie)
			return;
	}
	if (spilled[at] && !bpf_map_delete_elem(&conns, &cookie))
		__sync_fetch_and_add(&spilled[at], -1);
}

/*
 * To be called after a change: if user space has moved the entry meanwhile, returns the one
 * in `conns`, to which the change must be applied as well; else NULL. The atomic addition is
 * a barrier: either the mover sees the change, or we see the move.
 */
static __always_inline struct conn_state *moved(u64 cookie, struct conn_state *s)
{
	u64 now_at;

	__sync_fetch_and_add(&s->writes, 1);
	now_at = young[slot_of(cookie)].cookie;
	return now_at == YOUNG_MOVED ? bpf_map_lookup_elem(&conns, &cookie) : NULL;
}

/* Sets a flag atomically; returns the flags before. */
static __always_inline u32 mark(struct conn_state *s, u32 flag)
{
	return __sync_fetch_and_or(&s->flags, flag);
}

static __always_inline u32 generation_of(struct sock *sk)
{
	u32 *n = bpf_sk_storage_get(&generations, sk, 0, 0);

	return n ? *n : 0;
}

/* The socket connects again: the next generation. */
static __always_inline u32 next_generation(struct sock *sk)
{
	u32 *n = bpf_sk_storage_get(&generations, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	return n ? ++*n : 0;
}
