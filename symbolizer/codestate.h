/* SPDX-License-Identifier: GPL-2.0-or-later */
/* codestate.h: where the frame is before an instruction, and what each x86-64 instruction does to that. */
#ifndef OTTOP_CODESTATE_H
#define OTTOP_CODESTATE_H

#include "symbolizer/ehframe.h"
#include "symbolizer/insn.h"

#define UNKNOWN (-1)

enum mode { MODE_USUAL, MODE_CLONED /* it may be the child */, MODE_CHILD, MODE_SIGNAL };

/* What holds before an instruction. The CFA is where the stack pointer was before the call. */
struct codestate {
	s32 depth;	/* sp is so far below the return address; UNKNOWN: unknown, rbp leads */
	s32 fp_cfa;	/* CFA - rbp; 0: rbp is no frame pointer */
	s16 fp_off;	/* the caller's rbp is at CFA + this; 0: in rbp */
	u8 ra;		/* 0: the return address is on the stack; else in register ra - 1 */
	u8 mode;
	u32 part;	/* where this was found */
};

/* What holds after the instruction. False: from here on nothing is known. */
bool codestate_step(struct codestate *s, const struct insn *i);
/* Where the depth is known it does not matter what else rbp points to. */
bool codestate_same(const struct codestate *a, const struct codestate *b);
/* How to unwind there; go: rbp is the frame pointer chain. */
struct unw_info codestate_info(const struct codestate *s, bool go);

#endif
