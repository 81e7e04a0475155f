/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * landing.h: the last steps of an exception in libgcc's unwinder. _Unwind_Resume() and similar
 * functions write the registers of the landing frame over the saved registers of their caller,
 * return address included, and jump there. In between the stack cannot be unwound, and .eh_frame
 * does not say so. Where it continues is in a local variable, the struct _Unwind_Context of that
 * frame (gcc, libgcc/unwind-dw2.c).
 */
#pragma once

#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"

/* Marks these steps by their code. Rows stay sorted; the array may be reallocated. */
struct cfi_row *landing_mark(struct elf_file *f, struct cfi_row *rows, u32 *n);
