/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tasks.bpf.h: ottop's state of every task, in task-local storage. One map, created
 * by the processes collector and shared with the others. The kernel frees an entry
 * with its task, so no entry outlives a pid.
 */
#pragma once

#include "bpf/kernel/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct task_state {
	u64 calls;		/* system calls entered */
	u64 start_ns;		/* CLOCK_BOOTTIME: start of its process */
	u64 enter_ns;		/* CLOCK_MONOTONIC: entry of the call it is in, or 0 */
	u32 call;		/* that call: ABI << 16 | number */
	u32 generation;		/* of the latency measurement that wrote enter_ns */
	u64 blocked_since_ns;	/* CLOCK_MONOTONIC, while in uninterruptible sleep */
	u64 blocked_ns;
	u64 off_since_ns;	/* CLOCK_MONOTONIC: when it last left the CPU voluntarily */
	u64 off_reported_ns;	/* until when that wait was reported; 0: it is over */
	u32 waker;		/* thread that woke it last, also with WAKER_MAYBE */
	u32 fork_reported;	/* its fork event was emitted */
	/* group leader only: sums over the threads that have exited */
	u64 dead_calls, dead_runq_ns, dead_blocked_ns, dead_runtime_ns;
	u64 dead_utime_ns, dead_stime_ns, dead_read_bytes, dead_write_bytes;
	/* sampling of short waits: profiler_off.bpf.h, thin() */
	u32 thin_at, thin_point;
	/* of the wait that began at off_since_ns, see profiler_call.bpf.h */
	u32 owner;		/* owner of the lock that it waits for, or 0 */
	s32 off_nr;		/* number of the call; -1: none */
	u16 pending;		/* it is over, but not reported yet with its stack */
	u16 for_http;		/* relation to HTTP requests: enum for_http */
	/* see run_delay_ns() */
	u64 false_runq_ns;
	u64 moved_ns;		/* CLOCK_MONOTONIC: when it was migrated while asleep in a runqueue, or 0 */
	u64 moved_arrived_ns;	/* its sched_info.last_arrival then; unchanged: it has not run since */
};

enum for_http { FOR_NONE, MOVES_HTTP /* has moved HTTP */, WAKES_HTTP /* has woken such a thread */ };

TASK_STORAGE(tasks, struct task_state);

static __always_inline struct task_state *task_state(struct task_struct *t)
{
	return bpf_task_storage_get(&tasks, t, 0, 0);
}

/*
 * Total time a thread has waited for a CPU. Since 6.12 a thread that falls asleep may stay in its runqueue
 * for a while (kernel/sched/fair.c, set_delayed()). If it is migrated meanwhile, the scheduler takes that
 * for the start of a wait (activate_task(), sched_info_enqueue()) and adds the sleep to run_delay, as seen
 * in /proc/PID/schedstat. on_migrate() in processes_switch.bpf.h sums that error, which is subtracted here.
 * queued_ns: the current wait.
 */
static __always_inline u64 run_delay_ns(struct task_struct *t, const struct task_state *s, u64 queued_ns)
{
	u64 ns = t->sched_info.run_delay + queued_ns, wrong = s ? s->false_runq_ns : 0;

	return ns > wrong ? ns - wrong : 0;
}

/* Not under a runqueue lock: allocation may wake kswapd. sched_switch only looks up. */
static __always_inline struct task_state *task_state_make(struct task_struct *t)
{
	struct task_state *s = bpf_task_storage_get(&tasks, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (s && !s->start_ns)
		s->start_ns = t->group_leader->start_boottime;
	return s;
}
