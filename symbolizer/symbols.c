// SPDX-License-Identifier: GPL-2.0-or-later
/* symbols.c: see symbols.h. Searches the string table first: most files have none of the names. */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/pclntab.h"
#include "symbolizer/placement.h"
#include "symbolizer/symbols.h"

#define CHUNK 65536
#define MAX_PLACES 128		/* matches of the names, also at the end of longer ones */
#define SYMBOLS_AT_ONCE 1024
#define GO "go:"

struct place { u64 at; u32 name; };

struct search {
	const char *const *names;
	u64 *offsets;
	u32 n, n_places, n_segments, n_found;
	struct place places[MAX_PLACES];
	struct symbolizer_segment segments[8];
};

static void find_in(struct search *s, const char *text, size_t n, u64 at)
{
	for (u32 i = 0; i < s->n; i++) {
		size_t len = strlen(s->names[i]) + 1;	/* with its NUL */
		const char *p = text;

		while (!s->offsets[i] && s->n_places < MAX_PLACES &&
		       (p = memmem(p, n - (size_t)(p - text), s->names[i], len))) {
			s->places[s->n_places++] = (struct place){ at + (u64)(p - text), i };
			p += len;
		}
	}
}

/* Chunks overlap by the longest name less one byte, so each match is found once. */
static void find_places(struct search *s, const struct source *texts)
{
	static char buf[CHUNK];
	size_t keep = 0, n;

	for (u32 i = 0; i < s->n; i++)
		keep = max(keep, strlen(s->names[i]));
	s->n_places = 0;
	for (u64 at = 0; at < texts->size; at += n - keep) {
		n = source_read(texts, at, buf, sizeof(buf));
		find_in(s, buf, n, at);
		if (n <= keep || n < sizeof(buf))
			return;
	}
}

static u64 offset_of(const struct search *s, u64 addr)
{
	for (u32 i = 0; i < s->n_segments; i++) {
		const struct symbolizer_segment *g = &s->segments[i];

		if (addr >= g->addr && addr - g->addr < g->size)
			return addr - g->addr + g->offset;
	}
	return 0;
}

static void take_symbol(struct search *s, const Elf64_Sym *sym)
{
	if (ELF64_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx == SHN_UNDEF)
		return;
	for (u32 i = 0; i < s->n_places; i++) {
		const struct place *p = &s->places[i];

		if (p->at != sym->st_name || s->offsets[p->name])
			continue;
		s->offsets[p->name] = offset_of(s, sym->st_value);
		s->n_found += s->offsets[p->name] != 0;
	}
}

static void read_symbols(struct search *s, const struct source *symbols)
{
	static Elf64_Sym buf[SYMBOLS_AT_ONCE];
	size_t n;

	for (u64 at = 0; at < symbols->size; at += n * sizeof(*buf)) {
		n = source_read(symbols, at, buf, sizeof(buf)) / sizeof(*buf);
		for (size_t i = 0; i < n; i++)
			take_symbol(s, &buf[i]);
		if (!n)
			return;
	}
}

/* Offset of the function with the name at the start of `text`, which ends at NUL or `end`. */
static u64 offset_by_name(const struct search *s, const char *text, char end)
{
	size_t len = (size_t)(strchrnul(text, end) - text);

	for (u32 i = 0; i < s->n; i++)
		if (!strncmp(s->names[i], text, len) && !s->names[i][len])
			return s->offsets[i];
	return 0;
}

static void find_inner(struct search *s, struct elf_file *f, u32 i)
{
	const char *second = strchr(s->names[i], '>');

	if (!second || !strncmp(s->names[i], GO, strlen(GO)))
		return;
	s->offsets[i] = placement_inner(f, offset_by_name(s, s->names[i], '>'), offset_by_name(s, second + 1, '>'));
	s->n_found += s->offsets[i] != 0;
}

/* ---- functions of Go ---- */

#define GO_NAME_MAX 64

struct go_name {
	char caller[GO_NAME_MAX];	/* the function, or the one that calls `callee` */
	const char *callee;		/* NULL: none */
};

static bool go_name(const char *name, struct go_name *ret)
{
	const char *second;

	if (strncmp(name, GO, strlen(GO)))
		return false;
	name += strlen(GO);
	second = strchr(name, '>');
	snprintf(ret->caller, sizeof(ret->caller), "%.*s", (int)(strchrnul(name, '>') - name), name);
	ret->callee = second ? second + 1 : NULL;
	return true;
}

static u64 go_place(const struct search *s, struct elf_file *f, const struct go_name *name,
		    const struct pclntab_range *caller, const struct pclntab_range *callee)
{
	u64 at = caller->size ? offset_of(s, caller->addr) : 0;
	u64 to = name->callee && callee->size ? offset_of(s, callee->addr) : 0;

	if (!at)
		return 0;
	if (!name->callee)
		return placement_go(f, at);
	/* in one segment distances are the same in file and memory */
	return to && callee->addr - caller->addr == to - at ? placement_call(f, at, caller->size, to) : 0;
}

static void find_go(struct search *s, struct elf_file *f)
{
	struct go_name parts[SYMBOLIZER_SYMBOLS] = {};
	const char *all[2 * SYMBOLIZER_SYMBOLS];
	struct pclntab_range ranges[2 * SYMBOLIZER_SYMBOLS];
	u32 which[SYMBOLIZER_SYMBOLS], n = 0;

	for (u32 i = 0; i < s->n && n < SYMBOLIZER_SYMBOLS; i++) {
		if (!go_name(s->names[i], &parts[n]))
			continue;
		all[2 * n] = parts[n].caller;
		all[2 * n + 1] = parts[n].callee ?: "";
		which[n++] = i;
	}
	if (!n || !pclntab_ranges_of(f, all, 2 * n, ranges))
		return;
	for (u32 k = 0; k < n; k++) {
		s->offsets[which[k]] = go_place(s, f, &parts[k], &ranges[2 * k], &ranges[2 * k + 1]);
		s->n_found += s->offsets[which[k]] != 0;
	}
}

u32 symbols_find(struct elf_file *f, const char *const *names, u32 n, u64 *offsets)
{
	struct search s = { .names = names, .n = n, .offsets = offsets };

	memset(offsets, 0, n * sizeof(*offsets));
	s.n_segments = elf_exec_segments(f, s.segments, ARRAY_SIZE(s.segments));
	for (int dynamic = 1; dynamic >= 0; dynamic--) {
		struct elf_symbols table;

		if (!elf_symbols(f, dynamic, &table))
			continue;
		find_places(&s, &table.names);
		if (s.n_places)
			read_symbols(&s, &table.symbols);
	}
	for (u32 i = 0; i < n; i++)
		find_inner(&s, f, i);
	for (u32 i = 0; i < n; i++)
		offsets[i] = offsets[i] ? placement_of(f, offsets[i]) : 0;
	find_go(&s, f);
	return s.n_found;
}
