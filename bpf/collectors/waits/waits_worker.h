/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waits_worker.h: a thread that answers questions. If reading hangs (FUSE, userfaultfd) it is
 * abandoned ("reading it hangs") and replaced.
 */
#pragma once

#include "bpf/collectors/waits/waits_question.h"

#define BATCH_MAX 96

struct batch {
	u32 n;
	u64 cpu_ns;		/* CPU time of the answers */
	struct wait_question q[BATCH_MAX];
	struct wait_answer a[BATCH_MAX];
};

/* True when the worker is idle; false: an answer is pending. */
bool worker_idle(void);
/* Gives it n <= BATCH_MAX questions (copied), only when it is idle. 0 or -errno. */
int worker_ask(const struct wait_question *q, u32 n);
/*
 * Waits up to wait_ns; true: *ret has the batch, once. A worker too slow for one question is
 * abandoned: that one gets the reason, those after it fail.
 */
bool worker_take(u64 wait_ns, struct batch *ret);
/* False: a thread hangs, and may still use shared resources. */
bool worker_stop(void);
