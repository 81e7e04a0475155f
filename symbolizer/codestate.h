/* SPDX-License-Identifier: GPL-2.0-or-later */
/* codestate.h: a frame's state, and how x86-64 instructions change it. */
#pragma once

#include "symbolizer/ehframe.h"
#include "symbolizer/insn.h"

#define UNKNOWN (-1)

enum mode { MODE_USUAL, MODE_CLONED /* may be the child */, MODE_CHILD, MODE_SIGNAL };

/* State before an instruction. The CFA is the value of the stack pointer before the call. */
struct codestate {
	s32 depth;	/* return address - sp; UNKNOWN: unknown, use rbp */
	s32 fp_cfa;	/* CFA - rbp; 0: rbp is not a frame pointer */
	s16 fp_off;	/* the caller's rbp is at CFA + fp_off; 0: still in rbp */
	u8 ra;		/* 0: the return address is on the stack; else in register ra - 1 */
	u8 mode;
	u32 part;	/* part of the code in which it was found */
};

/* Updates the state for one instruction. False: the state is unknown after it. */
bool codestate_step(struct codestate *s, const struct insn *i);
/* Whether two states unwind alike: if the depth is known, rbp's other uses do not matter. */
bool codestate_same(const struct codestate *a, const struct codestate *b);
/* The unwind rule of a state; go: rbp is the frame pointer chain. */
struct unw_info codestate_info(const struct codestate *s, bool go);
