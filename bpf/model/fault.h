/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault.h: where a fault of the program itself happened, for handlers of signals. All of it is
 * signal-safe (signal-safety(7)); backtrace(3) is so once fault_prepare() has loaded its library.
 */
#ifndef OTTOP_FAULT_H
#define OTTOP_FAULT_H

#include "bpf/model/base.h"

void fault_prepare(void);

/* The instruction that the signal interrupted; `context` is the handler's third argument. */
u64 fault_pc(const void *context);

/*
 * The calls above `pc`, innermost first; how many. Each is the last byte of its call: the return
 * address itself belongs to the next function where the callee never returns. Of a broken stack
 * it may fault itself: whoever calls it has said before what it can say without.
 */
u32 fault_callers(u64 pc, u64 *calls, u32 cap);

/* Of an address in ottop's own code: as addr2line(1) wants it; 0: it is not in it. */
u64 fault_own(u64 at);

/*
 * "ottop+0x1234", "libc.so.6+0x89" (offsets as addr2line(1) wants them), or "0x7f..." where
 * no file is mapped. Reads /proc/self/maps.
 */
void fault_place(char *buf, size_t cap, u64 at);

/* The first digits of the build-id, by which the file is found that an offset belongs to; "" without. */
void fault_build(char *buf, size_t cap);

/* `text` behind what is in the buffer, and a number in hexadecimal with "0x"; cut where it is full. */
void fault_add(char *buf, size_t cap, const char *text);
void fault_add_hex(char *buf, size_t cap, u64 v);

#endif
