/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symtab.h: the functions of a symbol table, sorted by address, 12 bytes each. Names stay in the
 * file and are read on lookup.
 */
#ifndef OTTOP_SYMTAB_H
#define OTTOP_SYMTAB_H

#include "symbolizer/elf.h"

#define SYMBOL_NAME_MAX 16384	/* longer ones are truncated */

struct symtab;

/*
 * All function symbols of .symtab or .dynsym; NULL: none. Names are read from the descriptor (or
 * memory) that f was opened from, which must stay open as long as the table.
 */
struct symtab *symtab_read(struct elf_file *f, bool dynamic);
/* Mangled name of the function that contains addr. False: none. */
bool symtab_find(const struct symtab *t, u64 addr, char *buf, size_t cap);
size_t symtab_bytes(const struct symtab *t);
u32 symtab_count(const struct symtab *t);
void symtab_free(struct symtab *t);	/* NULL-safe */

/*
 * The name for display: C++ and Rust demangled, Rust's hash and symbol versions cut off; the name
 * itself if it is not mangled or more than 32 KiB demangled. The caller frees it.
 */
char *symbol_demangle(const char *name);
/*
 * As symbol_demangle(), preceded by a byte of marks if any apply (SYMBOLIZER_RUST ...,
 * symbolizer.h).
 */
char *symbol_marked(const char *name);
/* Mangled by rustc (v0: "_R...", or the legacy form with a hash). */
bool symbol_is_rust(const char *name);

#endif
