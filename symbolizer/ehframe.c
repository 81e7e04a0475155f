// SPDX-License-Identifier: GPL-2.0-or-later
/* ehframe.c: finds the frame information of an ELF file and compiles it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/codeframes.h"
#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"
#include "symbolizer/landing.h"
#include "symbolizer/pclntab.h"

#define MAX_START_BYTES 256	/* size of hand-written start code */

static struct cfi_row *rows_of(struct elf_file *f, const char *name, bool debug_frame,
			       const struct unwind_pages *pages, u32 *ret_n)
{
	struct elf_section s;
	struct source unread;
	struct cfi_section cfi = { .debug_frame = debug_frame, .pages = pages };

	if (!elf_section(f, name, &s)) {
		errno = ENODATA;
		return NULL;
	}
	cfi.data = s.data;
	cfi.size = s.size;
	cfi.addr = s.addr;
	elf_section_source(f, ".text", &unread, &cfi.text_addr);
	elf_section_source(f, ".got", &unread, &cfi.data_addr);
	return cfi_rows(&cfi, ret_n);
}

/*
 * Fills the gaps of a with rows of b; b is freed, a grows. Merges in place: a row of b makes at
 * most two, so the rows of a are first moved up by that much, and the output never overtakes the
 * input.
 */
static struct cfi_row *merge(struct cfi_row *a, u32 n_a, struct cfi_row *b, u32 n_b, u32 *ret_n)
{
	size_t gap = 2 * (size_t)n_b + 2;
	struct cfi_row *out = xrealloc(a, (n_a + gap) * sizeof(*out));
	struct unw_info none = {}, of_a = none, of_b = none;
	u32 i = 0, k = 0, n = 0;

	a = memmove(out + gap, out, n_a * sizeof(*out));
	while (i < n_a || k < n_b) {
		u64 pc = k == n_b || (i < n_a && a[i].pc <= b[k].pc) ? a[i].pc : b[k].pc;
		const struct unw_info *now;

		while (i < n_a && a[i].pc == pc)
			of_a = a[i++].info;
		while (k < n_b && b[k].pc == pc)
			of_b = b[k++].info;
		now = of_a.cfa != UNW_CFA_NONE ? &of_a : &of_b;
		if (n && !memcmp(&out[n - 1].info, now, sizeof(*now)))
			continue;
		out[n++] = (struct cfi_row){ .pc = pc, .info = *now };
	}
	free(b);
	*ret_n = n;
	return out;
}

/* .debug_frame fills gaps of .eh_frame, except Go's, which lacks rbp: Go has its own table. */
static struct cfi_row *read_rows(struct elf_file *f, const struct unwind_pages *pages, u32 *ret_n)
{
	struct cfi_row *eh = rows_of(f, ".eh_frame", false, pages, ret_n), *debug;
	u32 n_eh = *ret_n, n_debug = 0;
	int err = errno;
	struct source go;
	u64 addr;

	debug = pclntab_section(f, &go, &addr) ? pclntab_rows_of(f, &n_debug) :
		rows_of(f, ".debug_frame", true, pages, &n_debug);
	if (eh && debug)
		return merge(eh, n_eh, debug, n_debug, ret_n);
	if (!eh && !debug)
		errno = err;
	*ret_n = eh ? n_eh : n_debug;
	return eh ?: debug;
}

/* Adds `info` from `from` to the next row, at most to `until`, where there is no row yet. */
static struct cfi_row *fill(struct cfi_row *rows, u32 *n, u64 from, u64 until, struct unw_info info)
{
	struct unw_info none = {};
	u32 at = 0;

	while (at < *n && rows[at].pc <= from)
		at++;
	if (!from || from >= until || (at && rows[at - 1].info.cfa != UNW_CFA_NONE))
		return rows;
	rows = xrealloc(rows, ((size_t)*n + 2) * sizeof(*rows));
	if (at < *n)
		until = min(until, rows[at].pc);
	memmove(&rows[at + 2], &rows[at], (*n - at) * sizeof(*rows));
	rows[at] = (struct cfi_row){ .pc = from, .info = info };
	rows[at + 1] = (struct cfi_row){ .pc = until, .info = none };
	*n += 2;
	return rows;
}

