// SPDX-License-Identifier: GPL-2.0-or-later
/* cfi_program.c: .eh_frame programs (DWARF 5, 6.4.2), x86-64: CFA, rbp, some rbx, end of stack. */
#include "symbolizer/cfi_parts.h"

/* System V psABI x86-64, figure 3.36 */
enum { REG_AX = 0, REG_CX = 2, REG_BX = 3, REG_FP = 6, REG_SP = 7, REG_RA = 16 };

/* ---- expressions: only the few forms that compilers and glibc emit ---- */

enum { OP_AND = 0x1a, OP_MUL = 0x1e, OP_PLUS = 0x22, OP_PLUS_UCONST = 0x23, OP_SHL = 0x24, OP_GE = 0x2a,
       OP_LIT0 = 0x30, OP_BREG0 = 0x70, OP_DEREF = 0x06 };

/* binutils' elfxx-x86: breg7 8; breg16 0; lit15; and; lit11; ge; lit3; shl; plus */
static const u8 plt_expression[] = {
	OP_BREG0 + REG_SP, 8, OP_BREG0 + REG_RA, 0, OP_LIT0 + 15, OP_AND, OP_LIT0 + 11, OP_GE,
	OP_LIT0 + 3, OP_SHL, OP_PLUS,
};

static bool fits_s16(s64 v)
{
	return v >= INT16_MIN && v <= INT16_MAX;
}

/*
 * breg7 N; bregI 0; lit8; mul; plus: sp + N + 8 * I: libcrypto keeps an argument on its own stack
 */
static bool index_expression(struct bytes *e, u8 *ret_reg)
{
	struct bytes b = *e;
	u8 reg = (u8)(bytes_uint(&b, 1) - OP_BREG0);

	if (reg > 15 || bytes_sleb(&b) || bytes_uint(&b, 1) != OP_LIT0 + 8 ||
	    bytes_uint(&b, 1) != OP_MUL || bytes_uint(&b, 1) != OP_PLUS || b.failed)
		return false;
	*ret_reg = reg;
	*e = b;
	return true;
}

static struct unw_info cfa_expression(struct bytes e)
{
	struct unw_info none = {}, info = {};
	size_t len = bytes_left(&e);
	s64 offset, add = 0;
	bool indexed;
	u8 reg;

	if (len == sizeof(plt_expression) && !memcmp(e.at, plt_expression, len))
		return (struct unw_info){ .cfa = UNW_CFA_PLT };
	reg = (u8)bytes_uint(&e, 1);
	offset = bytes_sleb(&e);
	indexed = index_expression(&e, &info.reg);
	if (bytes_uint(&e, 1) != OP_DEREF)
		return none;
	if (bytes_left(&e)) {
		if (bytes_uint(&e, 1) != OP_PLUS_UCONST)
			return none;
		add = (s64)bytes_uleb(&e);
	}
	if (e.failed || bytes_left(&e) || !fits_s16(add) || offset != (s32)offset)
		return none;
	if (reg == OP_BREG0 + REG_SP && indexed)
		info.cfa = UNW_CFA_SP_INDEX;
	else if (indexed)
		return none;
	else if (reg == OP_BREG0 + REG_FP)
		info.cfa = UNW_CFA_FP_DEREF;
	else if (reg == OP_BREG0 + REG_SP)
		info.cfa = UNW_CFA_SP_DEREF;
	else
		return none;
	info.cfa_off = (s32)offset;
	info.ra_off = (s16)add;
	return info;
}

/* Location of the caller's rbp: breg6 N means *(rbp + N). */
static void fp_expression(struct unw_info *info, struct bytes e)
{
	u8 reg = (u8)bytes_uint(&e, 1);
	s64 offset = bytes_sleb(&e);

	if (e.failed || bytes_left(&e) || reg != OP_BREG0 + REG_FP || !fits_s16(offset))
		return;
	info->fp = UNW_FP_DEREF;
	info->fp_off = (s16)offset;
}

/* ---- the programs ---- */

