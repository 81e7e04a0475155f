/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mangled.h: functions whose names stay as the compiler wrote them, because a name that stands
 * for gigabytes is not written out (symbolizer/symtab.c). Sampler thread only.
 */
#ifndef OTTOP_STACKS_MANGLED_H
#define OTTOP_STACKS_MANGLED_H

#include "bpf/model/base.h"

/* A name as the symbolizer gives it (NULL: none): it counts if it was left mangled, and once. */
void mangled_note(const char *name);
/* Why that one was; NULL: it was not. */
const char *mangled_reason(const char *name);
/* "3 functions have mangled names: 2 longer than 32 kB, 1 not a valid name"; "": none. */
void mangled_text(char *buf, size_t cap);
void mangled_clear(void);

#endif
