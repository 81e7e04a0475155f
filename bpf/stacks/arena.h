/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.h: gives out lines of the arena that stack_wire.h describes, the
 * memory of everything the unwinder knows, under one cap. Sampler thread only.
 */
#ifndef OTTOP_PROFILER_ARENA_H
#define OTTOP_PROFILER_ARENA_H

#include "bpf/model/base.h"
#include "bpf/stacks/stack_wire.h"

/* The fd of the kernel's map of chunks stays the caller's. 0 or -errno. */
int arena_open(int chunks_fd);
void arena_close(void);
/*
 * n contiguous lines; the number of the first, or 0: no room under the cap.
 * What they hold is not defined.
 */
u32 arena_alloc(u32 n);
/* Lines under the cap. */
u32 arena_cap(void);
/* The most lines that arena_alloc() would give now. */
u32 arena_largest(void);
/* Whether it would take more of the kernel's memory to give out so many. */
bool arena_grows(u32 n);
/*
 * Gives them back (0: nothing). The kernel may still be reading them, so they
 * are given out again only a while later.
 */
void arena_free(u32 first);
/* What was freed lately may be given out: a grace period has passed since. */
void arena_settle(void);
/* A line, to write it, or to read what the kernel side reads; NULL: there is none. */
struct arena_line *arena_at(u32 line);
/* Bytes of kernel memory of all chunks; lines in use. */
u64 arena_bytes(void);
u32 arena_lines_used(void);

#endif
