/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * profiler_lost.bpf.h: the time of samples that could not be sent, summed by process, so that the totals of
 * CPU time and of blocked time are true even if stacks are lost. Runs only if a sample is lost. There are two
 * sets: user space swaps them after a loss, and empties the one that is not written.
 */
#ifndef OTTOP_PROFILER_LOST_BPF_H
#define OTTOP_PROFILER_LOST_BPF_H

#define LOST_PROBES 8

struct lost_time lost_times[2][LOST_PROCESSES];
struct lost_time lost_others[2][LOST_KINDS];	/* by kind: of processes for which there was no room */
u32 lost_set;	/* written by programs */

/* The entry of t's process; NULL: no room. */
static __always_inline struct lost_time *lost_of(u32 set, struct task_struct *t, u32 kind)
{
	struct task_struct *leader = t->group_leader;
	u64 start_ns = leader->start_boottime;
	u64 key = (start_ns ^ (u64)t->tgid << 34 ^ (u64)kind << 62) * 0x9e3779b97f4a7c15ull | 1;
	u32 at = key >> (64 - LOST_BITS);

	for (int i = 0; i < LOST_PROBES; i++, at++) {
		struct lost_time *l = &lost_times[set & 1][at & (LOST_PROCESSES - 1)];
		u64 found = l->key;

		if (!found)
			found = __sync_val_compare_and_swap(&l->key, 0, key);
		if (!found) {
			l->start_ns = start_ns;
			l->tgid = t->tgid;
			l->kind = kind;
			bpf_core_read_str(l->comm, sizeof(l->comm), &leader->comm);
			return l;
		}
		if (found == key)
			return l;
	}
	return NULL;
}

/* A sample of t is lost. The caller counts the loss afterwards: who sees that count finds the time, too. */
static __noinline int lose_time(struct task_struct *t, u32 kind, u64 value)
{
	u32 set = lost_set;
	struct lost_time *l = lost_of(set, t, kind);

	if (!l) {
		l = &lost_others[set & 1][kind & (LOST_KINDS - 1)];
		l->kind = kind;
	}
	__sync_fetch_and_add(&l->value, value);
	__sync_fetch_and_add(&l->samples, 1);
	return 0;
}

#endif
