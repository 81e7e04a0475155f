// SPDX-License-Identifier: GPL-2.0-or-later
/* codestate.c: see codestate.h. */
#include "symbolizer/codestate.h"

#define MAX_DEPTH (1 << 20)

/* After push rbp; mov rbp, rsp it is a frame pointer until popped, else a general register. */
static bool is_framed(const struct codestate *s)
{
	return s->fp_cfa == 16 && s->fp_off == -16;
}

bool codestate_same(const struct codestate *a, const struct codestate *b)
{
	return a->depth == b->depth && a->fp_off == b->fp_off && a->ra == b->ra && a->mode == b->mode &&
	       (a->fp_cfa == b->fp_cfa || (a->depth != UNKNOWN && !is_framed(a) && !is_framed(b)));
}

static u8 dwarf_number(u8 reg)
{
	static const u8 numbers[] = { 0, 2, 1, 3, 7, 6, 4, 5 };

	return reg < 8 ? numbers[reg] : reg;
}

/* False: the state is unknown from here on. */
static bool move_sp(struct codestate *s, s64 by)
{
	if (s->depth == UNKNOWN)
		return s->fp_cfa;
	if (s->depth + by < -8 || s->depth + by > MAX_DEPTH || by % 8)
		return false;
	s->depth += (s32)by;
	return true;
}

/* Records that the caller's rbp was saved at sp + from_sp. */
static void keep_fp(struct codestate *s, s64 from_sp)
{
	s64 off = from_sp - s->depth - 8;

	if (!s->fp_off && !s->fp_cfa && s->depth != UNKNOWN && off < -8 && off >= INT16_MIN)
		s->fp_off = (s16)off;
}

static bool push(struct codestate *s, u8 reg)
{
	if (s->depth == -8) {	/* vfork() pushes the return address back from a register */
		if (s->ra != dwarf_number(reg) + 1)
			return false;
		s->ra = 0;
	}
	if (!move_sp(s, 8))
		return false;
	if (reg == INSN_BP)
		keep_fp(s, 0);
	return true;
}

static bool pop(struct codestate *s, u8 reg)
{
	if (s->depth == 0 && s->mode == MODE_USUAL)
		s->ra = (u8)(dwarf_number(reg) + 1);
	if (reg == INSN_SP)
		return false;
	if (reg == INSN_BP && s->fp_off && s->depth != UNKNOWN && -s->depth - 8 == s->fp_off)
		s->fp_off = 0;
	else if (reg == INSN_BP && s->fp_off && s->fp_cfa)
		return false;	/* another value, or from an unknown location */
	if (reg == INSN_BP)
		s->fp_cfa = 0;
	return move_sp(s, -8);
}

/* The stack pointer becomes rbp + disp. */
static bool sp_from_fp(struct codestate *s, s64 disp)
{
	s64 depth = s->fp_cfa - 8 - disp;

	if (!s->fp_cfa || depth < 0 || depth > MAX_DEPTH)
		return false;
	s->depth = (s32)depth;
	return true;
}

/* rbp becomes sp + disp: a frame pointer, if the caller's rbp was saved. */
static void fp_from_sp(struct codestate *s, s64 disp)
{
	s64 cfa = s->depth - disp + 8;

	s->fp_cfa = s->fp_off && s->depth != UNKNOWN && cfa > 0 && cfa < MAX_DEPTH ? (s32)cfa : 0;
}

static bool is_sp_base(const struct insn *i)
{
	return i->mod != 3 && i->has_sib && i->base == INSN_SP && i->index == INSN_SP;
}

