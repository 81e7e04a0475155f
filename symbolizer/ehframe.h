/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ehframe.h: compiles the call frame information of an ELF file (.eh_frame, or
 * .debug_frame if it is the only one) into the table described in
 * symbolizer/unwind.h. Formats: DWARF 5 section 6.4; the LSB's .eh_frame; System V
 * psABI x86-64 3.6.2 (register numbers).
 *
 * The input may be hostile: nothing is trusted, memory and time are bounded.
 */
#pragma once

#include <stddef.h>

#include "bpf/model/base.h"
#include "symbolizer/unwind.h"

#define EHFRAME_MAX_ROWS (8u << 20)

/* The pages wanted of a table that was compiled before. */
struct unwind_pages {
	u64 base;		/* as in the table */
	u32 n;
	const u64 *bits;	/* n of them, lowest first */
};

static inline bool unwind_page_wanted(const struct unwind_pages *p, u64 page)
{
	return page < p->n && (p->bits[page / 64] >> page % 64 & 1);
}

struct cfi_row {
	u64 pc;			/* address in the file */
	struct unw_info info;
};

struct unwind_table {
	u64 base;		/* address of page 0, a multiple of 64 KiB */
	u64 *words;		/* as in symbolizer/unwind.h, with indexes of `infos` */
	u32 n_words, n_rows;
	struct unw_info *infos;	/* [0] is "none" */
	u32 n_infos;
};

struct cfi_section {
	const u8 *data;
	size_t size;
	u64 addr;		/* its virtual address, for pc-relative pointers */
	bool debug_frame;	/* slightly different format */
	u64 text_addr, data_addr;	/* bases of textrel and datarel pointers; 0: none */
	const struct unwind_pages *pages;	/* skip functions outside; NULL: none */
};

/* All rows by address, gaps UNW_CFA_NONE; the caller frees. NULL: errno (none, EBADMSG, EFBIG). */
struct cfi_row *cfi_rows(const struct cfi_section *s, u32 *ret_n);

/* The rows of one function, as read. */
struct cfi_run {
	u64 pc;
	u32 first, n;
};

/* Sorts rows and removes repeats; frees rows, *n shrinks. `runs` must cover all rows. */
struct cfi_row *cfi_order(struct cfi_row *rows, u32 *n, struct cfi_run *runs, u32 n_runs);

/* Packs rows; NULL: errno (EFBIG). With `pages` others are UNW_LEFT_OUT, and rows may be none. */
struct unwind_table *unwind_table_pack(const struct cfi_row *rows, u32 n, const struct unwind_pages *pages);
/*
 * Compiles the table of an open ELF file. NULL with errno (ENOEXEC: not an ELF file for this
 * machine). With `pages` the cost is limited to those, and rows derived from code (codeframes.h)
 * are missing.
 */
struct unwind_table *unwind_table_read(int fd, const struct unwind_pages *pages);
/* The rule for an address, found as the kernel side does. Never NULL. */
const struct unw_info *unwind_table_find(const struct unwind_table *t, u64 addr);
void unwind_table_free(struct unwind_table *t);	/* NULL-safe */
