/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ehframe.h: compiles the call frame information of an ELF file (.eh_frame, or
 * .debug_frame where that is all there is) into the table that symbolizer/unwind.h
 * describes. Formats: DWARF 5 section 6.4; the LSB's .eh_frame; System V
 * psABI x86-64 3.6.2 (register numbers).
 *
 * The input may be hostile: nothing is trusted, memory and time are bounded.
 */
#ifndef OTTOP_EHFRAME_H
#define OTTOP_EHFRAME_H

#include <stddef.h>

#include "bpf/model/base.h"
#include "symbolizer/unwind.h"

#define EHFRAME_MAX_ROWS (8u << 20)

/* Of a table that was made before: which of its pages are wanted now. */
struct unwind_pages {
	u64 base;		/* as in the table */
	u32 n;
	const u64 *bits;	/* n of them, the lowest first */
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
	u64 *words;		/* as symbolizer/unwind.h; info numbers are of `infos` */
	u32 n_words, n_rows;
	struct unw_info *infos;	/* [0] is "none" */
	u32 n_infos;
};

/* One section with frame information, as bytes. */
struct cfi_section {
	const u8 *data;
	size_t size;
	u64 addr;		/* where it is mapped; pc-relative pointers need it */
	bool debug_frame;	/* its format differs a little */
	u64 text_addr, data_addr;	/* bases of textrel and datarel pointers; 0: none */
	const struct unwind_pages *pages;	/* functions outside of these are passed over; NULL: none is */
};

/*
 * All rows of a section in order of address, gaps marked by a row of
 * UNW_CFA_NONE; NULL with errno when there is none or it is broken beyond use
 * (-EBADMSG), too large (EFBIG). The caller frees it.
 */
struct cfi_row *cfi_rows(const struct cfi_section *s, u32 *ret_n);

/* The rows of one function, as they were read. */
struct cfi_run {
	u64 pc;
	u32 first, n;
};

/* The same rows in order, each change once; rows is freed, *n becomes less. The runs are all of them. */
struct cfi_row *cfi_order(struct cfi_row *rows, u32 *n, struct cfi_run *runs, u32 n_runs);

/*
 * Packs rows. NULL with errno (EFBIG: too many different infos or pages). With `pages` those
 * that are not wanted are UNW_LEFT_OUT, and there may be no rows.
 */
struct unwind_table *unwind_table_pack(const struct cfi_row *rows, u32 n, const struct unwind_pages *pages);
/*
 * The same from an open ELF file. NULL with errno (ENOEXEC: not an ELF file of this machine).
 * With `pages` it costs what is in them, but what only code tells (codeframes.h) is not there.
 */
struct unwind_table *unwind_table_read(int fd, const struct unwind_pages *pages);
/* The information for an address, as the kernel side would find it. Never NULL. */
const struct unw_info *unwind_table_find(const struct unwind_table *t, u64 addr);
void unwind_table_free(struct unwind_table *t);	/* NULL-safe */

#endif
