/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiler_things.h: the objects that waits were for (things), as frames below the kernel's: "→ fd 3: pipe
 * from bash 611", "→ futex held by tid 77". Each stack comes with its descriptor, file and lock (struct
 * wire_call); waits.c describes them, as many a tick as fit into one question to its worker. Sampler
 * thread only.
 */
#pragma once

#include "bpf/stacks/stack_wire.h"
#include "bpf/model/base.h"

struct thing;

/* What a blocked sample waited for, or NULL; valid until things_forget(). */
struct thing *things_of(const struct wire_sample *s);
/*
 * The ready descriptor that ended a thread's wait on a set; NULL: too many things. Only for single
 * waits: a server has one for each connection.
 */
struct thing *things_ready(u32 pid, u32 tid, u32 fd, u64 ino, u64 waited_ns);
/* Its frame; 0: unknown (yet). */
u32 things_frame(const struct thing *t);
/* The tid that ended a wait for it; 0: unknown. waker: as in struct wire_sample. */
u32 things_waker(u32 waker, const struct thing *t);
/* The process of a thread; 0: the thread has ended. */
u32 things_process(u32 tid);
/* The frame of a waker: "← nginx 1191". */
u32 things_waker_frame(u32 tid);
/* Once a tick, after all samples and before things_frame(): asks, and waits a little for answers. */
void things_ask(u64 now_ns);
/* After the last things_frame() of a tick: evicts things not seen for a while. */
void things_forget(void);
void things_open(void);
void things_close(void);
/* Waits without a thing, because there were too many. */
u64 things_refused(void);
