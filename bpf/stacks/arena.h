/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena.h: allocates lines of the capped arena (stack_wire.h). Sampler thread only. */
#pragma once

#include "bpf/model/base.h"
#include "bpf/stacks/stack_wire.h"

/* The fd of the kernel's map of chunks stays the caller's. 0 or -errno. */
int arena_open(int chunks_fd);
void arena_close(void);
/* The first of n contiguous lines of undefined content, or 0: no room under the cap. */
u32 arena_alloc(u32 n);
u32 arena_cap(void);
/* The most lines that arena_alloc() would give now. */
u32 arena_largest(void);
/* Would n more lines need another chunk of kernel memory? */
bool arena_grows(u32 n);
/* Frees them (0: nothing). Reused only after arena_settle(), as the kernel may be reading them. */
void arena_free(u32 first);
/* A grace period has passed: freed lines may be reused. */
void arena_settle(void);
/* A line, for writing and reading; NULL: no such line. */
struct arena_line *arena_at(u32 line);
/* Bytes of kernel memory of all chunks; lines in use. */
u64 arena_bytes(void);
u32 arena_lines_used(void);
