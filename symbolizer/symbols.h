/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbols.h: where in a file functions of given names begin, read without an index. */
#ifndef OTTOP_SYMBOLS_H
#define OTTOP_SYMBOLS_H

#include "symbolizer/elf.h"

/*
 * Sets offsets[i] to where in the file the function names[i] begins, 0: it has none of that name in
 * .dynsym or .symtab, at most SYMBOLIZER_SYMBOLS of them. How many were found.
 */
u32 symbols_find(struct elf_file *f, const char *const *names, u32 n, u64 *offsets);

#endif
