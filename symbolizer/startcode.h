/* SPDX-License-Identifier: GPL-2.0-or-later */
/* startcode.h: finds _start and main in stripped programs by the C library's entry code. */
#pragma once

#include "symbolizer/elf.h"

/* Addresses in the file, from the first byte to one past the last. */
struct startcode {
	u64 start, start_end;
	u64 main, main_end;
};

/* False: unknown start code, or the extent of one of the two is unknown. x86-64 only. */
bool startcode_read(struct elf_file *f, struct startcode *ret);
/* The name of the function at addr, or NULL. */
const char *startcode_find(const struct startcode *s, u64 addr);
