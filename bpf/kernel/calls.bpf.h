/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* calls.bpf.h: the system call that a task is in, from its saved registers, and its files. */
#pragma once

#include "bpf/host/syscall_id.h"
#include "bpf/kernel/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

static __always_inline u32 compat_abi(struct task_struct *t)
{
#if defined(__TARGET_ARCH_x86)
	return t->thread_info.status & TS_COMPAT ? ABI_COMPAT : ABI_NATIVE;
#else
	return (t->thread_info.flags >> TIF_32BIT_ARM64) & 1 ? ABI_COMPAT : ABI_NATIVE;
#endif
}

/* Its number; negative after a page fault or an interrupt. */
static __always_inline long saved_number(struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);

#if defined(__TARGET_ARCH_x86)
	return (long)regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

/* ABI << 16 | number of the call a task that is not running is in, or CALL_NONE. */
static __always_inline u32 call_from_regs(struct task_struct *t)
{
	long nr = saved_number(t);

	/* x32 has bit 30 */
	if (nr >= 0x40000000 && nr < 0x40000400)
		return (ABI_X32 << 16) | (nr & 0x3ff);
	if (nr < 0 || nr >= 0x10000)
		return CALL_NONE;
	return compat_abi(t) << 16 | (u32)nr;
}

/* The first four arguments of a 64-bit call. */
static __always_inline void saved_arguments(struct task_struct *t, u64 args[4])
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);

#if defined(__TARGET_ARCH_x86)
	args[0] = regs->di;
	args[1] = regs->si;
	args[2] = regs->dx;
	args[3] = regs->r10;
#else
	args[0] = regs->orig_x0;
	args[1] = regs->user_regs.regs[1];
	args[2] = regs->user_regs.regs[2];
	args[3] = regs->user_regs.regs[3];
#endif
}

/* The open file of a descriptor, or NULL; a scalar for the verifier: read it with probe_read. */
static __always_inline struct file *file_of(struct task_struct *t, u64 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(t, files, fdt);
	struct file **files = BPF_CORE_READ(fdt, fd), *file = NULL;

	if (fd >= BPF_CORE_READ(fdt, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), files + fd))
		return NULL;
	return file;
}
