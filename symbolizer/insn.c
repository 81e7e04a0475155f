// SPDX-License-Identifier: GPL-2.0-or-later
/* insn.c: see insn.h. */
#include "symbolizer/bytes.h"
#include "symbolizer/insn.h"

#define MAX_LENGTH 15

/* What follows the opcode: ModRM, and immediates. */
enum {
	M = 1,		/* ModRM */
	B = 2,		/* imm8 */
	Z = 4,		/* imm32, with prefix 66 imm16 */
	W = 8,		/* imm16 */
	J = 16,		/* rel32, regardless of prefixes */
	V = 32,		/* imm32; with REX.W imm64 */
	A = 64,		/* an address */
	X = 128,	/* invalid */
};

static const u8 one_byte[256] = {
	/* 00 */ M, M, M, M, B, Z, X, X, M, M, M, M, B, Z, X, X,
	/* 10 */ M, M, M, M, B, Z, X, X, M, M, M, M, B, Z, X, X,
	/* 20 */ M, M, M, M, B, Z, X, X, M, M, M, M, B, Z, X, X,
	/* 30 */ M, M, M, M, B, Z, X, X, M, M, M, M, B, Z, X, X,
	/* 40 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	/* 50 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* 60 */ X, X, X, M, X, X, X, X, Z, M | Z, B, M | B, 0, 0, 0, 0,
	/* 70 */ B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	/* 80 */ M | B, M | Z, X, M | B, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 90 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, X, 0, 0, 0, 0, 0,
	/* a0 */ A, A, A, A, 0, 0, 0, 0, B, Z, 0, 0, 0, 0, 0, 0,
	/* b0 */ B, B, B, B, B, B, B, B, V, V, V, V, V, V, V, V,
	/* c0 */ M | B, M | B, W, 0, X, X, M | B, M | Z, W | B, 0, W, 0, 0, B, X, 0,
	/* d0 */ M, M, M, M, X, X, X, 0, M, M, M, M, M, M, M, M,
	/* e0 */ B, B, B, B, B, B, B, B, J, J, X, B, 0, 0, 0, 0,
	/* f0 */ X, 0, X, X, 0, 0, M, M, 0, 0, 0, 0, 0, 0, M, M,
};

/* Opcodes 0f XX */
static u8 form_of_two(u8 op)
{
	if (op >= 0x80 && op <= 0x8f)
		return J;
	if (op == 0x04 || op == 0x0a || op == 0x0c || op == 0x24 || op == 0x25 || op == 0x26 ||
	    op == 0x27 || op == 0x36 || op == 0x39 || (op >= 0x3b && op <= 0x3f))
		return X;
	if (op == 0x05 || op == 0x06 || op == 0x07 || op == 0x08 || op == 0x09 || op == 0x0b ||
	    op == 0x0e || (op >= 0x30 && op <= 0x37) || op == 0x77 || (op >= 0xa0 && op <= 0xa2) ||
	    (op >= 0xa8 && op <= 0xaa) || (op >= 0xc8 && op <= 0xcf))
		return 0;
	if (op == 0x0f || (op >= 0x70 && op <= 0x73) || op == 0xa4 || op == 0xac || op == 0xba ||
	    op == 0xc2 || (op >= 0xc4 && op <= 0xc6))
		return M | B;
	return M;
}

static u8 form_of(const struct insn *i)
{
	u8 form = i->map == 0 ? one_byte[i->op] : i->map == 1 ? form_of_two(i->op) :
		  i->map == 3 ? M | B : M;

	if (i->map == 0 && (i->op == 0xf6 || i->op == 0xf7) && (i->reg & 7) < 2)
		form |= i->op == 0xf6 ? B : Z;
	return form;
}

struct prefixes {
	u8 rex;
	bool address;	/* 67 */
};

static u8 read_prefixes(struct bytes *b, struct insn *i, struct prefixes *p)
{
	for (;;) {
		u8 c = (u8)bytes_uint(b, 1);

		if (c == 0x66)
			i->short_operand = true;
		else if (c == 0x67)
			p->address = true;
		else if (c != 0xf0 && c != 0xf2 && c != 0xf3 && c != 0x2e && c != 0x36 && c != 0x3e &&
			 c != 0x26 && c != 0x64 && c != 0x65)
			return c;
		if (b->failed)
			return 0;
	}
}

/* VEX (c5, c4) and EVEX (62) encode the map; their register bits are not needed. */
static void read_vex(struct bytes *b, struct insn *i, u8 kind)
{
	u8 p0 = (u8)bytes_uint(b, 1);

	i->vex = true;
	i->map = kind == 0xc5 ? 1 : kind == 0xc4 ? p0 & 0x1f : p0 & 7;
	if (i->map == 0)
		b->failed = true;
	if (i->map > 3)
		i->map = 2;	/* 5 and 6: half precision, without immediates */
	bytes_skip(b, kind == 0xc5 ? 0 : kind == 0xc4 ? 1 : 2);
	i->op = (u8)bytes_uint(b, 1);
}

