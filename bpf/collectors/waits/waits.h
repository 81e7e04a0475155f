/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waits.h: what a thread in a system call waits on: "fd 3: pipe from bash 611", "futex held by tid
 * 77". Looked up for as many threads as a tick has time for: those of the selected process first,
 * then the longest waits. Sampler thread only.
 */
#pragma once

#include "bpf/collectors/collector.h"
#include "bpf/collectors/threads.h"
#include "bpf/collectors/waits/waits_worker.h"
#include "bpf/host/proctab.h"

/* After the pass over all tasks, before rows are made: sets the `longest` of each process. */
void waits_update(const struct tick *t);
/* A new reference; "": in no call, or running; NULL: not known yet. May contain untrusted text. */
const char *waits_of(const struct wire_thread *w);
/* True for calls that are meant to wait: epoll_wait, a condition, a sleep. */
bool waits_by_design(const struct wire_thread *w);

/* ---- for callers that know the call's arguments (the profiler) ---- */

/* key: of the question; text: what it waits on, without the duration; NULL: unknown. */
typedef void (*waits_answered_fn)(u64 key, const char *text);
/* Sets the callback for answers to waits_ask(), only one; NULL: none. */
void waits_listen(waits_answered_fn answered);
/* True when no question is pending. */
bool waits_free(void);
/* Asks n <= BATCH_MAX questions with keys, only when free, and waits at most patience_ns for answers. */
void waits_ask(const struct wait_question *q, u32 n, u64 patience_ns);
