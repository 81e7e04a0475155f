/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * counted.bpf.h: counts the system calls of a thread without a helper call: a lookup in task storage
 * costs more than everything else that is done at the entry of a call.
 *
 * A thread has a place in an array, by the low bits of its tid, from its first call until it ends. If
 * that place is taken it counts in task storage. While it has a place, `calls` of its storage keeps the
 * value from before. One map, created by the processes collector and shared with syscalls.
 */
#pragma once

#include "bpf/kernel/tasks.bpf.h"

/* Padded to a cache line: threads with neighbouring tids run on different CPUs. */
struct counted {
	u32 tid;	/* 0: free. Only this thread writes `calls` */
	u32 pad;
	u64 calls;	/* all of them, as those of struct task_state */
	u64 fill[6];
};

#define COUNTED_MAX 4096

MAP_OF(counted, ARRAY, COUNTED_MAX, u32, struct counted, 0);

static __always_inline struct counted *counted_at(u32 tid)
{
	u32 at = tid & (COUNTED_MAX - 1);

	return bpf_map_lookup_elem(&counted, &at);	/* of an array: no call */
}

/* The place of a thread, or NULL where it has none. */
static __always_inline struct counted *counted_of(u32 tid)
{
	struct counted *c = counted_at(tid);

	return c && c->tid == tid ? c : NULL;
}

/* The running thread makes a call; it has no place yet. */
static __always_inline void count_first(u32 tid, struct task_state *s)
{
	struct counted *c = counted_at(tid);

	if (!c || __sync_val_compare_and_swap(&c->tid, 0, tid)) {
		s->calls++;
		return;
	}
	c->calls = s->calls + 1;
}

/* How many a thread has made; the running one's are never less than they were. */
static __always_inline u64 calls_of(u32 tid, const struct task_state *s)
{
	struct counted *c = counted_of(tid);
	u64 near = c ? c->calls : 0;

	return near > s->calls ? near : s->calls;
}

/* The thread makes none any more under this number: the place is free. s: its storage, or NULL. */
static __always_inline void counted_leave(u32 tid, struct task_state *s)
{
	struct counted *c = counted_of(tid);

	if (!c)
		return;
	if (s)
		s->calls = c->calls;
	c->calls = 0;
	__sync_val_compare_and_swap(&c->tid, tid, 0);	/* a barrier too */
}
