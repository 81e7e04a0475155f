// SPDX-License-Identifier: GPL-2.0-or-later
/* codepaths.c: see codepaths.h. Sources: psABI x86-64 3.2.2 and 3.4.1; clone(2). */
#include <string.h>

#include "symbolizer/codepaths.h"

#define MAX_WAYS (1u << 16)
#define MAX_CASES 1024		/* of a switch statement */

/* x86-64 only; other architectures number them differently */
enum { NR_CLONE = 56, NR_CLONE3 = 435 };

/* ---- ranges and parts ---- */

struct codestate *code_state(struct code *c, u64 at)
{
	struct codestate **page = &c->pages[at / CODE_PAGE];

	if (!*page)
		*page = xcalloc(CODE_PAGE, sizeof(**page));
	return *page + at % CODE_PAGE;
}

static void add_path(struct code *c, const struct path *w, u64 at)
{
	if (!code_is_mine(c, at) || c->n_paths >= MAX_WAYS)
		return;
	c->paths = grow(c->paths, c->n_paths, &c->cap_paths, sizeof(*c->paths));
	c->paths[c->n_paths] = *w;
	c->paths[c->n_paths].at = at;
	c->paths[c->n_paths++].after_call = false;
}

static void add_begin(struct code *c, const struct path *w, u64 at, bool after_call)
{
	if (!code_is_mine(c, at))
		return;
	c->begins = grow(c->begins, c->n_begins, &c->cap_begins, sizeof(*c->begins));
	c->begins[c->n_begins] = *w;
	c->begins[c->n_begins].at = at;
	c->begins[c->n_begins++].after_call = after_call;
}

/* The kernel's entry point is not called from anywhere: the end of a stack. */
void code_add_start(struct code *c)
{
	struct path w = { .ax = UNKNOWN, .s.mode = MODE_CHILD };

	add_begin(c, &w, elf_entry(c->f) - c->addr, false);
}

static bool is_wrong(struct code *c, u32 part)
{
	for (; part && c->steps < CODE_MAX_STEPS; part = c->parts[part].before, c->steps++)
		if (c->parts[part].wrong)
			return true;
	return c->steps >= CODE_MAX_STEPS;
}

/* Functions start at multiples of 16, after padding. */
static bool may_begin(const struct code *c, u64 at)
{
	struct insn i;

	if ((c->addr + at) % 16 == 0)
		return true;
	return insn_decode(c->text + at, c->size - at, &i) &&
	       ((!i.map && (i.op == 0x90 || i.op == 0xcc)) || (i.map == 1 && i.op == 0x1f));
}

/*
 * A contradiction: some call before this part does not return: the one before a possible function,
 * or else all back to the last proven part.
 */
static void set_wrong(struct code *c, u32 part)
{
	struct part *p = &c->parts[part];

	p->wrong = true;
	for (u32 i = part; c->parts[i].before && (i == part || !c->parts[i].proven); i = c->parts[i].before) {
		if (may_begin(c, c->parts[i].at)) {
			c->parts[i].wrong = true;
			return;
		}
	}
	for (p = &c->parts[p->before]; p->before && !p->proven; p = &c->parts[p->before])
		p->wrong = true;
}

bool code_is_seen(struct code *c, u64 at)
{
	return c->flags[at] & SEEN && !is_wrong(c, code_state(c, at)->part);
}

void code_add_entry(struct code *c, u64 addr)
{
	struct path w = { .ax = UNKNOWN };
	u64 at = addr - c->addr;

	if (addr < c->addr || !code_is_mine(c, at) || c->flags[at] & ENTRY)
		return;
	if (code_is_seen(c, at)) {
		u32 part = code_state(c, at)->part;

		if (codestate_same(code_state(c, at), &w.s) || !c->parts[part].before || part == c->part)
			return;
		set_wrong(c, part);
	}
	c->flags[at] |= ENTRY;
	add_begin(c, &w, at, false);
}

/* ---- system calls that create threads ---- */