static void set_cfa(struct cfi_machine *m, u64 reg, s64 offset)
{
	struct unw_info *i = &m->now.info;

	if (offset != (s32)offset) {
		i->cfa = UNW_CFA_NONE;
		return;
	}
	i->cfa = reg == REG_SP ? UNW_CFA_SP : reg == REG_FP ? UNW_CFA_FP : UNW_CFA_REG;
	i->reg = i->cfa == UNW_CFA_REG ? (u8)min(reg, 255ull) : 0;
	i->cfa_off = (s32)offset;
	i->ra_off = 0;
	/* rcx becomes the stack pointer and gets the landing address */
	i->lands = (m->now.eh_return && reg == REG_CX) || (i->lands && reg == REG_SP);
}

static u64 cfa_register(const struct cfi_machine *m)
{
	switch (m->now.info.cfa) {
	case UNW_CFA_FP:
		return REG_FP;
	case UNW_CFA_REG:
		return m->now.info.reg;
	}
	return REG_SP;
}

/* May wrap for hostile files: the result is checked by its users. */
static s64 scaled(const struct cfi_machine *m, s64 factored)
{
	return (s64)((u64)factored * (u64)m->cie->data_align);
}

static void set_offset(struct cfi_machine *m, u64 reg, s64 factored)
{
	s64 offset = scaled(m, factored);

	if (reg == REG_RA) {
		m->now.ra_undefined = false;
		m->now.info.ra = 0;
	}
	m->now.eh_return |= reg == REG_AX;
	if (!fits_s16(offset))
		return;
	if (reg == REG_FP) {
		m->now.info.fp = UNW_FP_CFA;
		m->now.info.fp_off = (s16)offset;
	} else if (reg == REG_BX) {
		m->now.info.bx = UNW_BX_CFA;
		m->now.info.bx_off = (s16)offset;
	}
}

static void set_same(struct cfi_machine *m, u64 reg)
{
	if (reg == REG_FP) {
		m->now.info.fp = UNW_FP_SAME;
		m->now.info.fp_off = 0;
	} else if (reg == REG_BX) {
		m->now.info.bx = UNW_BX_SAME;
		m->now.info.bx_off = 0;
	}
}

/* The caller's value is in another register; only tracked for the return address. */
static void set_register(struct cfi_machine *m, u64 reg, u64 in)
{
	if (reg == REG_RA && in < REG_RA) {
		m->now.ra_undefined = false;
		m->now.info.ra = (u8)(in + 1);
	} else if (reg == REG_BX) {
		m->now.info.bx = UNW_BX_LOST;
	}
}

static void restore(struct cfi_machine *m, u64 reg)
{
	if (reg == REG_FP) {
		m->now.info.fp = m->initial.info.fp;
		m->now.info.fp_off = m->initial.info.fp_off;
	} else if (reg == REG_BX) {
		m->now.info.bx = m->initial.info.bx;
		m->now.info.bx_off = m->initial.info.bx_off;
	} else if (reg == REG_RA) {
		m->now.ra_undefined = m->initial.ra_undefined;
		m->now.info.ra = m->initial.info.ra;
	}
}

static struct bytes read_block(struct bytes *b)
{
	u64 n = bytes_uleb(b);
	struct bytes block = bytes_of(b->at, min(n, (u64)bytes_left(b)));

	bytes_skip(b, n);
	return block;
}

