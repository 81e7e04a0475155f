/* SPDX-License-Identifier: GPL-2.0-or-later */
/* codepaths.h: follows paths through functions, with the frame's state before each instruction. */
#pragma once

#include "symbolizer/codestate.h"
#include "symbolizer/elf.h"

#define CODE_PAGE 4096
#define CODE_MAX_STEPS (64u << 20)	/* bounds the time for a hostile file */

/*
 * A stretch of code followed at once: from a function's start, or from after a call. Calls may not
 * return, so the code after one may belong to another function. Proven: it reached a `ret` in a
 * valid state.
 */
struct part {
	u64 at;
	u32 before;	/* the part with the call; 0: starts a function */
	bool wrong, proven;
};

enum { MINE = 1, SEEN = 2, ENTRY = 4, AFTER_CALL = 8 };

/* State of one path: whether it comes directly from a call, constants in registers. */
struct path {
	u64 at;		/* offset in the text */
	struct codestate s;
	s32 ax;		/* number of a system call */
	u64 table;	/* address loaded by the last lea */
	bool after_call;
};

struct code {
	struct elf_file *f;
	const u8 *text;
	u64 addr, size;		/* of the text */
	struct codestate **pages;	/* by offset, allocated on demand */
	u8 *flags;		/* by offset */
	struct gap { u64 from, to; } *gaps;	/* ranges without frame information */
	u32 n_gaps, cap_gaps;
	struct path *paths, *begins;	/* begins: functions' starts, and code after calls */
	u32 n_paths, cap_paths, n_begins, cap_begins;
	struct part *parts;	/* [0] is unused */
	u32 n_parts, cap_parts, part;	/* part: the one being followed */
	struct cfi_row *rows;	/* result, made by codeframes.c */
	u32 n_rows, cap_rows, steps;
	bool go, begins_there;	/* begins_there: uncovered ranges start with a function */
};

static inline bool code_is_mine(const struct code *c, u64 at)
{
	return at < c->size && c->flags[at] & MINE;
}

/* The state before an instruction; allocates its page on demand. */
struct codestate *code_state(struct code *c, u64 at);
/* Reached by a path that was not found to be wrong. */
bool code_is_seen(struct code *c, u64 at);
/* Adds the file's entry point, which has no caller. */
void code_add_start(struct code *c);
/*
 * Adds a function's start; a path that reached it from a call is wrong: the call does not return.
 */
void code_add_entry(struct code *c, u64 addr);
/* Follows all starts and what they lead to. */
void code_follow(struct code *c);
