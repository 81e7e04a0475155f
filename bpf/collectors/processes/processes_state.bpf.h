/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* processes_state.bpf.h: interprets the state of a task. */
#pragma once

#include "bpf/kernel/kernel.h"

/* Counts as blocked? Not idle kernel threads, as in the load average, and not frozen tasks. */
static __always_inline bool is_blocked_state(u32 state)
{
	return (state & (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)) == TASK_UNINTERRUPTIBLE;
}

/*
 * The letter of /proc/PID/stat: fs/proc/array.c, task_state_array, and the index of
 * include/linux/sched.h, __task_state_index(): the highest of the reported bits. A task
 * that a freezer has stopped is D there since 6.6 (R before, which it is not).
 */
static __always_inline char state_letter(struct task_struct *t)
{
	u32 state = t->__state, exit_state = t->exit_state;

	if ((state & TASK_IDLE) == TASK_IDLE)
		return 'I';
	if (state & (TASK_RTLOCK_WAIT | TASK_FROZEN))
		return 'D';
	state |= exit_state;
	if (state & TASK_PARKED)
		return 'P';
	if (state & EXIT_ZOMBIE)
		return 'Z';
	if (state & EXIT_DEAD)
		return 'X';
	if (state & TASK_TRACED_BIT)
		return 't';
	if (state & TASK_STOPPED_BIT)
		return 'T';
	if (state & TASK_UNINTERRUPTIBLE)
		return 'D';
	return state & TASK_INTERRUPTIBLE ? 'S' : 'R';
}
