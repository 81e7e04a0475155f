/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symtab.h: a symbol table's functions by address, 12 bytes each; names are read on lookup. */
#pragma once

#include "symbolizer/elf.h"

#define SYMBOL_NAME_MAX 16384	/* longer ones are truncated */

struct symtab;

/* Functions of .symtab or .dynsym; NULL: none. f's descriptor or memory must stay open. */
struct symtab *symtab_read(struct elf_file *f, bool dynamic);
/* Mangled name of the function that contains addr. False: none. */
bool symtab_find(const struct symtab *t, u64 addr, char *buf, size_t cap);
size_t symtab_bytes(const struct symtab *t);
u32 symtab_count(const struct symtab *t);
void symtab_free(struct symtab *t);	/* NULL-safe */

/* For display: demangled (up to 32 KiB), without Rust's hash and symbol versions. free() it. */
char *symbol_demangle(const char *name);
/* symbol_demangle() after a byte of marks, if any (SYMBOLIZER_RUST ..., symbolizer.h). */
char *symbol_marked(const char *name);
/* Mangled by rustc (v0: "_R...", or the legacy form with a hash). */
bool symbol_is_rust(const char *name);
