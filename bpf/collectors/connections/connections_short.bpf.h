/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* connections_short.bpf.h: see connections_short.h. */
#pragma once

#include "bpf/collectors/connections/connections_kept.bpf.h"
#include "bpf/collectors/connections/connections_payload.h"
#include "bpf/collectors/connections/connections_short.h"

u32 short_set;		/* 0 or 1 */
u32 short_used[2];	/* places in use in each set */
struct short_count shorts[2 * SHORT_PLACES] __attribute__((aligned(64)));
struct short_pace paces[SHORT_PACES];

static __always_inline u64 short_hash(const struct short_key *k)
{
	const u64 *w = (const u64 *)k;
	u64 h = 0;

	for (u32 i = 0; i < sizeof(*k) / 8; i++) {
		h = (h ^ w[i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h | 1;
}

/* True if this one gets a row of its own. Keys that share a place only cause more rows. */
static __always_inline bool is_due(u64 hash, u64 now_ns)
{
	struct short_pace *p = &paces[hash >> 32 & (SHORT_PACES - 1)];
	u64 due_ns = p->due_ns > now_ns ? p->due_ns : now_ns;

	if (p->who != hash) {
		p->who = hash;
		due_ns = now_ns;
	} else if (due_ns - now_ns >= SHORT_SINGLES * SHORT_STEP_NS) {
		return false;
	}
	p->due_ns = due_ns + SHORT_STEP_NS;
	return true;
}

static __always_inline bool same_key(const struct short_key *a, const struct short_key *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;
	u64 differs = 0;

	for (u32 i = 0; i < sizeof(*a) / 8; i++)
		differs |= x[i] ^ y[i];
	return !differs;
}

/* The key's place, found or claimed; NULL: none free. Two CPUs may claim one each: they add up. */
static __always_inline struct short_count *short_place(const struct short_key *k, u64 hash,
						       const u8 *local, const char *comm, u64 now_ns)
{
	u32 set = short_set & 1;

	for (u32 i = 0; i < SHORT_PROBES; i++) {
		u64 at = set * SHORT_PLACES + ((hash + i) & (SHORT_PLACES - 1));
		struct short_count *c;

		/* clang drops this bound as redundant, but the verifier of 6.1 needs it */
		asm volatile("%0 &= %1" : "+r"(at) : "i"(2 * SHORT_PLACES - 1));
		c = &shorts[at];
		if (c->state == SHORT_READY && same_key(&c->key, k))
			return c;
		if (c->state != SHORT_FREE ||
		    __sync_val_compare_and_swap(&c->state, SHORT_FREE, SHORT_CLAIMED) != SHORT_FREE)
			continue;
		c->key = *k;
		__builtin_memcpy(c->local, local, sizeof(c->local));
		__builtin_memcpy(c->comm, comm, sizeof(c->comm));
		c->first_ns = now_ns;
		__sync_fetch_and_add(&short_used[set], 1);
		__sync_lock_test_and_set(&c->state, SHORT_READY);
		return c;
	}
	return NULL;
}

/* False for a connection that is worth a row of its own. */
static __always_inline bool is_ordinary(struct sock *sk, int old, const struct conn_state *s, u64 now_ns)
{
	if (!s->owner.tgid || !s->open_ns || !s->begun_ns || s->generation || sk->sk_err)
		return false;
	if (s->flags & (WS_OWNER_LATER | WS_SHOWN) || now_ns - s->begun_ns > SHORT_NS)
		return false;
	return old == TCPS_FIN_WAIT1 || old == TCPS_FIN_WAIT2 || old == TCPS_CLOSING || old == TCPS_LAST_ACK;
}

static __always_inline void short_key_of(struct short_key *k, const struct wire_ends *e,
					 const struct conn_state *s, bool v6)
{
	k->accepted = !(s->flags & WS_OPENED);
	k->v6 = v6;
	k->port = k->accepted ? e->lport : e->rport;
	k->netns = e->netns;
	k->tgid = s->owner.tgid;
	k->start_ns = s->owner.start_ns;
	__builtin_memcpy(k->remote, e->remote, sizeof(k->remote));
}

static __always_inline void add_short(struct short_count *c, struct tcp_sock *tp, int old, u64 now_ns)
{
	u32 flags = fin_flags(old, tp->snd_una, tp->snd_nxt, tp->write_seq);
	u64 acked;

	if (((struct sock *)tp)->__sk_common.skc_flags >> SOCK_DONE & 1)
		flags |= WS_FIN_RECEIVED;
	acked = payload_acked(tp->bytes_acked, flags);
	__sync_fetch_and_add(&c->n, 1);
	__sync_fetch_and_add(&c->rx_bytes, payload_received(tp->bytes_received, flags));
	__sync_fetch_and_add(&c->tx_bytes, payload_less_syn(acked, !c->key.accepted));
	__sync_fetch_and_add(&c->rx_packets, tp->segs_in);
	__sync_fetch_and_add(&c->tx_packets, tp->segs_out);
	c->srtt_8us = tp->srtt_us;
	c->last_ns = now_ns;
}

/*
 * True when it was counted with others: its entry stays, marked, until the socket is destroyed, so
 * that no iterator takes it for an open one. If two paths mark it, the first one counts. It is too
 * young to be in the move from `young` to `conns`.
 */
static __always_inline bool count_short(struct sock *sk, int old, struct conn_state *s)
{
	u64 now_ns = bpf_ktime_get_boot_ns(), hash;
	struct short_key k = {};
	struct wire_ends e = {};
	struct short_count *c;
	struct tcp_sock *tp;

	if (!is_ordinary(sk, old, s, now_ns))
		return false;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || tp->total_retrans || (bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp))
		return false;
	short_key_of(&k, &e, s, fill_ends_tcp(&e, sk, tp));
	hash = short_hash(&k);
	if (is_due(hash, now_ns))
		return false;
	c = short_place(&k, hash, e.local, s->owner.comm, s->begun_ns);
	if (!c || mark(s, WS_COUNTED) & WS_SHOWN)
		return false;
	add_short(c, tp, old, now_ns);
	return true;
}
