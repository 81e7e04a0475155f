// SPDX-License-Identifier: GPL-2.0-or-later
/* codeframes.c: see codeframes.h. What Linux and the psABI say: x86-64 3.2.2, 3.4.1; clone(2). */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/codeframes.h"
#include "symbolizer/codestate.h"
#include "symbolizer/insn.h"

#define MAX_TEXT (64u << 20)
#define MAX_UNKNOWN (4u << 20)	/* bytes of it without frame information */
#define WORTH 4096		/* one byte of so many: else the file is not read for it */
#define PADDING 40		/* so much between functions is none */
#define PAGE 4096
#define MAX_STEPS (64u << 20)	/* a hostile file shall not take for ever */
#define MAX_WAYS (1u << 16)
#define MAX_CASES 1024		/* of a switch */
#define CHUNK 512		/* symbols read at once */

/* Not numbered alike everywhere, but so on x86-64. */
enum { NR_CLONE = 56, NR_CLONE3 = 435 };

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
	struct cfi_row *rows;
	u32 n_rows, cap_rows, steps;
	bool go, begins_there;	/* begins_there: what is not known begins with a function */
};

/* ---- which code ---- */

static bool is_mine(const struct code *c, u64 at)
{
	return at < c->size && c->flags[at] & MINE;
}

static struct codestate *state_at(struct code *c, u64 at)
{
	struct codestate **page = &c->pages[at / PAGE];

	if (!*page)
		*page = xcalloc(PAGE, sizeof(**page));
	return *page + at % PAGE;
}

static void add_way(struct code *c, const struct way *w, u64 at)
{
	if (!is_mine(c, at) || c->n_ways >= MAX_WAYS)
		return;
	c->ways = grow(c->ways, c->n_ways, &c->cap_ways, sizeof(*c->ways));
	c->ways[c->n_ways] = *w;
	c->ways[c->n_ways].at = at;
	c->ways[c->n_ways++].after_call = false;
}

static void add_begin(struct code *c, const struct way *w, u64 at, bool after_call)
{
	if (!is_mine(c, at))
		return;
	c->begins = grow(c->begins, c->n_begins, &c->cap_begins, sizeof(*c->begins));
	c->begins[c->n_begins] = *w;
	c->begins[c->n_begins].at = at;
	c->begins[c->n_begins++].after_call = after_call;
}

/* Nothing called what the kernel begins with: the end of a stack. */
static void add_start(struct code *c)
{
	struct way w = { .ax = UNKNOWN, .s.mode = MODE_CHILD };

	add_begin(c, &w, elf_entry(c->f) - c->addr, false);
}

static bool is_wrong(struct code *c, u32 part)
{
	for (; part && c->steps < MAX_STEPS; part = c->parts[part].before, c->steps++)
		if (c->parts[part].wrong)
			return true;
	return c->steps >= MAX_STEPS;
}

/* Functions begin at multiples of 16, behind padding. */
static bool may_begin(const struct code *c, u64 at)
{
	struct insn i;

	if ((c->addr + at) % 16 == 0)
		return true;
	return insn_decode(c->text + at, c->size - at, &i) &&
	       ((!i.map && (i.op == 0x90 || i.op == 0xcc)) || (i.map == 1 && i.op == 0x1f));
}

/*
 * This part cannot be as it was followed. At fault is a call that does not return: the one where the
 * next function may begin, else all up to what is proven.
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

static bool is_seen(struct code *c, u64 at)
{
	return c->flags[at] & SEEN && !is_wrong(c, state_at(c, at)->part);
}

/* A function begins there: what came to it from behind a call that does not return is wrong. */
static void add_entry(struct code *c, u64 addr)
{
	struct way w = { .ax = UNKNOWN };
	u64 at = addr - c->addr;

	if (addr < c->addr || !is_mine(c, at) || c->flags[at] & ENTRY)
		return;
	if (is_seen(c, at)) {
		u32 part = state_at(c, at)->part;

		if (codestate_same(state_at(c, at), &w.s) || !c->parts[part].before || part == c->part)
			return;
		set_wrong(c, part);
	}
	c->flags[at] |= ENTRY;
	add_begin(c, &w, at, false);
}

