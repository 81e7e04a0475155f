/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * startcode.h: _start and main of a stripped program. The code that the C library
 * links in at the entry point is the same in every program, and hands the address
 * of main to __libc_start_main.
 */
#ifndef OTTOP_STARTCODE_H
#define OTTOP_STARTCODE_H

#include "symbolizer/elf.h"

/* Addresses of the file, from the first byte to behind the last. */
struct startcode {
	u64 start, start_end;
	u64 main, main_end;
};

/* False: its start is another one, or how far the two go is not known. x86_64. */
bool startcode_read(struct elf_file *f, struct startcode *ret);
/* The name of what is at an address, or NULL. */
const char *startcode_find(const struct startcode *s, u64 addr);

#endif
