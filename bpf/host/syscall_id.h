/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* syscall_id.h: a system call as one number: ABI << 16 | number. For programs and user space. */
#pragma once

#define CALL_NR(call) ((call) & 0xffff)
#define CALL_ABI(call) ((call) >> 16)
#define CALL_NONE 0xffffffffu	/* in no call */
#define CALL_INVALID 0xffffu	/* numbers that no table can have */

enum call_abi { ABI_NATIVE, ABI_COMPAT, ABI_X32 };
