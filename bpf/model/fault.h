/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault.h: describes a fault of the program itself, for signal handlers. Signal-safe
 * (signal-safety(7)); backtrace(3) is after fault_prepare(), which loads its library.
 */
#pragma once

#include "bpf/model/base.h"

void fault_prepare(void);

/* The interrupted instruction; `context` is the handler's third argument. */
u64 fault_pc(const void *context);

/*
 * Addresses of calls above `pc`, innermost first; returns their number. Each is a call's last byte,
 * as its return address may belong to the next function. May fault on a broken stack: report
 * everything else first.
 */
u32 fault_callers(u64 pc, u64 *calls, u32 cap);

/* Address in ottop's file for addr2line(1); 0: not ottop's code. */
u64 fault_own(u64 at);

/* "ottop+0x1234", "libc.so.6+0x89" (for addr2line(1)), or "0x7f...". Reads /proc/self/maps. */
void fault_place(char *buf, size_t cap, u64 at);

/* First digits of our build-id, which identifies the file; "" without. */
void fault_build(char *buf, size_t cap);

/* Append text, or a number as "0x...", cut where buf is full. */
void fault_add(char *buf, size_t cap, const char *text);
void fault_add_hex(char *buf, size_t cap, u64 v);