/* Handles writes to the stack pointer in the forms compilers emit. False: another form. */
static bool write_sp(struct codestate *s, const struct insn *i)
{
	u8 ext = i->reg & 7;

	if (i->map || !i->wide)
		return false;
	if ((i->op == 0x83 || i->op == 0x81) && (ext == 0 || ext == 5))	/* add, sub */
		return move_sp(s, ext ? i->imm : -i->imm);
	if (((i->op == 0x83 || i->op == 0x81) && ext == 4) || i->op == 0x29 || i->op == 0x2b) {
		s->depth = UNKNOWN;	/* also `and` with an immediate, and sub of a register */
		return s->fp_cfa;
	}
	if (i->op == 0x8d && is_sp_base(i))
		return move_sp(s, -i->disp);
	if (i->op == 0x8d && i->mod != 0 && !i->has_sib && i->rm == INSN_BP)
		return sp_from_fp(s, i->disp);
	return ((i->op == 0x89 && i->reg == INSN_BP) || (i->op == 0x8b && i->rm == INSN_BP)) &&
	       i->mod == 3 && sp_from_fp(s, 0);
}

/* False: the base of the CFA was overwritten. */
static bool write_fp(struct codestate *s, const struct insn *i)
{
	if (!i->map && i->op == 0x8b && i->wide && is_sp_base(i) && s->depth != UNKNOWN &&
	    i->disp - s->depth - 8 == s->fp_off) {
		s->fp_off = 0;	/* restored */
		s->fp_cfa = 0;
		return true;
	}
	if (!i->map && i->wide && ((i->op == 0x89 && i->mod == 3 && i->reg == INSN_SP) ||
				   (i->op == 0x8b && i->mod == 3 && i->rm == INSN_SP)))
		fp_from_sp(s, 0);
	else if (!i->map && i->wide && i->op == 0x8d && is_sp_base(i))
		fp_from_sp(s, i->disp);
	else
		s->fp_cfa = 0;
	return s->fp_cfa || s->depth != UNKNOWN;
}

bool codestate_step(struct codestate *s, const struct insn *i)
{
	if (i->vex)
		return true;
	if (!i->map && i->op >= 0x50 && i->op <= 0x57)
		return !i->short_operand && push(s, i->rm);
	if (!i->map && i->op >= 0x58 && i->op <= 0x5f)
		return !i->short_operand && pop(s, i->rm);
	if (!i->map && (i->op == 0x68 || i->op == 0x6a || i->op == 0x9c ||
			(i->op == 0xff && (i->reg & 7) == 6)))
		return move_sp(s, 8);
	if (!i->map && (i->op == 0x9d || i->op == 0x8f))
		return i->rm != INSN_SP && move_sp(s, -8);
	if (!i->map && i->op == 0xc9)	/* leave */
		return sp_from_fp(s, 0) && pop(s, INSN_BP);
	if (!i->map && i->op == 0xc8)
		return false;
	if (!i->map && i->op == 0x89 && i->wide && i->reg == INSN_BP && is_sp_base(i))
		keep_fp(s, i->disp);
	if (insn_writes(i, INSN_SP))
		return write_sp(s, i);
	return !insn_writes(i, INSN_BP) || write_fp(s, i);
}

struct unw_info codestate_info(const struct codestate *s, bool go)
{
	struct unw_info i = { .cfa = UNW_CFA_SP, .cfa_off = s->depth + 8, .ra = s->ra };

	if (s->mode == MODE_SIGNAL)
		return (struct unw_info){ .cfa = UNW_CFA_SIGNAL };
	if (s->mode == MODE_CHILD)
		return (struct unw_info){ .cfa = UNW_CFA_END };
	if (s->mode == MODE_CLONED)
		return (struct unw_info){ .cfa = UNW_CFA_CLONE, .cfa_off = s->depth + 8 };
	if (is_framed(s) || s->depth == UNKNOWN) {
		i.cfa = UNW_CFA_FP;
		i.cfa_off = s->fp_cfa;
	} else if (go) {
		i.reg = UNW_SP_CHAIN;
	}
	if (s->fp_off) {
		i.fp = UNW_FP_CFA;
		i.fp_off = s->fp_off;
	}
	return i;
}
