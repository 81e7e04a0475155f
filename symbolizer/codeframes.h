/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codeframes.h: frames of functions that have no frame information (musl is built
 * without; so is much assembly), read from their code: each path from where a
 * function begins, with what every instruction on it does to the stack pointer and to
 * rbp. What cannot be followed (a stack pointer that comes from elsewhere, two paths
 * that disagree) has no rows.
 *
 * A thread's first function is where clone(2) returned 0 on a stack of its own: there
 * a stack ends (musl's __clone, Go's runtime.clone).
 */
#ifndef OTTOP_CODEFRAMES_H
#define OTTOP_CODEFRAMES_H

#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"

/*
 * Rows in order for what `known` (in order, may be NULL) says nothing of in a
 * section of code. go: what is not known begins with a function, and rbp is the frame pointer chain. NULL: there are none. The caller frees it.
 */
struct cfi_row *codeframes_rows(struct elf_file *f, const char *section, const struct cfi_row *known,
				u32 n_known, bool go, u32 *ret_n);

#endif