static void follow_numbers(struct path *w, const struct insn *i)
{
	if (i->map == 0 && i->op == 0xb8 && i->rm == INSN_AX)		/* mov eax, n */
		w->ax = (s32)i->imm;
	else if (i->map == 0 && (i->op == 0x31 || i->op == 0x33) && i->mod == 3 && !i->reg && !i->rm)
		w->ax = 0;
	else if (i->map == 0 && i->op == 0xb0 && w->ax != UNKNOWN)	/* mov al, n */
		w->ax = (w->ax & ~0xff) | (u8)i->imm;
	else if (i->map == 0 && i->op == 0xc7 && i->mod == 3 && !(i->reg & 7) && i->rm == INSN_AX)
		w->ax = (s32)i->imm;
	else if (insn_writes(i, INSN_AX) || (i->map == 0 && i->op == 0xe8))
		w->ax = UNKNOWN;
}

static bool is_system_call(const struct insn *i)
{
	return i->map == 1 && i->op == 0x05;
}

/* A new stack: rbp is cleared (psABI 3.4.1), or the parent's values are popped; else a fork. */
static bool begins_stack(const struct code *c, u64 at)
{
	struct insn i;

	for (u32 k = 0; k < 4 && at < c->size && insn_decode(c->text + at, c->size - at, &i); k++) {
		if (!i.map && (i.op == 0x31 || i.op == 0x33) && i.mod == 3 && i.reg == INSN_BP && i.rm == INSN_BP)
			return true;
		if (!i.map && i.wide && i.mod == 3 && ((i.op == 0x89 && i.rm == INSN_SP) ||
						       (i.op == 0x8b && i.reg == INSN_SP)))
			return true;
		at += i.length;
	}
	return false;
}

/* ---- paths through a function ---- */

/* A switch: a table of offsets relative to itself, or of addresses. */
static void follow_table(struct code *c, const struct path *w, const struct insn *i)
{
	bool absolute = i->mod == 0 && i->has_sib && (i->base & 7) == INSN_BP;
	u64 table = absolute ? (u64)i->disp : w->table, addr, section_addr;
	u32 size = absolute ? 8 : 4;
	struct source s;

	if (!table || !elf_section_source(c->f, ".rodata", &s, &section_addr) || table < section_addr)
		return;
	for (u32 k = 0; k < MAX_CASES; k++) {
		u8 word[8];
		s32 off;

		c->steps += 16;
		if (!source_get(&s, table - section_addr + k * size, word, size))
			return;
		memcpy(absolute ? (void *)&addr : &off, word, size);
		if (!absolute)
			addr = table + (u64)(s64)off;
		if (addr < c->addr || !code_is_mine(c, addr - c->addr))
			return;
		add_path(c, w, addr - c->addr);
	}
}

/* Target of a jump or call, as an offset in the text. */
static u64 target_of(const struct path *w, const struct insn *i)
{
	return w->at + i->length + (u64)i->imm;
}

static bool is_branch(const struct insn *i)
{
	return (!i->map && ((i->op >= 0x70 && i->op <= 0x7f) || (i->op >= 0xe0 && i->op <= 0xe3))) ||
	       (i->map == 1 && i->op >= 0x80 && i->op <= 0x8f);
}

/* Which side of a branch the child of clone() takes. */
static void follow_branch(struct code *c, struct path *w, const struct insn *i)
{
	u64 to = target_of(w, i), next = w->at + i->length;
	u8 condition = i->op & 15;
	struct path there = *w;

	if (w->s.mode == MODE_CLONED && !i->vex && (condition == 4 || condition == 5)) {
		bool jumps = condition == 4;	/* je */

		if (begins_stack(c, jumps ? to : next)) {
			there.s.mode = jumps ? MODE_CHILD : MODE_USUAL;
			w->s.mode = jumps ? MODE_USUAL : MODE_CHILD;
		} else {
			there.s.mode = w->s.mode = MODE_USUAL;
		}
	}
	add_path(c, &there, to);
}

/* A lea of a function's address, to be called through the register. */
static void note_address(struct code *c, struct path *w, const struct insn *i)
{
	u64 addr;

	if (i->map || i->op != 0x8d || i->mod || i->has_sib || (i->rm & 7) != INSN_BP)
		return;
	addr = c->addr + w->at + i->length + (u64)i->disp;
	w->table = addr;
	code_add_entry(c, addr);
}

static void check_return(struct code *c, const struct codestate *s)
{
	if (s->mode != MODE_USUAL)
		return;
	if (s->depth || s->fp_off || s->ra)
		set_wrong(c, c->part);
	else
		c->parts[c->part].proven = true;
}