static void add_symbols(struct code *c, bool dynamic)
{
	Elf64_Sym chunk[CHUNK];
	struct elf_symbols s;
	size_t n;

	if (!elf_symbols(c->f, dynamic, &s))
		return;
	for (u64 at = 0; (n = source_read(&s.symbols, at, chunk, sizeof(chunk)) / sizeof(*chunk));
	     at += n * sizeof(*chunk)) {
		for (size_t i = 0; i < n; i++) {
			char name[128] = "";

			if (ELF64_ST_TYPE(chunk[i].st_info) != STT_FUNC ||
			    !is_mine(c, chunk[i].st_value - c->addr))
				continue;
			/* a part that was moved away begins in the middle */
			source_text(&s.names, chunk[i].st_name, '\0', name, sizeof(name));
			if (!strstr(name, ".cold"))
				add_entry(c, chunk[i].st_value);
		}
	}
}

/* Functions that are called through data: of position-independent files the addresses are in relocations. */
static void add_relocated(struct code *c)
{
	Elf64_Rela chunk[CHUNK];
	struct source s;
	u64 addr;
	size_t n;

	if (!elf_section_source(c->f, ".rela.dyn", &s, &addr))
		return;
	for (u64 at = 0; (n = source_read(&s, at, chunk, sizeof(chunk)) / sizeof(*chunk));
	     at += n * sizeof(*chunk)) {
		for (size_t i = 0; i < n; i++) {
			u64 to = (u64)chunk[i].r_addend;

			/* a place inside of a function may be there, too: functions are aligned */
			if (ELF64_R_TYPE(chunk[i].r_info) == R_X86_64_RELATIVE && to % 16 == 0 &&
			    is_mine(c, to - c->addr) && !is_seen(c, to - c->addr))
				add_entry(c, to);
		}
	}
}

/* ---- system calls that make threads ---- */

static void follow_numbers(struct way *w, const struct insn *i)
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

/*
 * What begins a stack soon says so: it clears rbp (psABI 3.4.1), or takes its stack from where the
 * parent put it. A child that does neither is the other half of a fork.
 */
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

/* ---- ways through a function ---- */

/* A switch: a table of offsets from itself, or of addresses. */
static void follow_table(struct code *c, const struct way *w, const struct insn *i)
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
		if (addr < c->addr || !is_mine(c, addr - c->addr))
			return;
		add_way(c, w, addr - c->addr);
	}
}

/* Where it jumps to, as an offset in the text. */
static u64 target_of(const struct way *w, const struct insn *i)
{
	return w->at + i->length + (u64)i->imm;
}

static bool is_branch(const struct insn *i)
{
	return (!i->map && ((i->op >= 0x70 && i->op <= 0x7f) || (i->op >= 0xe0 && i->op <= 0xe3))) ||
	       (i->map == 1 && i->op >= 0x80 && i->op <= 0x8f);
}

/* Which way the child of clone() takes at a branch. */
static void follow_branch(struct code *c, struct way *w, const struct insn *i)
{
	u64 to = target_of(w, i), next = w->at + i->length;
	u8 condition = i->op & 15;
	struct way there = *w;

	if (w->s.mode == MODE_CLONED && !i->vex && (condition == 4 || condition == 5)) {
		bool jumps = condition == 4;	/* je */

		if (begins_stack(c, jumps ? to : next)) {
			there.s.mode = jumps ? MODE_CHILD : MODE_USUAL;
			w->s.mode = jumps ? MODE_USUAL : MODE_CHILD;
		} else {
			there.s.mode = w->s.mode = MODE_USUAL;
		}
	}
	add_way(c, &there, to);
}

