/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * processes_switch.bpf.h: uninterruptible sleep, correction of run_delay, last switch of a process.
 */
#pragma once

#include "bpf/kernel/tasks.bpf.h"
#include "bpf/collectors/processes/processes.h"
#include "bpf/collectors/processes/processes_state.bpf.h"

u64 lost_dead;		/* last switches whose event was lost */

RING(events, 1 << 19);

/* The last switch of a main thread: only now is all its CPU time accounted. */
static __always_inline void report_dead(struct task_struct *t)
{
	struct wire_event *e = ring_zeroed(&events, sizeof(*e), &lost_dead);

	if (!e)
		return;
	e->kind = WIRE_DEAD;
	e->pid = t->tgid;
	e->start_ns = t->start_boottime;
	e->runtime_ns = t->se.sum_exec_runtime;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct task_state *s;

	if ((prev->__state & TASK_DEAD) && prev->pid == prev->tgid)
		report_dead(prev);
	if (preempt || !is_blocked_state(prev->__state))
		return 0;
	s = task_state(prev);
	if (s)
		s->blocked_since_ns = bpf_ktime_get_ns();
	return 0;
}

/* Adds the time t slept since it was migrated, which the scheduler counts as a wait. */
static __always_inline void count_false_runq(struct task_state *s, struct task_struct *t)
{
	/* if it has run since, its wake-up was missed */
	if (s->moved_ns && s->moved_arrived_ns == t->sched_info.last_arrival)
		s->false_runq_ns += bpf_ktime_get_ns() - s->moved_ns;
	s->moved_ns = 0;
}

/* See run_delay_ns(). Only for tasks asleep in a runqueue: for others the wait is real. */
SEC("tp_btf/sched_migrate_task")
int BPF_PROG(on_migrate, struct task_struct *t, int cpu)
{
	struct task_state *s;

	if (!bpf_core_field_exists(t->se.sched_delayed) || !t->se.sched_delayed)
		return 0;
	s = task_state(t);
	if (!s)
		return 0;
	count_false_runq(s, t);	/* if it was migrated before */
	s->moved_ns = bpf_ktime_get_ns();
	s->moved_arrived_ns = t->sched_info.last_arrival;
	return 0;
}

/*
 * Blocked until the wake-up, not until the next switch. A task that sleeps outside of a runqueue
 * has no last_queued, unless it was migrated while in one.
 */
SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *t)
{
	bool blocked = is_blocked_state(t->__state), queued = t->sched_info.last_queued;
	struct task_state *s = blocked || queued ? task_state(t) : NULL;

	if (!s)
		return 0;
	if (queued)
		count_false_runq(s, t);
	if (blocked && s->blocked_since_ns) {
		s->blocked_ns += bpf_ktime_get_ns() - s->blocked_since_ns;
		s->blocked_since_ns = 0;
	}
	return 0;
}
