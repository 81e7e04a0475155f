/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symtab.h: the functions of a file, sorted by address. */
#ifndef OTTOP_SYMTAB_H
#define OTTOP_SYMTAB_H

#include "symbolizer/elf.h"

struct symtab;

/* All function symbols, names copied. Never NULL; may be empty. */
struct symtab *symtab_read(struct elf_file *f);
/* Mangled name of the function that has addr, or NULL; it lives as long as the table. */
const char *symtab_find(const struct symtab *t, u64 addr);
size_t symtab_bytes(const struct symtab *t);
u32 symtab_count(const struct symtab *t);
void symtab_free(struct symtab *t);	/* NULL-safe */

/*
 * As a person would write it: C++ and Rust names demangled, Rust's hash cut off,
 * else the name itself. The caller frees it.
 */
char *symbol_demangle(const char *name);

#endif
