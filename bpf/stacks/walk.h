/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * walk.h: walks a user stack with the tables that symbolizer/ compiled from
 * .eh_frame, one frame a step:
 *
 *	pc -> mapping of the process -> file's table -> row -> rule -> caller
 *
 * The same code runs in the kernel (bpf/stacks/unwind.bpf.h), on copied stacks
 * (bpf/stacks/user_walk.c) and in a test. The includer must define before:
 *
 *	const struct arena_line *arena_line(u32 line)	NULL: no such line
 *	const struct unw_info *unwind_rule(u32 number)	NULL: no such rule
 *	bool walk_read(struct walk_ctx *c, void *to, u32 n, u64 addr)
 *	WALK_TABLE(m)	the table of a mapping, if it differs from the one in the arena
 *
 * Addresses after the first are return addresses: they are looked up one byte
 * earlier, unless a signal interrupted there. Where there is no table (JIT)
 * frame pointers are followed as long as they are plausible; the instructions at pc
 * tell whether the first frame has been set up.
 */
#pragma once

#define MAX_BISECT 17		/* rows of a 64 KiB page: at most 2^16 */
#define FP_MAX_FRAME (1 << 20)	/* a frame pointer further away is not one */
#define R_BX 3			/* DWARF numbers */
#define R_FP 6

#ifndef WALK_TABLE
#define WALK_TABLE(m) MAPPING_TABLE(m)
#endif

struct walk {
	u64 frames[2 * (MAX_FRAMES + 1)];	/* user frames; the sampler appends the kernel's */
	struct walk_regs r;
	u64 miss;
	u32 n, end, last;	/* last: line of the mapping that served last, or 0 */
	bool leaf;		/* pc is exact and all registers are known */
	bool bx;		/* rbx is known all the same */
	bool chain;		/* fp was read from a frame pointer chain */
	u8 code[CODE_BYTES];	/* not on the stack, which is full there on 6.1 */
};

/* Context of a step; on the stack, so that the verifier tracks the pointers. */
struct walk_ctx {
	struct walk *w;
	u32 first, n;		/* mappings of the process: lines of the arena */
	const struct wire_copy *copy;	/* not in the kernel: the memory that is read */
};

static __always_inline bool walk_read(struct walk_ctx *c, void *to, u32 n, u64 addr);

static __always_inline bool in_mapping(const struct arena_line *m, u64 pc)
{
	return pc >= m->w[0] && pc < m->w[1];
}

