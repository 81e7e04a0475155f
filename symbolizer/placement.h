/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * placement.h: where a probe costs least. On an instruction that the kernel emulates a hit takes
 * 0.3 us, on any other 0.9 us and, in a virtual machine, up to 25 us, because it is single-stepped
 * with a debug exception (arch/x86/kernel/uprobes.c). Return probes must be placed where the return
 * address is on top of the stack. Nothing is guessed: code that is not exactly of a known form is
 * probed at the function's start.
 */
#pragma once

#include "symbolizer/elf.h"

/* Where to probe the function: at `offset`, or after an endbr64 before an emulated instruction. */
u64 placement_of(struct elf_file *f, u64 offset);
/* The function that `outer` forwards to, called by `other` too, with an emulated start; else 0. */
u64 placement_inner(struct elf_file *f, u64 outer, u64 other);
/*
 * Where to probe a Go function: after the stack check, where its arguments are in registers and the
 * goroutine in R14 (since 1.17). It is passed once a call; when the flags say that the stack must
 * grow first (below or equal) it is passed again afterwards. 0: no such start.
 */
u64 placement_go(struct elf_file *f, u64 offset);
/* Where the function of `size` bytes calls `target`, if in one place only; else 0. */
u64 placement_call(struct elf_file *f, u64 offset, u64 size, u64 target);