/* Continues after an instruction. False: this path ends. */
static bool go_on(struct code *c, struct path *w, const struct insn *i)
{
	if (!i->map && (i->op == 0xe9 || i->op == 0xeb)) {
		add_path(c, w, target_of(w, i));
		return false;
	}
	if (!i->map && i->op == 0xff && (i->reg & 7) == 4) {
		follow_table(c, w, i);
		return false;
	}
	if (!i->map && (i->op == 0xc2 || i->op == 0xc3))	/* ret: all must be restored */
		check_return(c, &w->s);
	/* ret, hlt, int3, ud2, iret */
	if ((!i->map && (i->op == 0xc2 || i->op == 0xc3 || i->op == 0xf4 || i->op == 0xcc || i->op == 0xcf ||
			 i->op == 0xca || i->op == 0xcb || (i->op == 0xff && (i->reg & 7) > 4 &&
							    (i->reg & 7) != 6))) ||
	    (i->map == 1 && i->op == 0x0b))
		return false;
	if (is_branch(i))
		follow_branch(c, w, i);
	if (!i->map && i->op == 0xe8)
		code_add_entry(c, c->addr + target_of(w, i));
	if (!i->map && (i->op == 0xe8 || (i->op == 0xff && (i->reg & 7) == 2))) {
		/*
		 * ends mostly in a call that does not return: what follows is no part of the path
		 */
		if (w->s.mode == MODE_CHILD)
			return false;
		w->s.mode = MODE_USUAL;
		add_begin(c, w, w->at + i->length, true);
		return false;
	}
	if (is_system_call(i) && (w->ax == NR_CLONE || w->ax == NR_CLONE3) && w->s.mode == MODE_USUAL)
		w->s.mode = MODE_CLONED;
	return true;
}

/* Records the state. False: known, or in conflict: then a path from after a call loses. */
static bool arrive(struct code *c, struct path *w)
{
	u8 *flags = &c->flags[w->at];
	struct codestate *s = code_state(c, w->at);

	if (*flags & ENTRY && (w->s.depth || w->s.fp_cfa || w->s.ra || w->s.mode)) {
		if (!w->after_call && !w->s.mode)
			set_wrong(c, c->part);
		return false;
	}
	if (code_is_seen(c, w->at)) {
		bool same = codestate_same(s, &w->s);

		if (same && !w->after_call)
			*flags &= (u8)~AFTER_CALL;
		if (same || w->after_call)
			return false;
		set_wrong(c, *flags & AFTER_CALL ? s->part : c->part);
		if (is_wrong(c, c->part))
			return false;
	}
	*flags = (u8)((*flags & ~AFTER_CALL) | SEEN | (w->after_call ? AFTER_CALL : 0));
	w->s.part = c->part;
	*s = w->s;
	return true;
}

static void follow(struct code *c, struct path w)
{
	struct insn i;

	while (code_is_mine(c, w.at) && arrive(c, &w)) {
		c->steps++;
		if (!insn_decode(c->text + w.at, c->size - w.at, &i))
			set_wrong(c, c->part);
		if (is_wrong(c, c->part))
			return;
		follow_numbers(&w, &i);
		note_address(c, &w, &i);
		if (!go_on(c, &w, &i))
			return;
		if (w.s.mode != MODE_CHILD && !codestate_step(&w.s, &i)) {
			if (w.s.depth == -8)	/* pops too much: not a function's start */
				set_wrong(c, c->part);
			return;
		}
		w.at += i.length;
	}
}

static void follow_part(struct code *c, struct path w)
{
	u32 before = w.after_call ? w.s.part : 0;

	if (is_wrong(c, before))
		return;
	c->parts = grow(c->parts, c->n_parts, &c->cap_parts, sizeof(*c->parts));
	c->part = c->n_parts++;
	c->parts[c->part] = (struct part){ .at = w.at, .before = before };
	follow(c, w);
	while (c->n_paths && !is_wrong(c, c->part))
		follow(c, c->paths[--c->n_paths]);
	c->n_paths = 0;
}

void code_follow(struct code *c)
{
	while (c->n_begins && c->steps < CODE_MAX_STEPS)
		follow_part(c, c->begins[--c->n_begins]);
}
