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

#endif
