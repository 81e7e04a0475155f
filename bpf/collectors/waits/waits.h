/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waits.h: what a thread in a system call waits on: "fd 3: pipe from bash 611", "futex
 * held by tid 77". Looked up when somebody asks for a tick, for so many threads as the
 * tick has room for: those of the selected process first, then what hangs for longest.
 * Sampler thread only.
 */
#ifndef OTTOP_WAITS_H
#define OTTOP_WAITS_H

#include "bpf/collectors/collector.h"
#include "bpf/collectors/threads.h"
#include "bpf/collectors/waits/waits_worker.h"
#include "bpf/host/proctab.h"

/* After the pass over all tasks, before rows are made: sets the `longest` of each process. */
void waits_update(const struct tick *t);
/*
 * A new reference: what it waits on; "" where it is in no call, or runs; NULL where that is
 * not known yet. Text from outside is in it.
 */
const char *waits_of(const struct wire_thread *w);
/* True where nothing is wrong with its being in that call: epoll_wait, a condition, a sleep. */
bool waits_by_design(const struct wire_thread *w);

/* ---- for those who know the arguments ---- */

/* key: of the question; text: what it waits on, without how long; NULL: not known. */
typedef void (*waits_answered_fn)(u64 key, const char *text);
/* Who is told of answers to waits_ask(); one at a time, NULL: nobody. */
void waits_listen(waits_answered_fn answered);
/* True when there is nobody's question under way. */
bool waits_free(void);
/* Asks n <= BATCH_MAX questions with keys, only when free, and waits at most so long for answers. */
void waits_ask(const struct wait_question *q, u32 n, u64 patience_ns);

#endif