/* The mapping of pc, or NULL. */
static __always_inline const struct arena_line *find_mapping(struct walk_ctx *c, u64 pc)
{
	u32 lo = c->first, hi = lo + c->n, end = hi;
	const struct arena_line *m;

	if (c->w->last) {
		m = arena_line(c->w->last);
		if (m && in_mapping(m, pc))
			return m;
	}
	for (int i = 0; i < MAX_MAPPING_STEPS && lo < hi; i++) {
		u32 mid = lo + (hi - lo) / 2;

		m = arena_line(mid);
		if (!m)
			return NULL;
		if (m->w[1] <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	m = lo < end ? arena_line(lo) : NULL;
	if (!m || !in_mapping(m, pc))
		return NULL;
	c->w->last = lo;
	return m;
}

/* Word i of the table that begins at a line; false: there is none. */
static __always_inline bool table_word(u32 table, u32 i, u64 *ret)
{
	const struct arena_line *l = arena_line(table + i / 4);

	if (l)
		*ret = l->w[i & 3];
	return l != NULL;
}

/* The rule for an address of a file, or NULL; *left_out: its page is not loaded. */
static __always_inline const struct unw_info *find_info(u32 table, u64 addr, bool *left_out)
{
	u64 word, page = addr >> UNW_PAGE_BITS;
	u32 pages, first, lo, hi;

	if (!table_word(table, 0, &word))
		return NULL;
	pages = word;
	if (page >= pages || !table_word(table, 1 + page, &word))
		return NULL;
	*left_out = word == UNW_LEFT_OUT;
	first = lo = word >> 32;
	hi = lo + (u32)word;
	for (int i = 0; i < MAX_BISECT && lo < hi; i++) {	/* the first row above */
		u32 mid = lo + (hi - lo) / 2;

		if (!table_word(table, 1 + pages + mid / 2, &word))
			return NULL;
		if (((word >> (mid % 2 * 32)) & 0xffff) <= (addr & 0xffff))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == first)
		return NULL;
	lo--;
	if (!table_word(table, 1 + pages + lo / 2, &word))
		return NULL;
	return unwind_rule((u32)(word >> (lo % 2 * 32)) >> 16);
}

static __always_inline int stop(struct walk *w, u32 end)
{
	w->end = end;
	return 1;
}

static __always_inline bool read_word(struct walk_ctx *c, u64 addr, void *ret)
{
	return walk_read(c, ret, sizeof(u64), addr);
}

/* The context that a signal interrupted: sp points to the ucontext (arch/x86 sigframe.h, sigcontext.h). */
static __always_inline int step_signal(struct walk_ctx *c)
{
#if defined(__TARGET_ARCH_x86) || defined(__x86_64__)
	struct walk_regs *r = &c->w->r;
	u64 g[17];	/* r8..r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip */

	if (!walk_read(c, g, sizeof(g), r->sp + 40))
		return stop(c->w, WALK_BAD_READ);
	for (int i = 0; i < 8; i++)
		r->regs[8 + i] = g[i];
	r->regs[5] = g[8];
	r->regs[4] = g[9];
	r->regs[3] = g[11];
	r->regs[1] = g[12];
	r->regs[0] = g[13];
	r->regs[2] = g[14];
	r->fp = g[10];
	r->sp = g[15];
	r->pc = g[16];
	c->w->leaf = true;
	return 0;
#else
	return stop(c->w, WALK_NO_CFI);
#endif
}

/* An exception is about to land: continues with the frame of the landing pad. */
static __always_inline int step_landing(struct walk_ctx *c, const struct unw_info *i)
{
	struct walk *w = c->w;
	struct walk_regs *r = &w->r;
	u64 context = r->fp + (s64)i->cfa_off, to[2], slot;

	if (!walk_read(c, to, sizeof(to), context + UNW_CONTEXT_CFA) ||
	    !read_word(c, context + 8 * R_FP, &slot) || !read_word(c, slot, &r->fp))
		return stop(w, WALK_BAD_READ);
	if (to[0] <= r->sp)
		return stop(w, WALK_STUCK);
	r->sp = to[0];
	r->pc = to[1] + 1;	/* as if a call were there */
	w->leaf = w->bx = w->chain = false;
	return 0;
}

static __always_inline bool is_near(u64 fp, u64 sp)
{
	return fp >= sp && fp - sp <= FP_MAX_FRAME;
}

/*
 * The frame pointer chain: fp[0] is the caller's, fp[1] the return address. A
 * chain ends with 0 (System V psABI x86-64 3.4.1; AAPCS64 6.4.6). That is no proof of
 * the outermost frame if a frame was in an unknown mapping (exec meanwhile) or in a
 * file that could not be opened, whose code may not use frame pointers.
 */
static __always_inline int step_frame_pointer(struct walk_ctx *c, u32 why_not)
{
	struct walk *w = c->w;
	struct walk_regs *r = &w->r;
	u64 pair[2];

	if (w->chain && !r->fp)
		return stop(w, w->miss ? WALK_NO_MAPPING : WALK_WHOLE);
	if ((!is_near(r->fp, r->sp) && !w->chain) || (r->fp & 7))
		return stop(w, why_not);
	if (!walk_read(c, pair, sizeof(pair), r->fp) || !pair[1])
		return stop(w, why_not);
	/* Go switches stacks (systemstack, cgo): the chain continues on the other one */
	if (!is_near(r->fp, r->sp) && pair[0] && !is_near(pair[0], r->fp))
		return stop(w, why_not);
	r->sp = r->fp + 16;
	r->fp = pair[0];
	r->pc = pair[1];
	w->leaf = w->bx = false;
	w->chain = true;
	return 0;
}

/*
 * For code without a table (mostly JIT) the instructions at pc tell whether the frame is not set up yet, or
 * already torn down; the frame pointer is then still the caller's, and the caller would be missed. Patterns:
 * push rbp; mov rbp, rsp (sub rsp), pop rbp and ret; V8 before the prologue (mov rbx, [rcx - 8]; test byte
 * [rbx + x], 1; jne) and epilogue (cmp rcx, x; jg); HotSpot's prologue (mov [rsp - x], eax; push rbp, or
 * sub rsp, x; mov [rsp + y], rbp) and return poll (cmp rsp, [r15 + x]; ja).
 * Returns the offset of the return address from the stack pointer, 0 or 8; -1: no pattern matches.
 */

static __always_inline bool is_push_frame(const u8 *b)
{
	return b[0] == 0x55 && b[1] == 0x48 && b[2] == 0x89 && b[3] == 0xe5;
}

/* mov rbp, rsp; sub rsp */
static __always_inline bool is_set_frame(const u8 *b)
{
	return b[0] == 0x48 && ((b[1] == 0x89 && b[2] == 0xe5) || (b[1] == 0x8b && b[2] == 0xec) ||
				((b[1] == 0x83 || b[1] == 0x81) && b[2] == 0xec));
}

static __always_inline bool is_v8_entry(const u8 *b)
{
	return (b[0] == 0x48 && b[1] == 0x8b && b[2] == 0x59 && is_push_frame(b + 14)) ||
	       (b[0] == 0xf6 && b[1] == 0x43 && is_push_frame(b + 10)) ||
	       (b[0] == 0x0f && b[1] == 0x85 && is_push_frame(b + 6));
}

static __always_inline bool is_hotspot_entry(const u8 *b)
{
	return (b[0] == 0x89 && b[1] == 0x84 && b[2] == 0x24 && b[7] == 0x55) ||
	       (b[0] == 0x48 && b[1] == 0x81 && b[2] == 0xec && b[7] == 0x48 && b[8] == 0x89 &&
		(b[9] == 0x6c || b[9] == 0xac) && b[10] == 0x24);
}

/* The frame is torn down: only the return address is left. */
static __always_inline bool is_return(const u8 *b)
{
	if (b[0] == 0xc3 || b[0] == 0xc2)
		return true;
	return (b[0] == 0x49 && b[1] == 0x3b && (b[2] == 0xa7 || b[2] == 0x67)) || (b[0] == 0x0f && b[1] == 0x87 && b[6] == 0xc3) ||
	       (b[0] == 0x48 && b[1] == 0x83 && b[2] == 0xf9 && b[4] == 0x7f && b[6] == 0xc2) ||
	       (b[0] == 0x7f && b[2] == 0xc2);
}

static __always_inline int frame_of_code(struct walk_ctx *c)
{
#if defined(__TARGET_ARCH_x86) || defined(__x86_64__)
	u8 *b = c->w->code;
	u64 pc = c->w->r.pc;

	if (!c->w->leaf)
		return -1;
	__builtin_memset(b, 0, CODE_BYTES);	/* unreadable bytes match no pattern */
	if (!walk_read(c, b, CODE_BYTES, pc - 1) && !walk_read(c, b, 8, pc - 1)) {
		b[0] = 0;	/* the first instruction of a page */
		if (!walk_read(c, b + 1, 7, pc))
			return -1;
	}
	if (is_return(b + 1) || (b[1] == 0x55 && is_set_frame(b + 2)) || is_v8_entry(b + 1) ||
	    is_hotspot_entry(b + 1))
		return 0;
	if ((b[0] == 0x55 && is_set_frame(b + 1)) || (b[1] == 0x5d && is_return(b + 2)))
		return 8;
#endif
	return -1;
}

static __always_inline int step_unknown(struct walk_ctx *c, u32 why_not)
{
	struct walk *w = c->w;
	int above = frame_of_code(c);
	u64 pair[2];

	if (above < 0 || !walk_read(c, pair, sizeof(pair), w->r.sp))
		return step_frame_pointer(c, why_not);
	if (above)
		w->r.fp = pair[0];
	w->r.pc = above ? pair[1] : pair[0];
	w->r.sp += (u64)above + 8;
	w->leaf = w->bx = false;
	return w->r.pc ? 0 : stop(w, why_not);
}

static __always_inline bool known_register(const struct walk *w, u32 reg)
{
	return w->leaf || (reg == R_BX && w->bx);
}

static __always_inline bool find_cfa(struct walk_ctx *c, const struct unw_info *i, u64 *cfa)
{
	struct walk *w = c->w;
	struct walk_regs *r = &w->r;
	s64 off = i->cfa_off;
	u64 at;

	switch (i->cfa) {
	case UNW_CFA_CLONE:
		if (!w->leaf)
			return false;
		/* fall through */
	case UNW_CFA_SP:
		*cfa = r->sp + off;
		return true;
	case UNW_CFA_FP:
		*cfa = r->fp + off;
		return true;
	case UNW_CFA_PLT:
		*cfa = r->sp + 8 + ((r->pc & 15) >= 11 ? 8 : 0);
		return true;
	case UNW_CFA_FP_DEREF:
	case UNW_CFA_SP_DEREF:
	case UNW_CFA_SP_INDEX:
		at = (i->cfa == UNW_CFA_FP_DEREF ? r->fp : r->sp) + off;
		if (i->cfa == UNW_CFA_SP_INDEX) {
			if (!w->leaf)
				return false;
			at += 8 * r->regs[i->reg & (WALK_REGS - 1)];
		}
		if (!read_word(c, at, cfa))
			return false;
		*cfa += (s64)i->ra_off;
		return true;
	case UNW_CFA_REG:
		if (i->reg >= WALK_REGS || !known_register(w, i->reg))
			return false;
		*cfa = r->regs[i->reg & (WALK_REGS - 1)] + off;
		return true;
	}
	return false;
}

/* rbx is tracked only in files whose rules may use it to find the next frame. */
static __always_inline void step_bx(struct walk_ctx *c, const struct unw_info *i, u64 cfa)
{
	struct walk *w = c->w;

	if (i->bx == UNW_BX_CFA)
		w->bx = read_word(c, cfa + (s64)i->bx_off, &w->r.regs[R_BX]);
	else
		w->bx = i->bx == UNW_BX_SAME && known_register(w, R_BX);
}

static __always_inline int step_cfi(struct walk_ctx *c, const struct unw_info *i)
{
	struct walk *w = c->w;
	struct walk_regs *r = &w->r;
	u64 cfa, ra, fp = r->fp, sp = 0;

	if (!find_cfa(c, i, &cfa))
		return stop(w, WALK_NO_CFI);
	if (cfa <= r->sp && !w->leaf)
		return stop(w, WALK_STUCK);
	if (i->ra && !w->leaf)
		return stop(w, WALK_NO_CFI);
	if (i->ra)
		ra = r->regs[(i->ra - 1) & (WALK_REGS - 1)];
	else if (!read_word(c, cfa - 8, &ra))
		return stop(w, WALK_BAD_READ);
	/* frame::sender_for_interpreter_frame(): a compiled caller may have made room for arguments */
	if (i->cfa == UNW_CFA_FP && i->reg == UNW_FP_SENDER) {
		if (!read_word(c, r->fp - 8, &sp))
			return stop(w, WALK_BAD_READ);
		if (sp < cfa)
			return stop(w, WALK_STUCK);
	}
	if (i->fp == UNW_FP_CFA && !read_word(c, cfa + (s64)i->fp_off, &fp))
		return stop(w, WALK_BAD_READ);
	if (i->fp == UNW_FP_DEREF && !read_word(c, r->fp + (s64)i->fp_off, &fp))
		return stop(w, WALK_BAD_READ);
	step_bx(c, i, cfa);
	r->fp = fp;
	r->sp = sp ?: cfa;
	r->pc = ra + i->lands;	/* looked up at ra itself */
	w->leaf = false;
	w->chain = i->cfa == UNW_CFA_SP && i->reg == UNW_SP_CHAIN;
	return ra ? 0 : stop(w, WALK_WHOLE);
}

static __always_inline int note(struct walk *w, u32 n, u64 frame)
{
	w->frames[n] = frame;
	w->n = n + 1;
	return 0;
}

/* One frame: records pc, finds the caller. 1: the end. */
static int walk_step(u32 index, void *arg)
{
	struct walk_ctx *c = arg;
	struct walk *w = c->w;
	const struct unw_info *info;
	const struct arena_line *m;
	u32 n = w->n, table;
	bool left_out = false;
	u64 at, addr;

	(void)index;
	if (n >= MAX_FRAMES)
		return stop(w, WALK_TOO_DEEP);
	at = w->leaf ? w->r.pc : w->r.pc - 1;
	m = find_mapping(c, at);
	if (!m) {
		note(w, n, FRAME_ADDR(w->r.pc));
		w->miss = w->r.pc;
		return step_unknown(c, WALK_NO_MAPPING);
	}
	addr = at - m->w[2];
	table = WALK_TABLE(m);
	note(w, n, MAPPING_FILE(m) ? (u64)MAPPING_FILE(m) << FRAME_ADDR_BITS | FRAME_ADDR(addr) :
	     FRAME_ADDR(w->r.pc));
	if (table == TABLE_PENDING) {
		w->miss = at;
		return stop(w, WALK_NEW_FILE);
	}
	info = table >= TABLE_FIRST ? find_info(table, addr, &left_out) : NULL;
	if (left_out || table == TABLE_NO_ROOM || (info && info->cfa == UNW_CFA_LEFT_OUT))
		return stop(w, WALK_NO_ROOM);
	if (MAPPING_LOST(m))
		w->miss = w->r.pc;
	/* JIT code with a table: the table does not cover prologues and epilogues */
	if (!info || info->cfa == UNW_CFA_NONE || (!MAPPING_FILE(m) && w->leaf && frame_of_code(c) >= 0))
		return step_unknown(c, WALK_NO_CFI);
	if (info->cfa == UNW_CFA_UNKNOWN) {
		w->miss = at;
		return stop(w, WALK_NEW_CODE);
	}
	if (info->cfa == UNW_CFA_END && info->reg && n)
		w->n = n;
	if (info->cfa == UNW_CFA_END || (info->cfa == UNW_CFA_CLONE && w->leaf && !w->r.regs[0]))
		return stop(w, WALK_WHOLE);
	if (info->cfa == UNW_CFA_SIGNAL)
		return step_signal(c);
	if (info->cfa == UNW_CFA_LANDING)
		return step_landing(c, info);
	return step_cfi(c, info);
}

/* r is set: the rest of the state at the innermost frame. */
static __always_inline void walk_begin(struct walk *w)
{
	w->n = 0;
	w->miss = 0;
	w->last = 0;
	w->leaf = true;
	w->bx = w->chain = false;
	w->end = WALK_TOO_DEEP;
}