/* Opcodes without an operand in their low bits. False: unknown, stop reading. */
static bool run_extended(struct cfi_machine *m, struct bytes *b, u8 op)
{
	u64 reg;

	switch (op) {
	case 0x00:	/* nop */
		break;
	case 0x05:	/* offset_extended */
		reg = bytes_uleb(b);
		set_offset(m, reg, (s64)bytes_uleb(b));
		break;
	case 0x06:	/* restore_extended */
		restore(m, bytes_uleb(b));
		break;
	case 0x07:	/* undefined */
		reg = bytes_uleb(b);
		if (reg == REG_RA)
			m->now.ra_undefined = true;
		break;
	case 0x08:	/* same_value */
		set_same(m, bytes_uleb(b));
		break;
	case 0x09:	/* register */
		reg = bytes_uleb(b);
		set_register(m, reg, bytes_uleb(b));
		break;
	case 0x0a:	/* remember_state */
		if (m->n_saved < CFI_MAX_STATES)
			m->saved[m->n_saved] = m->now;
		m->n_saved++;
		break;
	case 0x0b:	/* restore_state */
		if (m->n_saved && --m->n_saved < CFI_MAX_STATES)
			m->now = m->saved[m->n_saved];
		break;
	case 0x0c:	/* def_cfa */
		reg = bytes_uleb(b);
		set_cfa(m, reg, (s64)bytes_uleb(b));
		break;
	case 0x0d:	/* def_cfa_register */
		set_cfa(m, bytes_uleb(b), m->now.info.cfa_off);
		break;
	case 0x0e:	/* def_cfa_offset */
		set_cfa(m, cfa_register(m), (s64)bytes_uleb(b));
		break;
	case 0x0f: {	/* def_cfa_expression */
		struct unw_info i = cfa_expression(read_block(b)), *now = &m->now.info;

		now->cfa = i.cfa;
		now->cfa_off = i.cfa_off;
		now->ra_off = i.ra_off;
		now->reg = i.reg;
		break;
	}
	case 0x10:	/* expression */
		reg = bytes_uleb(b);
		if (reg == REG_FP)
			fp_expression(&m->now.info, read_block(b));
		else
			read_block(b);
		break;
	case 0x11:	/* offset_extended_sf */
		reg = bytes_uleb(b);
		set_offset(m, reg, bytes_sleb(b));
		break;
	case 0x12:	/* def_cfa_sf */
		reg = bytes_uleb(b);
		set_cfa(m, reg, scaled(m, bytes_sleb(b)));
		break;
	case 0x13:	/* def_cfa_offset_sf */
		set_cfa(m, cfa_register(m), scaled(m, bytes_sleb(b)));
		break;
	case 0x14:	/* val_offset */
	case 0x15:	/* val_offset_sf */
		bytes_uleb(b);
		bytes_uleb(b);
		break;
	case 0x16:	/* val_expression */
		bytes_uleb(b);
		read_block(b);
		break;
	case 0x2e:	/* GNU_args_size */
		bytes_uleb(b);
		break;
	default:
		return false;
	}
	return true;
}

void cfi_add_row(struct cfi_rows *r, u64 pc, const struct unw_info *info)
{
	if (r->n >= EHFRAME_MAX_ROWS) {
		r->too_many = true;
		return;
	}
	r->rows = grow(r->rows, r->n, &r->cap, sizeof(*r->rows));
	r->rows[r->n].pc = pc;
	r->rows[r->n++].info = *info;
}

static struct unw_info row_of(const struct cfi_machine *m)
{
	if (m->cie->signal)
		return (struct unw_info){ .cfa = UNW_CFA_SIGNAL };
	if (m->now.ra_undefined)
		return (struct unw_info){ .cfa = UNW_CFA_END };
	return m->now.info;
}

void cfi_run(struct cfi_machine *m, const struct cfi_section *s, struct bytes b, u64 end,
	     struct cfi_rows *rows)
{
	struct unw_info info;

	while (bytes_left(&b) && !b.failed) {
		u8 op = (u8)bytes_uint(&b, 1);
		u64 advance = 0, to = m->pc;
		bool moves = true;

		if (op >> 6 == 1)
			advance = op & 0x3f;
		else if (op == 0x02 || op == 0x03 || op == 0x04)
			advance = bytes_uint(&b, op == 0x02 ? 1 : op == 0x03 ? 2 : 4);
		else
			moves = false;
		if (op == 0x01) {	/* set_loc */
			to = cfi_pointer(s, &b, m->cie->enc);
			moves = true;
		} else if (moves) {
			to += advance * m->cie->code_align;
		}
		if (moves) {
			info = row_of(m);
			if (rows && to > m->pc)
				cfi_add_row(rows, m->pc, &info);
			if (to < m->pc || to >= end)
				return;
			m->pc = to;
		} else if (op >> 6 == 2) {
			set_offset(m, op & 0x3f, (s64)bytes_uleb(&b));
		} else if (op >> 6 == 3) {
			restore(m, op & 0x3f);
		} else if (!run_extended(m, &b, op)) {
			break;
		}
	}
	info = row_of(m);
	if (rows)
		cfi_add_row(rows, m->pc, &info);
}
