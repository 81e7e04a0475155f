/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pclntab.h: .gopclntab, the function table that every Go program carries,
 * stripped or not, because the runtime unwinds with it. Layouts: Go's
 * debug/gosym/pclntab.go and runtime/symtab.go, of 1.16, 1.18 and 1.20 to 1.26.
 *
 * It is sorted as it is: nothing is indexed, each question reads what it needs.
 */
#ifndef OTTOP_PCLNTAB_H
#define OTTOP_PCLNTAB_H

#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"

struct pclntab;

/* The table of a Go program as a range of its file, and its address. False: it is not one. */
bool pclntab_section(struct elf_file *f, struct source *ret, u64 *ret_addr);
/*
 * The table of f; NULL where there is none, or where it is not certain from
 * which address it counts. It reads from f's descriptor, which must stay open.
 */
struct pclntab *pclntab_read(struct elf_file *f);
/* The same from its bytes; text is what the offsets count from (from 1.18 on). */
struct pclntab *pclntab_of(struct source table, u64 text);
void pclntab_free(struct pclntab *t);	/* NULL-safe */
u32 pclntab_count(const struct pclntab *t);
u64 pclntab_text(const struct pclntab *t);	/* what its offsets count from */
/* Name of the function that has addr, as Go prints it. False: none. */
bool pclntab_find(const struct pclntab *t, u64 addr, char *buf, size_t cap);
/* The first address of the function of each name, and how many bytes it has; 0: there is none. */
struct pclntab_range { u64 addr, size; };
void pclntab_ranges(const struct pclntab *t, const char *const *names, u32 n, struct pclntab_range *ret);
/* Source file and line of addr. False: not known. */
bool pclntab_line(const struct pclntab *t, u64 addr, char *file, size_t cap, u32 *ret_line);

/*
 * How the caller of each address is found, as cfi_rows() says it: the table has how far the
 * stack pointer has moved (pcsp). Where assembly sets the stack pointer there is no row, and
 * frame pointers serve. NULL with errno (ENODATA: none, or of 1.17 and before). The caller frees it.
 */
struct cfi_row *pclntab_rows(const struct pclntab *t, u32 *ret_n);
/* The same of a program; its whole table is read at once. False: it has none. */
bool pclntab_ranges_of(struct elf_file *f, const char *const *names, u32 n, struct pclntab_range *ret);
struct cfi_row *pclntab_rows_of(struct elf_file *f, u32 *ret_n);

#endif
