/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mangled.h: functions that stay mangled (symbolizer/symtab.c: invalid, long). Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"

/* A name from the symbolizer (NULL: none); counted once if it is still mangled. */
void mangled_note(const char *name);
/* Why it is still mangled; NULL: it is not. */
const char *mangled_reason(const char *name);
/* "3 functions have mangled names: 2 longer than 32 kB, 1 not a valid name"; "": none. */
void mangled_text(char *buf, size_t cap);
void mangled_clear(void);
