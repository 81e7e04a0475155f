/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbols.h: where in a file functions of given names begin, read without an index. */
#ifndef OTTOP_SYMBOLS_H
#define OTTOP_SYMBOLS_H

#include "symbolizer/elf.h"

/*
 * Sets offsets[i] to where in the file a probe of the function names[i] belongs (placement.h), 0: it
 * has none of that name in .dynsym or .symtab. "A>B", of two that are names too: the function that A
 * does nothing but call, and B calls. "go:A": of a Go program, stripped or not; "go:A>B": where A calls B,
 * if that is one place. How many were found.
 */
u32 symbols_find(struct elf_file *f, const char *const *names, u32 n, u64 *offsets);

#endif
