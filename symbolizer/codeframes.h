/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codeframes.h: derives frame information for functions without any (musl is built
 * without; so is much assembly) from their code: follows each path from the function's
 * start and tracks how every instruction changes the stack pointer and rbp. Where that
 * fails (a stack pointer loaded from elsewhere, two paths that disagree) there are no
 * rows.
 *
 * A thread's first function is recognized as the code after clone(2) returned 0 on a
 * new stack: there a stack ends (musl's __clone, Go's runtime.clone).
 */
#pragma once

#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"

/*
 * Rows, sorted, for the parts of a code section not covered by `known` (sorted, may be NULL). go:
 * uncovered parts start with a function, and rbp is the frame pointer chain. NULL: none. The caller
 * frees them.
 */
struct cfi_row *codeframes_rows(struct elf_file *f, const char *section, const struct cfi_row *known,
				u32 n_known, bool go, u32 *ret_n);
