/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * connections_flows.bpf.h: counts datagrams by socket and peer. Of the two sets (slots and a map)
 * programs use one while user space drains the other.
 */
#pragma once

#include "bpf/collectors/connections/connections.h"
#include "bpf/kernel/net.bpf.h"

u32 swaps;			/* number of swaps; the active set is `swaps & 1` */
u32 used[2];			/* flows in each map */
u32 n_slots[2];			/* slots in use in each set */
u64 lost_flows;

struct flow_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FLOWS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct flow_key);
	__type(value, struct flow);
};
struct flow_map flows0 SEC(".maps");
struct flow_map flows1 SEC(".maps");

struct flow_slot slots[2 * SLOTS_MAX] __attribute__((aligned(64)));

struct amount {
	u64 socket, bytes;
	u32 packets, tx;
	u32 v6, proto;
	u32 segment;		/* length of all datagrams but the last; 0: there is one */
	u32 unclear;		/* the number of datagrams is unknown */
	u32 sockaddr, pad;	/* bytes of an address of this socket's family */
	struct wire_ends ends;
};

static __always_inline struct flow *flow_lookup(u32 set, const struct flow_key *k)
{
	return set ? bpf_map_lookup_elem(&flows1, k) : bpf_map_lookup_elem(&flows0, k);
}

static __always_inline long flow_insert(u32 set, const struct flow_key *k, const struct flow *f)
{
	return set ? bpf_map_update_elem(&flows1, k, f, BPF_NOEXIST) :
		     bpf_map_update_elem(&flows0, k, f, BPF_NOEXIST);
}

static __always_inline void flow_begin(struct flow *f, const struct amount *a)
{
	f->begun_ns = bpf_ktime_get_boot_ns();
	__builtin_memcpy(f->local, a->ends.local, sizeof(f->local));
	f->lport = a->ends.lport;
	f->netns = a->ends.netns;
	f->proto = a->proto;
}

/* Not on the stack, whose 512 bytes are shared by all nested calls; on 6.1 on_return and count_message() fill it. */
struct flow blank_flow;

static __always_inline struct flow *flow_make(u32 set, const struct flow_key *k,
					      const struct amount *a)
{
	struct flow *f = flow_lookup(set, k);
	bool is_new;

	if (f)
		return f;
	is_new = flow_insert(set, k, &blank_flow) == 0;
	f = flow_lookup(set, k);
	if (!is_new || !f)
		return f;
	__sync_fetch_and_add(&used[set], 1);
	flow_begin(f, a);
	return f;
}

/* ---- slots ---- */

static __always_inline u64 slot_hash(const struct flow_key *k)
{
	const u64 *w = (const u64 *)k;
	u64 h = (w[0] ^ w[1] ^ w[3]) * 0x9e3779b97f4a7c15ull;

	return (h ^ h >> 29 ^ w[2]) * 0x9e3779b97f4a7c15ull >> 40;
}

static __always_inline bool same_flow(const struct flow_key *a, const struct flow_key *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]));
}

/* The flow's slot, found or claimed; NULL: all taken. Duplicates of two CPUs are added up later. */
static __always_inline struct flow *slot_flow(u32 set, const struct flow_key *k, const struct amount *a)
{
	u64 hash = slot_hash(k);

	for (u32 i = 0; i < SLOT_PROBES; i++) {
		u64 at = set * SLOTS_MAX + ((hash + i) & (SLOTS_MAX - 1));
		struct flow_slot *s;

		/* clang drops this bound as redundant, but the verifier of 6.1 needs it */
		asm volatile("%0 &= %1" : "+r"(at) : "i"(2 * SLOTS_MAX - 1));
		s = &slots[at];
		if (s->state == SLOT_READY && same_flow(&s->flow.key, k))
			return &s->flow.value;
		if (s->state != SLOT_FREE ||
		    __sync_val_compare_and_swap(&s->state, SLOT_FREE, SLOT_CLAIMED) != SLOT_FREE)
			continue;
		s->flow.key = *k;
		flow_begin(&s->flow.value, a);
		__sync_fetch_and_add(&n_slots[set], 1);
		__sync_fetch_and_add(&s->state, SLOT_READY - SLOT_CLAIMED);	/* a barrier too */
		return &s->flow.value;
	}
	return NULL;
}

/* ---- counting ---- */

/* Time of last use. The clock is read once per jiffy: reading it each time would be a tenth of the whole cost. */
static __always_inline void note_last(struct flow *f)
{
	u32 now = bpf_jiffies64();

	if (f->last_jiffies == now && f->last_ns)
		return;
	f->last_jiffies = now;
	f->last_ns = bpf_ktime_get_boot_ns();
}

/* A global function: called from several places, verified once. */
__noinline int count(struct amount *a)
{
	u32 set = swaps & 1;
	struct task_struct *t = bpf_get_current_task_btf();
	struct flow_key k = {};
	struct flow *f;

	if (!a)
		return 0;
	k.socket = a->socket;
	k.rport = a->ends.rport;
	k.v6 = a->v6;
	__builtin_memcpy(k.remote, a->ends.remote, sizeof(k.remote));
	f = slot_flow(set, &k, a) ?: flow_make(set, &k, a);
	if (!f) {
		__sync_fetch_and_add(&lost_flows, a->packets);
		return 0;
	}
	if (a->tx) {
		__sync_fetch_and_add(&f->tx_bytes, a->bytes);
		__sync_fetch_and_add(&f->tx_packets, a->packets);
	} else {
		__sync_fetch_and_add(&f->rx_bytes, a->bytes);
		__sync_fetch_and_add(&f->rx_packets, a->packets);
	}
	if (a->unclear)
		f->unclear |= a->tx ? FLOW_TX_UNCLEAR : FLOW_RX_UNCLEAR;
	note_last(f);
	if (f->owner.tgid != t->tgid)
		fill_current(&f->owner);
	return 0;
}

/* ---- draining the inactive map for user space: see bpf/kernel/map_ops.h ---- */

struct taken_flow taken[TAKEN_MAX];
u32 n_taken;

static long take_one(void *map, struct flow_key *k, struct flow *f, void *arg)
{
	u32 at = n_taken;

	if (at >= TAKEN_MAX)
		return 1;
	taken[at].key = *k;
	taken[at].value = *f;
	n_taken = at + 1;
	return 0;
}

/* Takes out up to TAKEN_MAX flows. One program a map: before 6.9 a helper call site has one map. */
#define TAKE_FLOWS(name, map)							\
SEC("?syscall")									\
int name(void *ctx)								\
{										\
	n_taken = 0;								\
	bpf_for_each_map_elem(&map, take_one, NULL, 0);				\
	for (u32 i = 0; i < TAKEN_MAX && i < n_taken; i++)			\
		bpf_map_delete_elem(&map, &taken[i].key);			\
	return 0;								\
}

TAKE_FLOWS(take_flows0, flows0)
TAKE_FLOWS(take_flows1, flows1)
