/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* unwind.bpf.h: bpf/stacks/walk.h in the kernel: the user stack of the current task. */
#pragma once

#include "bpf/kernel/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/kernel/map_ops.bpf.h"
#include "bpf/stacks/stack_wire.h"
#include "symbolizer/unwind.h"

#define MAX_PROCESSES 16384
#define NR_EXECVE 59		/* x86-64 */
#define NR_EXECVEAT 322
#define USER_CS_32 0x23		/* arch/x86/include/asm/segment.h, __USER32_CS */

struct arena_chunk {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ARENA_CHUNK_LINES);
	__uint(key_size, sizeof(u32));
	__uint(value_size, sizeof(struct arena_line));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, ARENA_CHUNKS);
	__type(key, u32);
	__array(values, struct arena_chunk);
} unw_arena SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, UNW_MAX_INFOS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct unw_info);
} unw_infos SEC(".maps");

HASH(unw_processes, MAX_PROCESSES, u32, struct unw_process);

MAP_OPS(serve_processes, unw_processes, u32, struct unw_process)

static __always_inline const struct arena_line *arena_line(u32 line)
{
	u32 chunk = line >> ARENA_CHUNK_BITS, at = line & (ARENA_CHUNK_LINES - 1);
	void *map = bpf_map_lookup_elem(&unw_arena, &chunk);

	return map ? bpf_map_lookup_elem(map, &at) : NULL;
}

static __always_inline const struct unw_info *unwind_rule(u32 number)
{
	return bpf_map_lookup_elem(&unw_infos, &number);
}

#include "bpf/stacks/walk.h"

static __always_inline bool walk_read(struct walk_ctx *c, void *to, u32 n, u64 addr)
{
	return bpf_probe_read_user(to, n, (const void *)addr) == 0;
}

/*
 * In execve after the switch of address spaces: registers are the old program's, its stack is gone.
 */
static __always_inline bool is_between_programs(const struct walk_regs *regs, struct task_struct *t)
{
#if defined(__TARGET_ARCH_x86)
	u64 nr = BPF_CORE_READ((struct pt_regs *)bpf_task_pt_regs(t), orig_ax), word;

	return (nr == NR_EXECVE || nr == NR_EXECVEAT) &&
	       bpf_probe_read_user(&word, sizeof(word), (const void *)regs->sp);
#else
	return false;
#endif
}

/* False: a 32-bit program. */
static __always_inline bool walk_registers(struct walk_regs *to, struct task_struct *t)
{
	struct pt_regs *r = (struct pt_regs *)bpf_task_pt_regs(t);

#if defined(__TARGET_ARCH_x86)
	to->pc = BPF_CORE_READ(r, ip);
	to->sp = BPF_CORE_READ(r, sp);
	to->fp = BPF_CORE_READ(r, bp);
	to->regs[0] = BPF_CORE_READ(r, ax);
	to->regs[1] = BPF_CORE_READ(r, dx);
	to->regs[2] = BPF_CORE_READ(r, cx);
	to->regs[3] = BPF_CORE_READ(r, bx);
	to->regs[4] = BPF_CORE_READ(r, si);
	to->regs[5] = BPF_CORE_READ(r, di);
	to->regs[8] = BPF_CORE_READ(r, r8);
	to->regs[9] = BPF_CORE_READ(r, r9);
	to->regs[10] = BPF_CORE_READ(r, r10);
	to->regs[11] = BPF_CORE_READ(r, r11);
	to->regs[12] = BPF_CORE_READ(r, r12);
	to->regs[13] = BPF_CORE_READ(r, r13);
	to->regs[14] = BPF_CORE_READ(r, r14);
	to->regs[15] = BPF_CORE_READ(r, r15);
	return (BPF_CORE_READ(r, cs) & 0xffff) != USER_CS_32;
#elif defined(__TARGET_ARCH_arm64)
	to->pc = BPF_CORE_READ(r, user_regs.pc);
	to->sp = BPF_CORE_READ(r, user_regs.sp);
	to->fp = BPF_CORE_READ(r, user_regs.regs[29]);
	return !(t->thread_info.flags & (1ul << TIF_32BIT_ARM64));
#endif
}

/* The entry of t's process; NULL: none, or one of an earlier program (exec, reused pid). */
static __always_inline struct unw_process *known_process(struct task_struct *t)
{
	u32 tgid = t->tgid;
	struct unw_process *p = bpf_map_lookup_elem(&unw_processes, &tgid);

	return p && p->exec_id == t->self_exec_id &&
	       p->start_ns == t->group_leader->start_boottime ? p : NULL;
}

/* Walks the user stack of t, which must be the current task. Sets frames, n, end and miss. */
static __always_inline void walk_user(struct walk *w, struct task_struct *t)
{
	struct walk_ctx c = { .w = w };
	struct unw_process *p;

	walk_begin(w);
	w->end = WALK_NONE;
	if (!t->mm)
		return;
	p = known_process(t);
	if (!walk_registers(&w->r, t))
		w->end = WALK_32BIT;
	else if (!p && is_between_programs(&w->r, t))
		return;
	else if (!p)
		w->end = WALK_NEW_PROCESS;
	if (!p || w->end != WALK_NONE) {
		note(w, 0, FRAME_ADDR(w->r.pc));
		return;
	}
	c.first = p->first;
	c.n = p->n;
	w->end = WALK_TOO_DEEP;
	bpf_loop(MAX_FRAMES + 1, walk_step, &c, 0);
}
