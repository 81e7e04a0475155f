/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pclntab.h: .gopclntab, the function table in every Go program, even if stripped,
 * because the runtime unwinds with it. Layouts: Go's debug/gosym/pclntab.go and
 * runtime/symtab.go, of 1.16, 1.18 and 1.20 to 1.26.
 *
 * The table is sorted, so no index is built: each lookup reads what it needs.
 */
#pragma once

#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"

struct pclntab;

/* The table as a range of the file, and its address. False: not a Go program. */
bool pclntab_section(struct elf_file *f, struct source *ret, u64 *ret_addr);
/* The table of f, whose descriptor must stay open; NULL: none, or an uncertain base. */
struct pclntab *pclntab_read(struct elf_file *f);
/* A table from its bytes; text is its base address (from 1.18 on). */
struct pclntab *pclntab_of(struct source table, u64 text);
void pclntab_free(struct pclntab *t);	/* NULL-safe */
u32 pclntab_count(const struct pclntab *t);
u64 pclntab_text(const struct pclntab *t);	/* its base address */
/* Name of the function that contains addr, as Go prints it. False: none. */
bool pclntab_find(const struct pclntab *t, u64 addr, char *buf, size_t cap);
/* Start address and size of the first function of each name; 0: none. */
struct pclntab_range { u64 addr, size; };
void pclntab_ranges(const struct pclntab *t, const char *const *names, u32 n, struct pclntab_range *ret);
/* Source file and line of addr. False: unknown. */
bool pclntab_line(const struct pclntab *t, u64 addr, char *file, size_t cap, u32 *ret_line);

/*
 * Unwind rows as those of cfi_rows(), from the table's stack pointer deltas (pcsp). Where assembly
 * sets the stack pointer there is no row, and frame pointers are used. NULL with errno (ENODATA:
 * none, or 1.17 and earlier). The caller frees them.
 */
struct cfi_row *pclntab_rows(const struct pclntab *t, u32 *ret_n);
/* As pclntab_ranges(), for a program, reading its whole table at once. False: it has none. */
bool pclntab_ranges_of(struct elf_file *f, const char *const *names, u32 n, struct pclntab_range *ret);
struct cfi_row *pclntab_rows_of(struct elf_file *f, u32 *ret_n);
