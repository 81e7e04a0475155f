/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * landing.h: the last steps of an exception in libgcc's unwinder. _Unwind_Resume() and its like
 * write the registers of the frame where the exception lands over those that they saved
 * of their caller, return address included, and jump there: in between the
 * stack leads nowhere, and .eh_frame does not say so. Where it goes on is in a local
 * variable, the struct _Unwind_Context of that frame (gcc, libgcc/unwind-dw2.c).
 */
#ifndef OTTOP_LANDING_H
#define OTTOP_LANDING_H

#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"

/*
 * Marks these steps, which are found by their code. rows may move; they are in order
 * before and after.
 */
struct cfi_row *landing_mark(struct elf_file *f, struct cfi_row *rows, u32 *n);

#endif
