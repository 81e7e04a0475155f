// SPDX-License-Identifier: GPL-2.0-or-later
/* codeframes.c: see codeframes.h: finds functions, makes rows of their paths (codepaths.h). */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/codeframes.h"
#include "symbolizer/codepaths.h"

#define MAX_TEXT (64u << 20)
#define MAX_UNKNOWN (4u << 20)	/* maximum bytes without frame information */
#define WORTH 4096		/* a file is analyzed if one byte in 4096 lacks frame information */
#define PADDING 40		/* shorter gaps between functions are padding */
#define CHUNK 512		/* symbols read at once */

/* ---- starts of functions ---- */

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
			    !code_is_mine(c, chunk[i].st_value - c->addr))
				continue;
			/* cold parts split off a function are entered in its middle */
			source_text(&s.names, chunk[i].st_name, '\0', name, sizeof(name));
			if (!strstr(name, ".cold"))
				code_add_entry(c, chunk[i].st_value);
		}
	}
}

/* Functions called through pointers: addresses in relocations of position-independent files. */
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

			/* it may also point into a function; functions are aligned */
			if (ELF64_R_TYPE(chunk[i].r_info) == R_X86_64_RELATIVE && to % 16 == 0 &&
			    code_is_mine(c, to - c->addr) && !code_is_seen(c, to - c->addr))
				code_add_entry(c, to);
		}
	}
}

/*
 * mov eax, 15; syscall: return address of signal handlers (rt_sigreturn), looked up a byte before;
 * in the call pc is a byte after.
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

			for (u64 i = first - !!first; i <= first + kinds[k].n && code_is_mine(c, i); i++) {
				c->flags[i] |= SEEN;
				*code_state(c, i) = (struct codestate){ .mode = MODE_SIGNAL };
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

/* Bytes between decoded instructions that no path reached get a row without information. */
static void add_rows(struct code *c, const struct gap *g)
{
	struct unw_info none = {};
	u64 end = g->from;	/* of the previous instruction */

	for (u64 at = g->from; at < g->to; at++) {
		bool seen = code_is_seen(c, at), signal = seen && code_state(c, at)->mode == MODE_SIGNAL;
		struct insn i;

		if (!seen && at == end)
			add_row(c, at, none);
		if (!seen || (at < end && !signal))
			continue;
		add_row(c, at, codestate_info(code_state(c, at), c->go));
		end = at + (!signal && insn_decode(c->text + at, c->size - at, &i) ? i.length : 1);
	}
	add_row(c, g->to, none);
}

/* ---- a file ---- */

/* Adds a range without frame information. Returns its size without padding. */
static u64 add_gap(struct code *c, u64 from, u64 to)
{
	if (to <= from || (to - from <= PADDING && to - from < c->size))
		return 0;
	c->gaps = grow(c->gaps, c->n_gaps, &c->cap_gaps, sizeof(*c->gaps));
	c->gaps[c->n_gaps++] = (struct gap){ from, to };
	return to - from;
}

/* Bytes not covered by rows. */
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
	c->pages = xcalloc(c->size / CODE_PAGE + 1, sizeof(*c->pages));
	c->flags = xcalloc(c->size, sizeof(*c->flags));
	c->parts = grow(NULL, 0, &c->cap_parts, sizeof(*c->parts));
	c->parts[0] = (struct part){};
	c->n_parts = 1;
	for (u32 i = 0; i < c->n_gaps; i++)
		memset(c->flags + c->gaps[i].from, MINE, c->gaps[i].to - c->gaps[i].from);
	code_add_start(c);
	code_follow(c);
	add_symbols(c, false);
	add_symbols(c, true);
	for (u32 i = 0; c->begins_there && i < c->n_gaps; i++)
		code_add_entry(c, c->addr + c->gaps[i].from);
	code_follow(c);
	add_relocated(c);
	code_follow(c);
	for (u32 i = 0; i < c->n_gaps && c->steps < CODE_MAX_STEPS; i++) {
		add_restorers(c, &c->gaps[i]);
		add_rows(c, &c->gaps[i]);
	}
}

static void free_code(struct code *c)
{
	for (u64 i = 0; c->pages && i < c->size / CODE_PAGE + 1; i++)
		free(c->pages[i]);
	free(c->pages);
	free(c->flags);
	free(c->gaps);
	free(c->parts);
	free(c->paths);
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
