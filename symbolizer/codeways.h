/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codeways.h: the ways through functions of which only the code is known: each from where a function
 * begins, instruction by instruction, and what holds before each.
 */
#ifndef OTTOP_CODEWAYS_H
#define OTTOP_CODEWAYS_H

#include "symbolizer/codestate.h"
#include "symbolizer/elf.h"

#define CODE_PAGE 4096
#define CODE_MAX_STEPS (64u << 20)	/* a hostile file shall not take for ever */

/*
 * Parts of functions that are followed at once: from the beginning, or from behind a call. That
 * a call returns is not known: what is behind it may be another function. Proven: a `ret` was
 * reached where it can be one.
 */
struct part {
	u64 at;
	u32 before;	/* the part with the call; 0: a function begins */
	bool wrong, proven;
};

enum { MINE = 1, SEEN = 2, ENTRY = 4, AFTER_CALL = 8 };

/* What is known of a way only: whether it comes straight from a call, constants in registers. */
struct way {
	u64 at;		/* offset in the text */
	struct codestate s;
	s32 ax;		/* number of a system call */
	u64 table;	/* address that a lea named last */
	bool after_call;
};

struct code {
	struct elf_file *f;
	const u8 *text;
	u64 addr, size;		/* of the text */
	struct codestate **pages;	/* by offset, made when one is needed */
	u8 *flags;		/* by offset */
	struct gap { u64 from, to; } *gaps;	/* offsets without frame information */
	u32 n_gaps, cap_gaps;
	struct way *ways, *begins;	/* begins: functions, and what comes after calls */
	u32 n_ways, cap_ways, n_begins, cap_begins;
	struct part *parts;	/* [0] is none */
	u32 n_parts, cap_parts, part;	/* part: the one that is followed */
	struct cfi_row *rows;	/* codeframes.c: what comes of it */
	u32 n_rows, cap_rows, steps;
	bool go, begins_there;	/* begins_there: what is not known begins with a function */
};

static inline bool code_is_mine(const struct code *c, u64 at)
{
	return at < c->size && c->flags[at] & MINE;
}

/* What holds there; a page of such is made when one is needed. */
struct codestate *code_state(struct code *c, u64 at);
/* A way came there that was not found to be wrong. */
bool code_is_seen(struct code *c, u64 at);
/* The place where the kernel begins: nothing called it. */
void code_add_start(struct code *c);
/* A function begins at that address: what came to it from behind a call that does not return is wrong. */
void code_add_entry(struct code *c, u64 addr);
/* Follows all that begins, and what that leads to. */
void code_follow(struct code *c);

#endif
