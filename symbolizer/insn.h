/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * insn.h: decodes the length of an x86-64 instruction and the fields that determine its effect on
 * the stack. Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2: 2.1 (format),
 * appendix A (opcode maps).
 */
#pragma once

#include <stddef.h>

#include "bpf/model/base.h"

enum { INSN_AX, INSN_CX, INSN_DX, INSN_BX, INSN_SP, INSN_BP, INSN_SI, INSN_DI };

struct insn {
	u8 length;
	u8 map;		/* 0: one-byte opcodes, 1: 0f, 2: 0f 38, 3: 0f 3a */
	u8 op;
	bool vex;	/* VEX or EVEX: never changes a stack or frame pointer */
	bool wide;	/* REX.W */
	bool short_operand;	/* prefix 66 */
	bool has_modrm;
	u8 mod, reg, rm;	/* reg, rm: with REX bits; without ModRM rm is the opcode's */
	bool has_sib;
	u8 base, index;	/* of the SIB byte, including their REX bits; index 4: none */
	s64 disp, imm;
};

/* False: invalid or truncated. */
bool insn_decode(const u8 *code, size_t n, struct insn *ret);
/* Whether it writes 16 bits or more of a general register (0 to 15) named by an operand. */
bool insn_writes(const struct insn *i, u8 reg);
