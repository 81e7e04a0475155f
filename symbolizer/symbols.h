/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbols.h: finds the file offsets of functions by name, without an index. */
#pragma once

#include "symbolizer/elf.h"

/*
 * Sets offsets[i] to the file offset for a probe of function names[i] (placement.h), 0: not in
 * .dynsym or .symtab. "A>B", where A and B are names too: the function that A merely calls, and B
 * calls as well. "go:A": of a Go program, stripped or not; "go:A>B": where A calls B, if that is in
 * one place. Returns how many were found.
 */
u32 symbols_find(struct elf_file *f, const char *const *names, u32 n, u64 *offsets);
