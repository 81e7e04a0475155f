/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thread.h: the one way to start a thread. */
#ifndef OTTOP_THREAD_H
#define OTTOP_THREAD_H

#include <pthread.h>

#include "bpf/model/base.h"

/* Signals of a fault of the program itself. */
extern const int fault_signals[];
extern const u32 n_fault_signals;

/*
 * As pthread_create(3); `attr` may be NULL. The thread blocks all signals except those of its
 * own faults: if these were blocked, the kernel would kill the program without running the
 * handler, which restores the terminal. It has an alternate stack for that handler.
 */
int thread_start(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

/*
 * Names the calling thread (15 characters at most) and resets it to normal priority: it inherits
 * the higher one of the drawing or sampling thread (setpriority(2): per thread, on Linux).
 */
void thread_background(const char *name);

/*
 * Priority of the drawing and the sampling thread. ottop is needed on overloaded machines, and these threads
 * sleep nearly always, so they run at high priority, but not for long: a long run would stall chains of
 * programs that hand work to one another.
 */
struct thread_pace {
	u64 ran_ns, waited_ns;	/* of the thread, at the last call */
	u32 patience;		/* calls for which it keeps high priority regardless of its load */
	bool yields;
};

#define THREAD_LONG_NS (5 * NSEC_PER_MSEC)

/* High priority for the calling thread and those it starts. Needs CAP_SYS_NICE, as do the functions below. 0 or -errno. */
int thread_raise(void);
/*
 * Of the calling thread, after each piece of work (a tick): if it ran for longer than THREAD_LONG_NS it has
 * the ordinary priority from now on; if not, or if it then waited far longer than it ran, it goes
 * before others again.
 */
void thread_follow_pace(struct thread_pace *p);
/* What thread_follow_pace() decides from the times of one piece of work, ns: true for the ordinary priority. */
bool thread_yields(struct thread_pace *p, u64 ran_ns, u64 waited_ns);

#endif
