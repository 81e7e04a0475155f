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
 * As pthread_create(3); `attr` may be NULL. The thread leaves signals to the main thread, but
 * not those of its own faults: of a blocked one the kernel kills the program without calling
 * the handler, which gives the terminal back. It has a stack for that handler, too.
 */
int thread_start(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

/*
 * Names the calling thread (15 characters at most) and gives it the ordinary priority: the one it
 * inherits is that of who draws and samples (setpriority(2): of one thread, on Linux).
 */
void thread_background(const char *name);

/*
 * The priority of the thread that draws and of the one that samples. A machine that hurts is when ottop is
 * needed, and they sleep nearly always: so they go before others, but not for long. Where one has
 * much to do, in work that passes from one program to the next nobody works while it runs.
 */
struct thread_pace {
	u64 ran_ns, waited_ns;	/* of the thread, up to the last call */
	u32 patience;		/* calls for which it goes before others, whatever it has to do */
	bool yields;
};

#define THREAD_LONG_NS (5 * NSEC_PER_MSEC)

/* For the calling thread and those that it starts: before others. Needs CAP_SYS_NICE, and so does what follows it. 0 or -errno. */
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