/* A function's address in a register, to be called there. */
static void note_address(struct code *c, struct way *w, const struct insn *i)
{
	u64 addr;

	if (i->map || i->op != 0x8d || i->mod || i->has_sib || (i->rm & 7) != INSN_BP)
		return;
	addr = c->addr + w->at + i->length + (u64)i->disp;
	w->table = addr;
	add_entry(c, addr);
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

/* What comes after an instruction. False: nothing on this way. */
static bool go_on(struct code *c, struct way *w, const struct insn *i)
{
	if (!i->map && (i->op == 0xe9 || i->op == 0xeb)) {
		add_way(c, w, target_of(w, i));
		return false;
	}
	if (!i->map && i->op == 0xff && (i->reg & 7) == 4) {
		follow_table(c, w, i);
		return false;
	}
	if (!i->map && (i->op == 0xc2 || i->op == 0xc3))	/* ret: all is as it was */
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
		add_entry(c, c->addr + target_of(w, i));
	if (!i->map && (i->op == 0xe8 || (i->op == 0xff && (i->reg & 7) == 2))) {
		/* what nothing called calls what does not return, mostly: what follows is not its own */
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

/*
 * Notes what holds at an instruction. False: it is known, or two ways disagree: what comes
 * straight from a call is not believed then, because the call may not return.
 */
static bool arrive(struct code *c, struct way *w)
{
	u8 *flags = &c->flags[w->at];
	struct codestate *s = state_at(c, w->at);

	if (*flags & ENTRY && (w->s.depth || w->s.fp_cfa || w->s.ra || w->s.mode)) {
		if (!w->after_call && !w->s.mode)
			set_wrong(c, c->part);
		return false;
	}
	if (is_seen(c, w->at)) {
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

static void follow(struct code *c, struct way w)
{
	struct insn i;

	while (is_mine(c, w.at) && arrive(c, &w)) {
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
			if (w.s.depth == -8)	/* it takes more than there is: no function begins there */
				set_wrong(c, c->part);
			return;
		}
		w.at += i.length;
	}
}

static void follow_part(struct code *c, struct way w)
{
	u32 before = w.after_call ? w.s.part : 0;

	if (is_wrong(c, before))
		return;
	c->parts = grow(c->parts, c->n_parts, &c->cap_parts, sizeof(*c->parts));
	c->part = c->n_parts++;
	c->parts[c->part] = (struct part){ .at = w.at, .before = before };
	follow(c, w);
	while (c->n_ways && !is_wrong(c, c->part))
		follow(c, c->ways[--c->n_ways]);
	c->n_ways = 0;
}

static void follow_all(struct code *c)
{
	while (c->n_begins && c->steps < MAX_STEPS)
		follow_part(c, c->begins[--c->n_begins]);
}

/*
 * mov eax, 15; syscall: what a signal handler returns to (rt_sigreturn). Nothing called it, so it
 * is looked up one byte before; while the kernel is in the call the pc is one byte behind.
 */
static void add_restorers(struct code *c, const struct gap *g)
{
	static const struct { const char *code; u32 n; } kinds[] = {
		{ "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 9 }, { "\xb8\x0f\0\0\0\x0f\x05", 7 },
	};

	for (u32 k = 0; k < ARRAY_SIZE(kinds); k++) {
		const u8 *at = c->text + g->from, *end = c->text + g->to;

		for (; (at = memmem(at, (size_t)(end - at), kinds[k].code, kinds[k].n)); at++) {
			u64 first = (u64)(at - c->text);

			for (u64 i = first - !!first; i <= first + kinds[k].n && is_mine(c, i); i++) {
				c->flags[i] |= SEEN;
				*state_at(c, i) = (struct codestate){ .mode = MODE_SIGNAL };
			}
		}
	}
}

/* ---- rows ---- */

static void add_row(struct code *c, u64 at, struct unw_info info)
{
	if (c->n_rows && !memcmp(&c->rows[c->n_rows - 1].info, &info, sizeof(info)))
		return;
	c->rows = grow(c->rows, c->n_rows, &c->cap_rows, sizeof(*c->rows));
	c->rows[c->n_rows++] = (struct cfi_row){ .pc = c->addr + at, .info = info };
}

/* Between two instructions that were seen there is none that was not; else nothing is known. */
static void add_rows(struct code *c, const struct gap *g)
{
	struct unw_info none = {};
	u64 end = g->from;	/* of the last instruction */

	for (u64 at = g->from; at < g->to; at++) {
		bool seen = is_seen(c, at), signal = seen && state_at(c, at)->mode == MODE_SIGNAL;
		struct insn i;

		if (!seen && at == end)
			add_row(c, at, none);
		if (!seen || (at < end && !signal))
			continue;
		add_row(c, at, codestate_info(state_at(c, at), c->go));
		end = at + (!signal && insn_decode(c->text + at, c->size - at, &i) ? i.length : 1);
	}
	add_row(c, g->to, none);
}

/* ---- a file ---- */

/* One range without frame information. Its size; padding counts for nothing. */
static u64 add_gap(struct code *c, u64 from, u64 to)
{
	if (to <= from || (to - from <= PADDING && to - from < c->size))
		return 0;
	c->gaps = grow(c->gaps, c->n_gaps, &c->cap_gaps, sizeof(*c->gaps));
	c->gaps[c->n_gaps++] = (struct gap){ from, to };
	return to - from;
}

/* How much there is that rows say nothing of. */
static u64 find_gaps(struct code *c, const struct cfi_row *known, u32 n)
{
	u64 unknown = 0, last = 0;

	for (u32 i = 0; i < n; i++) {
		u64 from = max(known[i].pc, c->addr) - c->addr;
		u64 to = i + 1 < n && known[i + 1].pc > c->addr ? known[i + 1].pc - c->addr : from;

		to = min(to, c->size);
		if (known[i].info.cfa == UNW_CFA_NONE || to <= from)
			continue;
		unknown += add_gap(c, last, from);
		last = to;
	}
	return unknown + add_gap(c, last, c->size);
}

static void read_gaps(struct code *c)
{
	c->pages = xcalloc(c->size / PAGE + 1, sizeof(*c->pages));
	c->flags = xcalloc(c->size, sizeof(*c->flags));
	c->parts = grow(NULL, 0, &c->cap_parts, sizeof(*c->parts));
	c->parts[0] = (struct part){};
	c->n_parts = 1;
	for (u32 i = 0; i < c->n_gaps; i++)
		memset(c->flags + c->gaps[i].from, MINE, c->gaps[i].to - c->gaps[i].from);
	add_start(c);
	follow_all(c);
	add_symbols(c, false);
	add_symbols(c, true);
	for (u32 i = 0; c->begins_there && i < c->n_gaps; i++)
		add_entry(c, c->addr + c->gaps[i].from);
	follow_all(c);
	add_relocated(c);
	follow_all(c);
	for (u32 i = 0; i < c->n_gaps && c->steps < MAX_STEPS; i++) {
		add_restorers(c, &c->gaps[i]);
		add_rows(c, &c->gaps[i]);
	}
}

static void free_code(struct code *c)
{
	for (u64 i = 0; c->pages && i < c->size / PAGE + 1; i++)
		free(c->pages[i]);
	free(c->pages);
	free(c->flags);
	free(c->gaps);
	free(c->parts);
	free(c->ways);
	free(c->begins);
}

struct cfi_row *codeframes_rows(struct elf_file *f, const char *section, const struct cfi_row *known,
				u32 n_known, bool go, u32 *ret_n)
{
	struct code c = { .f = f, .go = go, .begins_there = go || strcmp(section, ".text") };
	struct elf_section text;
	struct source unread;
	u64 unknown;

	*ret_n = 0;
	if (!elf_section_source(f, section, &unread, &c.addr) || unread.size > MAX_TEXT)
		return NULL;
	c.size = unread.size;
	unknown = find_gaps(&c, known, n_known);
	if (unknown && unknown <= MAX_UNKNOWN && (go || unknown >= c.size / WORTH) && elf_section(f, section, &text) && text.data &&
	    text.size == c.size) {
		c.text = text.data;
		read_gaps(&c);
	}
	free_code(&c);
	*ret_n = c.n_rows;
	return c.rows;
}