/* Linkers describe no PLT stubs of static programs (memcpy by processor), lld none at all. */
static struct cfi_row *mark_stubs(struct elf_file *f, struct cfi_row *rows, u32 *n)
{
	static const char *const names[] = { ".plt", ".iplt", ".plt.sec", ".plt.got" };
	struct unw_info stub = { .cfa = UNW_CFA_PLT };
	struct source unread;
	u64 addr;

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (elf_section_source(f, names[i], &unread, &addr))
			rows = fill(rows, n, addr, addr + unread.size, stub);
	return rows;
}

/* The entry point has no caller: without frame information (ld.so, musl, assembly) a stack ends. */
static struct cfi_row *mark_entry(struct elf_file *f, struct cfi_row *rows, u32 *n)
{
	struct unw_info end = { .cfa = UNW_CFA_END };
	u64 entry = elf_entry(f), from = entry;

	/* after the rows derived from its code */
	for (u32 i = 0; i < *n && rows[i].pc < entry + MAX_START_BYTES; i++)
		if (rows[i].pc > from && rows[i].info.cfa == UNW_CFA_NONE && rows[i - 1].info.cfa == UNW_CFA_END) {
			from = rows[i].pc;
			break;
		}
	return fill(rows, n, from, entry + MAX_START_BYTES, end);
}

static bool is_known(const struct cfi_row *rows, u32 n, u64 pc)
{
	u32 at = 0;

	while (at < n && rows[at].pc <= pc)
		at++;
	return at && rows[at - 1].info.cfa != UNW_CFA_NONE;
}

/* Appends rows with higher addresses; else sorts them in. */
static struct cfi_row *append(struct cfi_row *rows, u32 *n, struct cfi_row *more, u32 n_more)
{
	if (*n && n_more && more[0].pc <= rows[*n - 1].pc)
		return merge(rows, *n, more, n_more, n);
	rows = xrealloc(rows, ((size_t)*n + n_more) * sizeof(*rows));
	memcpy(rows + *n, more, n_more * sizeof(*rows));
	*n += n_more;
	free(more);
	return rows;
}

/* Rows from the code where there is no frame information (_init of every program). */
static struct cfi_row *add_code(struct elf_file *f, struct cfi_row *rows, u32 *n)
{
	static const char *const sections[] = { ".init", ".text", ".fini" };
	struct cfi_row *all = NULL;
	struct source go;
	u64 addr;
	bool is_go = pclntab_section(f, &go, &addr);
	u32 n_all = 0;

	for (u32 i = 0; i < ARRAY_SIZE(sections); i++) {
		u32 n_code;
		struct cfi_row *code = codeframes_rows(f, sections[i], rows, *n, is_go, &n_code);

		if (code)
			all = append(all, &n_all, code, n_code);
	}
	return all ? merge(rows, *n, all, n_all, n) : rows;
}

static struct unwind_table *read_table(struct elf_file *f, const struct unwind_pages *pages)
{
	struct unwind_table *t = NULL;
	struct cfi_row *rows;
	int err;
	struct source go;
	u64 addr;
	bool known;
	u32 n = 0;

#ifndef __x86_64__
	errno = ENODATA;	/* frame pointers are the rule there */
	return NULL;
#endif
	rows = read_rows(f, pages, &n);
	if (!rows)
		n = 0;
	known = is_known(rows, n, elf_entry(f));
	/* rows between the wanted pages are missing on purpose: do not derive them from code */
	if (!pages || pclntab_section(f, &go, &addr))
		rows = add_code(f, rows, &n);
	if (!known)
		rows = mark_entry(f, rows, &n);
	rows = mark_stubs(f, rows, &n);
	if (rows)
		rows = landing_mark(f, rows, &n);
	if (rows || pages)
		t = unwind_table_pack(rows, n, pages);
	err = errno;
	free(rows);
	errno = err;
	return t;
}

struct unwind_table *unwind_table_read(int fd, const struct unwind_pages *pages)
{
	struct elf_file *f = elf_file_open(fd);
	struct unwind_table *t;
	int err;

	if (!f)
		return NULL;
	t = read_table(f, pages);
	err = errno;
	elf_file_close(f);
	errno = err;
	return t;
}
