/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiler_things.h: what waits were for, as frames below the kernel's: "→ fd 3: pipe from bash 611",
 * "→ futex held by tid 77". The kernel says with each stack which descriptor, file and lock it
 * was (struct wire_call); waits.c finds out who is behind it, for so many a tick as fit into one
 * question to its worker. Sampler thread only.
 */
#ifndef OTTOP_PROFILER_THINGS_H
#define OTTOP_PROFILER_THINGS_H

#include "bpf/stacks/stack_wire.h"
#include "bpf/model/base.h"

struct thing;

/* What a blocked sample waited for, or NULL; valid until things_forget(). */
struct thing *things_of(const struct wire_sample *s);
/*
 * The descriptor of a set that ended a wait of a thread; NULL: there are too many things. Asked for by whoever
 * tells of that wait: a server has a connection for each client, and its waits are for any of them.
 */
struct thing *things_ready(u32 pid, u32 tid, u32 fd, u64 ino, u64 waited_ns);
/* Its frame; 0: not known (yet). */
u32 things_frame(const struct thing *t);
/* Who ended a wait for it: the tid, 0: not known. waker: as in struct wire_sample. */
u32 things_waker(u32 waker, const struct thing *t);
/* Its process; 0: it is not there any more. */
u32 things_process(u32 tid);
/* Who ended a wait: "← nginx 1191". */
u32 things_waker_frame(u32 tid);
/* Once a tick, after all samples and before things_frame(): asks, and waits a little for answers. */
void things_ask(u64 now_ns);
/* After the last things_frame() of a tick: lets go of what was not met for a while. */
void things_forget(void);
void things_open(void);
void things_close(void);
/* Waits of which nothing is said, for there were too many different ones. */
u64 things_refused(void);

#endif
