/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * placement.h: where a probe costs little. At an instruction that the kernel emulates a hit
 * takes 0.3 us, at any other 0.9 us and, in a virtual machine, up to 25 us, because it is
 * stepped over by a debug exception (arch/x86/kernel/uprobes.c). Return probes must be where
 * the return address is on top of the stack. Nothing is guessed: what is not exactly of a known
 * shape has its probe at the function's beginning.
 */
#ifndef OTTOP_PLACEMENT_H
#define OTTOP_PLACEMENT_H

#include "symbolizer/elf.h"

/* The function at that offset of the file: the same, or behind an endbr64 before what is emulated. */
u64 placement_of(struct elf_file *f, u64 offset);
/*
 * The function that `outer` does nothing but call, with the very arguments it was given, if
 * `other` calls it too, and it begins with what is emulated. 0: it is not certain.
 */
u64 placement_inner(struct elf_file *f, u64 outer, u64 other);
/*
 * The function of a Go program: behind the check of its stack, where it has its arguments in
 * registers and the goroutine in R14 (since 1.17), and which it comes to once a call but where the
 * flags say that the stack grows first (below or equal). 0: it does not begin so.
 */
u64 placement_go(struct elf_file *f, u64 offset);
/* Where the function of so many bytes calls the one at `target`, if it does so in one place. 0: it does not. */
u64 placement_call(struct elf_file *f, u64 offset, u64 size, u64 target);

#endif
