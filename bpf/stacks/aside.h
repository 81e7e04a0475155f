/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aside.h: whole unwind tables of files of which only a part is in the arena. They are packed, in our own
 * memory, where BPF programs cannot use them: copied stacks are walked with them, and further parts are
 * loaded from them. The least recently used are evicted. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"
#include "bpf/stacks/stack_wire.h"

#define ASIDE_FIRST (1u << 31)	/* numbers of lines from here on are not in the arena */

/* Keeps a copy of a whole table. Rules are by the numbers that all tables share. */
void aside_put(u32 file, const u64 *words, u32 n_words);
void aside_drop(u32 file);
/*
 * A heap table of only these pages (a bit each) of an existing file, the caller's. NULL: damaged.
 */
u64 *aside_pages(u32 file, const u64 *wanted);
/* Number of the first line of its table, or 0. */
u32 aside_table(u32 file);
/* Such a line, valid until the next call, or NULL. */
const struct arena_line *aside_line(u32 line);
/* Memory used. */
u64 aside_bytes(void);
void aside_close(void);
