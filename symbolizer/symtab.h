/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symtab.h: the functions of one symbol table, sorted by address: 12 bytes each.
 * Names stay in the file and are read when somebody asks for one.
 */
#ifndef OTTOP_SYMTAB_H
#define OTTOP_SYMTAB_H

#include "symbolizer/elf.h"

#define SYMBOL_NAME_MAX 16384	/* longer ones are cut */

struct symtab;

/*
 * All function symbols of .symtab or .dynsym. NULL where it has none. The table
 * reads names from the descriptor (or memory) that f was opened from: that must
 * stay open as long as the table.
 */
struct symtab *symtab_read(struct elf_file *f, bool dynamic);
/* Mangled name of the function that has addr. False: no symbol covers it. */
bool symtab_find(const struct symtab *t, u64 addr, char *buf, size_t cap);
size_t symtab_bytes(const struct symtab *t);
u32 symtab_count(const struct symtab *t);
void symtab_free(struct symtab *t);	/* NULL-safe */

/*
 * As a person would write it: C++ and Rust names demangled, Rust's hash and
 * symbol versions cut off, else the name itself, which is also what one gets whose
 * demangled form is longer than 32 KiB. The caller frees it.
 */
char *symbol_demangle(const char *name);
/* The same, with a byte of marks before it where there is one to set (SYMBOLIZER_RUST ..., symbolizer.h). */
char *symbol_marked(const char *name);
/* A name that rustc mangled (v0: "_R...", or its older form with a hash). */
bool symbol_is_rust(const char *name);

#endif
