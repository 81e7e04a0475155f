/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thread.h: the one way to start a thread. */
#pragma once

#include <pthread.h>

#include "bpf/model/base.h"

/* Signals of the program's own faults. */
extern const int fault_signals[];
extern const u32 n_fault_signals;

/*
 * As pthread_create(3); attr may be NULL. Blocks all signals but the thread's own faults (blocked,
 * they would kill the program without the handler that restores the terminal). Has an alternate
 * signal stack.
 */
int thread_start(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

/*
 * Names the calling thread (15 characters) and gives it normal priority, not the inherited one (per
 * thread on Linux: setpriority(2)).
 */
void thread_background(const char *name);

/*
 * Priority of drawing and sampling: they run at high priority, as ottop is needed on overloaded
 * machines and mostly sleeps, but not for long, which would stall chains of programs.
 */
struct thread_pace {
	u64 ran_ns, waited_ns;	/* of the thread, at the last call */
	u32 patience;		/* calls at high priority regardless of load */
	bool yields;
};

#define THREAD_LONG_NS (5 * NSEC_PER_MSEC)

/* High priority for this thread and future ones. CAP_SYS_NICE, as those below. 0 or -errno. */
int thread_raise(void);
/*
 * After each piece of work (a tick): normal priority if it ran longer than THREAD_LONG_NS, else, or
 * if it waited far longer than it ran, high priority.
 */
void thread_follow_pace(struct thread_pace *p);
/* Decides the above from one piece of work's times, ns; true: normal priority. */
bool thread_yields(struct thread_pace *p, u64 ran_ns, u64 waited_ns);
