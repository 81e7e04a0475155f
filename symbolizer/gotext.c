// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gotext.c: finds a Go program's function table and its base address (runtime.text). That is the
 * start of .text only if Go linked without an external linker; the table has it up to 1.25, except
 * in position-independent programs; the runtime's moduledata always has it. An uncertain base is
 * not used: every name would be wrong.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "symbolizer/pclntab.h"

#define MAX_SCAN (64u << 20)
#define MODULE_MINPC 20		/* words of moduledata before minpc; then maxpc, text, etext */
#define CHUNK 8192

struct module {
	u64 words[MODULE_MINPC + 4];
};

/* Word 0 is the table's address, minpc the first function; text is not above it. */
static bool is_module(const struct module *m, u64 table_addr, u64 first_offset)
{
	const u64 *w = m->words + MODULE_MINPC;

	return m->words[0] == table_addr && w[0] == w[2] + first_offset && w[2] && w[1] > w[0] &&
	       w[3] >= w[2];
}

/* Searches for moduledata by value: programs that are not relocated contain its words. */
static u64 text_in_section(struct elf_file *f, const char *name, u64 table_addr, u64 first_offset)
{
	struct source s;
	struct module m;
	u64 words[CHUNK / 8], addr;
	size_t n;

	if (!elf_section_source(f, name, &s, &addr))
		return 0;
	for (u64 at = 0; at < s.size && at < MAX_SCAN; at += CHUNK) {
		n = source_read(&s, at, words, CHUNK) / 8;
		for (size_t i = 0; i < n; i++)
			if (words[i] == table_addr && source_get(&s, at + i * 8, &m, sizeof(m)) &&
			    is_module(&m, table_addr, first_offset))
				return m.words[MODULE_MINPC + 2];
	}
	return 0;
}

/* Applies relative relocations to addr, addr + 8, ...; other words are kept. */
static void apply(const struct source *relocations, u64 addr, struct module *m)
{
	Elf64_Rela *r = xmalloc(CHUNK / sizeof(*r) * sizeof(*r));
	u64 step = CHUNK / sizeof(*r) * sizeof(*r);

	for (u64 at = 0; at < relocations->size && at < MAX_SCAN; at += step) {
		size_t n = source_read(relocations, at, r, step) / sizeof(*r);

		for (size_t i = 0; i < n; i++)
			if (r[i].r_offset >= addr && r[i].r_offset - addr < sizeof(*m) &&
			    !((r[i].r_offset - addr) & 7))
				m->words[(r[i].r_offset - addr) / 8] = (u64)r[i].r_addend;
	}
	free(r);
}

/* moduledata of a position-independent program: found by the relocation to the table's address. */
static u64 text_in_relocations(struct elf_file *f, u64 table_addr, u64 first_offset)
{
	u64 addr, step = CHUNK / sizeof(Elf64_Rela) * sizeof(Elf64_Rela), text = 0;
	Elf64_Rela *r;
	struct source s;
	u32 tried = 0;

	if (!elf_section_source(f, ".rela", &s, &addr) && !elf_section_source(f, ".rela.dyn", &s, &addr))
		return 0;
	r = xmalloc(step);
	for (u64 at = 0; at < s.size && at < MAX_SCAN && !text && tried < 16; at += step) {
		size_t n = source_read(&s, at, r, step) / sizeof(*r);

		for (size_t i = 0; i < n && !text; i++) {
			struct module m = {};

			if ((u64)r[i].r_addend != table_addr || tried++ >= 16)
				continue;
			apply(&s, r[i].r_offset, &m);
			if (is_module(&m, table_addr, first_offset))
				text = m.words[MODULE_MINPC + 2];
		}
	}
	free(r);
	return text;
}

static u64 find_text(struct elf_file *f, const struct source *table, u64 table_addr, u64 first_offset)
{
	static const char *const places[] = { ".go.module", ".noptrdata", ".data", ".data.rel.ro" };
	u64 text;

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		text = text_in_section(f, places[i], table_addr, first_offset);
		if (text)
			return text;
	}
	text = text_in_relocations(f, table_addr, first_offset);
	/* 1.18 to 1.25 have it in the header; 0 if it is left to a relocation */
	return text ?: source_uint(table, 24, 8);
}

bool pclntab_section(struct elf_file *f, struct source *ret, u64 *ret_addr)
{
	return elf_section_source(f, ".gopclntab", ret, ret_addr) ||
	       elf_section_source(f, ".data.rel.ro.gopclntab", ret, ret_addr);	/* position independent */
}

struct pclntab *pclntab_read(struct elf_file *f)
{
	struct source table;
	u64 addr, offset, text;

	if (!pclntab_section(f, &table, &addr))
		return NULL;
	if ((u32)source_uint(&table, 0, 4) == 0xfffffffau)
		return pclntab_of(table, 0);	/* 1.16: absolute addresses */
	offset = source_uint(&table, source_uint(&table, 8 + 7 * 8, 8), 4);
	text = find_text(f, &table, addr, offset);
	return text ? pclntab_of(table, text) : NULL;
}

/* Reads the whole table into memory, for scanning; valid as long as f. */
static struct pclntab *read_whole(struct elf_file *f)
{
	struct pclntab *unread = pclntab_read(f), *t = NULL;
	struct elf_section s;

	if (unread && (elf_section(f, ".gopclntab", &s) || elf_section(f, ".data.rel.ro.gopclntab", &s)))
		t = pclntab_of((struct source){ .mem = s.data, .fd = -1, .size = s.size },
			       pclntab_text(unread));
	pclntab_free(unread);
	return t;
}

struct cfi_row *pclntab_rows_of(struct elf_file *f, u32 *ret_n)
{
	struct pclntab *t = read_whole(f);
	struct cfi_row *rows = NULL;

	errno = ENODATA;
	if (t)
		rows = pclntab_rows(t, ret_n);
	pclntab_free(t);
	return rows;
}

bool pclntab_ranges_of(struct elf_file *f, const char *const *names, u32 n, struct pclntab_range *ret)
{
	struct pclntab *t = read_whole(f);

	if (t)
		pclntab_ranges(t, names, n, ret);
	pclntab_free(t);
	return t != NULL;
}