static void read_opcode(struct bytes *b, struct insn *i, struct prefixes *p)
{
	u8 c = read_prefixes(b, i, p);

	if ((c & 0xf0) == 0x40) {
		p->rex = c;
		c = (u8)bytes_uint(b, 1);
	} else if (c == 0xc5 || c == 0xc4 || c == 0x62) {
		read_vex(b, i, c);
		return;
	}
	i->wide = p->rex & 8;
	if (c == 0x0f) {
		i->map = 1;
		c = (u8)bytes_uint(b, 1);
		if (c == 0x38 || c == 0x3a) {
			i->map = c == 0x38 ? 2 : 3;
			c = (u8)bytes_uint(b, 1);
		}
	}
	i->op = c;
}

static void read_modrm(struct bytes *b, struct insn *i, u8 rex)
{
	u8 c = (u8)bytes_uint(b, 1), sib = 0;

	i->has_modrm = true;
	i->mod = c >> 6;
	i->reg = (u8)((c >> 3 & 7) | (rex & 4) << 1);
	i->rm = (u8)((c & 7) | (rex & 1) << 3);
	if (i->mod == 3)
		return;
	i->has_sib = (c & 7) == 4;
	if (i->has_sib) {
		sib = (u8)bytes_uint(b, 1);
		i->index = (u8)((sib >> 3 & 7) | (rex & 2) << 2);
		i->base = (u8)((sib & 7) | (rex & 1) << 3);
	}
	if (i->mod == 1)
		i->disp = bytes_sint(b, 1);
	else if (i->mod == 2 || (c & 7) == 5 || (i->has_sib && (sib & 7) == 5))
		i->disp = bytes_sint(b, 4);
}

static void read_immediate(struct bytes *b, struct insn *i, u8 form, bool short_address)
{
	if (form & W)
		i->imm = bytes_sint(b, 2);
	if (form & B)
		i->imm = bytes_sint(b, 1);
	if (form & Z)
		i->imm = bytes_sint(b, i->short_operand && !i->wide ? 2 : 4);
	if (form & J)
		i->imm = bytes_sint(b, 4);
	if (form & V)
		i->imm = bytes_sint(b, i->wide ? 8 : i->short_operand ? 2 : 4);
	if (form & A)
		bytes_skip(b, short_address ? 4 : 8);
}

bool insn_decode(const u8 *code, size_t n, struct insn *ret)
{
	struct bytes b = bytes_of(code, min(n, (size_t)MAX_LENGTH));
	struct prefixes p = {};
	u8 form;

	*ret = (struct insn){ .index = INSN_SP };
	read_opcode(&b, ret, &p);
	if (ret->vex ? !(ret->map == 1 && ret->op == 0x77) : form_of(ret) & M)
		read_modrm(&b, ret, p.rex);
	else
		ret->rm = (u8)((ret->op & 7) | (p.rex & 1) << 3);
	form = form_of(ret);	/* with ModRM: f6 and f7 */
	if (b.failed || (!ret->vex && form & X))
		return false;
	read_immediate(&b, ret, ret->vex ? form & B : form, p.address);
	ret->length = (u8)(b.at - b.start);
	return !b.failed;
}

static bool writes_rm(const struct insn *i)
{
	u8 op = i->op, ext = i->reg & 7;

	if (i->map == 1)
		return op == 0xb1 || op == 0xc1 || op == 0xa4 || op == 0xa5 || op == 0xac || op == 0xad ||
		       op == 0xab || op == 0xb3 || op == 0xbb || (op == 0x7e && i->short_operand) ||
		       (op == 0xba && ext > 4);
	if (i->map)
		return false;
	if (op < 0x40)
		return (op & 7) == 1 && op != 0x39;
	return ((op == 0x81 || op == 0x83) && ext != 7) || op == 0x87 || op == 0x89 || op == 0x8f ||
	       op == 0xc1 || op == 0xc7 || op == 0xd1 || op == 0xd3 ||
	       (op == 0xf7 && (ext == 2 || ext == 3)) || (op == 0xff && ext < 2);
}

static bool writes_reg(const struct insn *i)
{
	u8 op = i->op;

	if (i->map == 1)
		return (op >= 0x40 && op <= 0x4f) || op == 0x2c || op == 0x2d || op == 0x50 || op == 0xaf ||
		       op == 0xb6 || op == 0xb7 || op == 0xb8 || (op >= 0xbc && op <= 0xbf) || op == 0xc1 ||
		       op == 0x02 || op == 0x03 || op == 0xd7 || op == 0xc5;
	if (i->map)
		return false;
	if (op < 0x40)
		return (op & 7) == 3 && op != 0x3b;
	return op == 0x63 || op == 0x69 || op == 0x6b || op == 0x87 || op == 0x8b || op == 0x8d;
}

bool insn_writes(const struct insn *i, u8 reg)
{
	if (i->vex)
		return false;
	if (i->has_modrm)
		return (i->mod == 3 && i->rm == reg && writes_rm(i)) || (i->reg == reg && writes_reg(i));
	if (i->map == 0)
		return i->rm == reg && ((i->op >= 0x58 && i->op <= 0x5f) ||
					(i->op > 0x90 && i->op <= 0x97) || (i->op >= 0xb8 && i->op <= 0xbf));
	return i->map == 1 && i->op >= 0xc8 && i->op <= 0xcf && i->rm == reg;	/* bswap */
}
