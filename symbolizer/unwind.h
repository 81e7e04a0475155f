/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unwind.h: unwind tables as the kernel side reads them, and the samples it
 * makes. symbolizer/ehframe.c compiles them from .eh_frame; the format follows
 * what the OpenTelemetry eBPF profiler measured to be smallest: 4 bytes a row.
 *
 * A table is an array of u64 words:
 *	word 0			UNW_MAGIC << 32 | number of pages
 *	word 1 + p		page p (64 KiB of the file's addresses from its base):
 *				index of its first row << 32 | number of its rows
 *	then			rows, two a word, low half first
 * A row is info << 16 | low 16 bits of the address from which it holds, until
 * the next row. A page whose first row is above the address has a copy of the
 * row that reaches in from before. UNW_INFO_NONE marks addresses without CFI.
 * A page that is UNW_LEFT_OUT has no rows: the table is loaded in part (bpf/stacks/parts.h), as
 * where a row's info is UNW_INFO_LEFT_OUT.
 */
#ifndef OTTOP_UNWIND_H
#define OTTOP_UNWIND_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define UNW_MAGIC 0x554e5731u	/* "UNW1" */
#define UNW_PAGE_BITS 16
#define UNW_LEFT_OUT 0xffffffff00000000ull	/* word of a page without rows, for want of room */
#define UNW_ROW(lo, info) ((__u32)(info) << 16 | ((lo) & 0xffff))
#define UNW_MAX_INFOS 16384

/* How the canonical frame address (CFA) is found. */
enum unw_cfa {
	UNW_CFA_NONE,		/* no unwind information here: infos[0] */
	UNW_CFA_END,		/* outermost frame: _start, thread start (return address undefined) */
	UNW_CFA_SP,		/* sp + cfa_off */
	UNW_CFA_FP,		/* fp + cfa_off */
	UNW_CFA_PLT,		/* sp + 8 + ((pc & 15) >= 11) * 8: how PLT stubs push */
	UNW_CFA_FP_DEREF,	/* *(fp + cfa_off) + ra_off: stack realigned through DRAP */
	UNW_CFA_SP_DEREF,	/* *(sp + cfa_off) + ra_off: libcrypto's assembly */
	UNW_CFA_SIGNAL,		/* signal frame: registers are in the ucontext at sp */
	UNW_CFA_SP_INDEX,	/* *(sp + cfa_off + 8 * reg) + ra_off: libcrypto too; only in the leaf */
	UNW_CFA_CLONE,		/* around the system call: rax 0 is the child, an end; else sp + cfa_off */
	UNW_CFA_REG,		/* another register + cfa_off: `reg` below; in the leaf, or rbx */
	UNW_CFA_LANDING,	/* libgcc's struct _Unwind_Context at fp + cfa_off: symbolizer/landing.h */
	UNW_CFA_LEFT_OUT,	/* not loaded, for want of room */
	UNW_CFA_UNKNOWN,	/* where a JVM makes code: what is there is not known, or not yet */
};

enum unw_fp { UNW_FP_SAME, UNW_FP_CFA /* *(CFA + fp_off) */, UNW_FP_DEREF /* *(fp + fp_off) */ };

/*
 * rbx, which ld.so's lazy binding needs. UNW_BX_LOST in files that have no
 * UNW_CFA_REG of rbx: there it would only make more rows.
 */
enum unw_bx { UNW_BX_LOST, UNW_BX_SAME, UNW_BX_CFA /* *(CFA + bx_off) */ };

/*
 * struct _Unwind_Context: pointers to the saved registers by DWARF number, then the
 * stack pointer and the address where it lands.
 */
#define UNW_CONTEXT_CFA (18 * 8)

#define UNW_INFO_NONE 0
#define UNW_INFO_LEFT_OUT 1	/* in the map that all files share only */
#define UNW_FP_SENDER 1	/* HotSpot's interpreter: the caller's stack pointer is kept below the frame pointer */
#define UNW_SP_CHAIN 1	/* Go: fp is the frame pointer chain at all times, over there on another stack too */

struct unw_info {
	__u8 cfa;	/* enum unw_cfa */
	__u8 fp;	/* enum unw_fp */
	__u8 reg;	/* UNW_CFA_REG, _SP_INDEX: DWARF number of the register; _SP: UNW_SP_CHAIN; _FP: UNW_FP_SENDER; _END: 1: no frame to show */
	__u8 ra;	/* 0: return address at CFA - 8; else in register ra - 1 (vfork); only in the leaf */
	__s32 cfa_off;
	__s16 fp_off;	/* fits: callee-saved registers are near the CFA */
	__s16 ra_off;	/* what is added after a dereference */
	__s16 bx_off;
	__u8 bx;	/* enum unw_bx */
	__u8 lands;	/* 1: there is no call before the return address: an exception lands there */
};

#endif
