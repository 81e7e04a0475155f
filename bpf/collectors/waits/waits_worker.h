/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waits_worker.h: a thread that answers questions about waits. Memory of others may be
 * such that reading it never ends (FUSE, userfaultfd): then the thread is left where it
 * hangs, the question has its answer ("reading it hangs"), and another thread takes over.
 */
#ifndef OTTOP_WAITS_WORKER_H
#define OTTOP_WAITS_WORKER_H

#include "bpf/collectors/waits/waits_question.h"

#define BATCH_MAX 96

struct batch {
	u32 n;
	u64 cpu_ns;		/* what answering took */
	struct wait_question q[BATCH_MAX];
	struct wait_answer a[BATCH_MAX];
};

/* True when the worker has nothing to do; false: an answer is still to come. */
bool worker_idle(void);
/* Gives it n <= BATCH_MAX questions; copied. Only when it is idle. 0 or -errno. */
int worker_ask(const struct wait_question *q, u32 n);
/*
 * Waits at most wait_ns for the batch that was given. True: *ret has it, once. A worker
 * that takes too long for one question is given up: that question has a reason for an
 * answer, and those behind it failed.
 */
bool worker_take(u64 wait_ns, struct batch *ret);
/* False: a thread hangs, and may hang on what it uses. */
bool worker_stop(void);

#endif
