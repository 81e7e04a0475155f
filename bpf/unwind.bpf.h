/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * unwind.bpf.h: walks the user stack of the current task with the tables that
 * symbolizer/ compiled from .eh_frame, one frame a step:
 *
 *	pc -> mapping of the process -> file's table -> row -> rule -> caller
 *
 * Addresses after the first are return addresses: they are looked up one byte
 * earlier, unless a signal interrupted there. Where there is no table (JIT,
 * Go without CFI) the frame pointer chain is followed as far as it is sane.
 */
#ifndef OTTOP_UNWIND_BPF_H
#define OTTOP_UNWIND_BPF_H

#include "bpf/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/collectors/profiler.h"
#include "symbolizer/unwind.h"

#define MAX_BISECT 17		/* rows of a 64 KiB page: at most 2^16 */
#define MAX_FILES 1024
#define MAX_PROCESSES 4096
#define FP_MAX_FRAME (1 << 20)	/* a frame pointer further away is not one */

struct unw_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, MAX_FILES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__array(values, struct unw_table);
} unw_files SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, UNW_MAX_INFOS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct unw_info);
} unw_infos SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_PROCESSES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, struct unw_process);
} unw_processes SEC(".maps");

/* DWARF register numbers of x86-64; arm64 has its own fp, sp and lr here. */
enum { R_FP = 6, R_SP = 7, N_REGS = 16 };

struct walk {
	u64 frames[2 * (MAX_FRAMES + 1)];	/* user frames; the sampler appends the kernel's */
	u64 pc, sp, fp;
	u64 regs[N_REGS];	/* valid while `leaf` */
	u64 miss;
	u32 n, end, last;	/* last: index of the mapping that served last */
	bool leaf;		/* pc is exact and regs are all known */
};

/* What a step needs; on the stack, so that the verifier follows the pointers. */
struct walk_ctx {
	struct walk *w;
	struct unw_process *p;
};

static __always_inline bool read_word(u64 addr, u64 *ret)
{
	return bpf_probe_read_user(ret, sizeof(*ret), (const void *)addr) == 0;
}

static __always_inline bool in_mapping(const struct unw_mapping *m, u64 pc)
{
	return pc >= m->start && pc < m->end;
}

/* Index of the mapping of pc, or MAX_MAPPINGS. */
static __always_inline u32 find_mapping(struct unw_process *p, u64 pc, u32 last)
{
	u32 lo = 0, hi = p->n;

	if (last < MAX_MAPPINGS && in_mapping(&p->m[last], pc))
		return last;
	for (int i = 0; i < 8 && lo < hi; i++) {
		u32 mid = (lo + hi) / 2;

		if (mid >= MAX_MAPPINGS)
			break;
		if (p->m[mid].end <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < MAX_MAPPINGS && lo < p->n && in_mapping(&p->m[lo], pc) ? lo : MAX_MAPPINGS;
}

/* The rule for an address of a file, or NULL. */
static __always_inline struct unw_info *find_info(u32 file, u64 addr)
{
	u32 at = 0, pages, first, lo, hi, info;
	void *table = bpf_map_lookup_elem(&unw_files, &file);
	u64 *word, page = addr >> UNW_PAGE_BITS;

	if (!table)
		return NULL;
	word = bpf_map_lookup_elem(table, &at);
	if (!word)
		return NULL;
	pages = *word;
	if (page >= pages)
		return NULL;
	at = 1 + page;
	word = bpf_map_lookup_elem(table, &at);
	if (!word)
		return NULL;
	first = lo = *word >> 32;
	hi = lo + (u32)*word;
	for (int i = 0; i < MAX_BISECT && lo < hi; i++) {	/* the first row above */
		u32 mid = lo + (hi - lo) / 2;

		at = 1 + pages + mid / 2;
		word = bpf_map_lookup_elem(table, &at);
		if (!word)
			return NULL;
		if (((*word >> (mid % 2 * 32)) & 0xffff) <= (addr & 0xffff))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == first)
		return NULL;
	lo--;
	at = 1 + pages + lo / 2;
	word = bpf_map_lookup_elem(table, &at);
	if (!word)
		return NULL;
	info = (u32)(*word >> (lo % 2 * 32)) >> 16;
	return bpf_map_lookup_elem(&unw_infos, &info);
}

static __always_inline int stop(struct walk *w, u32 end)
{
	w->end = end;
	return 1;
}

/* What a signal handler returns to: sp is at the ucontext (arch/x86 sigframe.h, sigcontext.h). */
static __always_inline int step_signal(struct walk *w)
{
#if defined(__TARGET_ARCH_x86)
	u64 g[17];	/* r8..r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip */

	if (bpf_probe_read_user(g, sizeof(g), (const void *)(w->sp + 40)))
		return stop(w, WALK_BAD_READ);
	for (int i = 0; i < 8; i++)
		w->regs[8 + i] = g[i];
	w->regs[5] = g[8];
	w->regs[4] = g[9];
	w->regs[3] = g[11];
	w->regs[1] = g[12];
	w->regs[0] = g[13];
	w->regs[2] = g[14];
	w->fp = g[10];
	w->sp = g[15];
	w->pc = g[16];
	w->leaf = true;
	return 0;
#else
	return stop(w, WALK_NO_CFI);
#endif
}

/* The frame pointer chain: fp[0] is the caller's, fp[1] the return address. */
static __always_inline int step_frame_pointer(struct walk *w, u32 why_not)
{
	u64 pair[2];

	if (w->fp < w->sp || w->fp - w->sp > FP_MAX_FRAME || (w->fp & 7))
		return stop(w, why_not);
	if (bpf_probe_read_user(pair, sizeof(pair), (const void *)w->fp))
		return stop(w, why_not);
	w->sp = w->fp + 16;
	w->fp = pair[0];
	w->pc = pair[1];
	w->leaf = false;
	return w->pc ? 0 : stop(w, WALK_WHOLE);
}

static __always_inline bool find_cfa(struct walk *w, const struct unw_info *i, u64 *cfa)
{
	s64 off = i->cfa_off;

	switch (i->cfa) {
	case UNW_CFA_SP:
		*cfa = w->sp + off;
		return true;
	case UNW_CFA_FP:
		*cfa = w->fp + off;
		return true;
	case UNW_CFA_PLT:
		*cfa = w->sp + 8 + ((w->pc & 15) >= 11 ? 8 : 0);
		return true;
	case UNW_CFA_FP_DEREF:
	case UNW_CFA_SP_DEREF:
		if (!read_word((i->cfa == UNW_CFA_FP_DEREF ? w->fp : w->sp) + off, cfa))
			return false;
		*cfa += (s64)i->ra_off;
		return true;
	case UNW_CFA_REG:
		if (!w->leaf || i->reg >= N_REGS)
			return false;
		*cfa = w->regs[i->reg & (N_REGS - 1)] + off;
		return true;
	}
	return false;
}

static __always_inline int step_cfi(struct walk *w, const struct unw_info *i)
{
	u64 cfa, ra, fp = w->fp;

	if (!find_cfa(w, i, &cfa))
		return stop(w, WALK_NO_CFI);
	if (cfa <= w->sp && !w->leaf)
		return stop(w, WALK_STUCK);
	if (!read_word(cfa - 8, &ra))
		return stop(w, WALK_BAD_READ);
	if (i->fp == UNW_FP_CFA && !read_word(cfa + (s64)i->fp_off, &fp))
		return stop(w, WALK_BAD_READ);
	if (i->fp == UNW_FP_DEREF && !read_word(w->fp + (s64)i->fp_off, &fp))
		return stop(w, WALK_BAD_READ);
	w->fp = fp;
	w->sp = cfa;
	w->pc = ra;
	w->leaf = false;
	return ra ? 0 : stop(w, WALK_WHOLE);
}

/* One frame: notes where we are, finds the caller. 1: the end. */
static int walk_step(u32 index, void *arg)
{
	struct walk_ctx *ctx = arg;
	struct unw_process *p = ctx->p;
	struct walk *w = ctx->w;
	struct unw_info *info;
	u64 at, addr;
	u32 m, n = w->n;

	if (n >= MAX_FRAMES)
		return stop(w, WALK_TOO_DEEP);
	at = w->leaf ? w->pc : w->pc - 1;
	m = find_mapping(p, at, w->last);
	if (m >= MAX_MAPPINGS) {
		w->frames[n] = FRAME_ADDR(w->pc);
		w->n = n + 1;
		w->miss = w->pc;
		return step_frame_pointer(w, WALK_NO_MAPPING);
	}
	w->last = m;
	addr = at - p->m[m].bias;
	if (!p->m[m].file) {
		w->frames[n] = FRAME_ADDR(w->pc);
		w->n = n + 1;
		return step_frame_pointer(w, WALK_NO_CFI);
	}
	w->frames[n] = (u64)p->m[m].file << FRAME_ADDR_BITS | FRAME_ADDR(addr);
	w->n = n + 1;
	info = find_info(p->m[m].file, addr);
	if (!info || info->cfa == UNW_CFA_NONE)
		return step_frame_pointer(w, WALK_NO_CFI);
	if (info->cfa == UNW_CFA_END)
		return stop(w, WALK_WHOLE);
	if (info->cfa == UNW_CFA_SIGNAL)
		return step_signal(w);
	return step_cfi(w, info);
}

static __always_inline void walk_registers(struct walk *w, struct task_struct *t)
{
	struct pt_regs *r = (struct pt_regs *)bpf_task_pt_regs(t);

#if defined(__TARGET_ARCH_x86)
	w->pc = BPF_CORE_READ(r, ip);
	w->sp = BPF_CORE_READ(r, sp);
	w->fp = BPF_CORE_READ(r, bp);
	w->regs[0] = BPF_CORE_READ(r, ax);
	w->regs[1] = BPF_CORE_READ(r, dx);
	w->regs[2] = BPF_CORE_READ(r, cx);
	w->regs[3] = BPF_CORE_READ(r, bx);
	w->regs[4] = BPF_CORE_READ(r, si);
	w->regs[5] = BPF_CORE_READ(r, di);
	w->regs[8] = BPF_CORE_READ(r, r8);
	w->regs[9] = BPF_CORE_READ(r, r9);
	w->regs[10] = BPF_CORE_READ(r, r10);
	w->regs[11] = BPF_CORE_READ(r, r11);
	w->regs[12] = BPF_CORE_READ(r, r12);
	w->regs[13] = BPF_CORE_READ(r, r13);
	w->regs[14] = BPF_CORE_READ(r, r14);
	w->regs[15] = BPF_CORE_READ(r, r15);
#elif defined(__TARGET_ARCH_arm64)
	w->pc = BPF_CORE_READ(r, user_regs.pc);
	w->sp = BPF_CORE_READ(r, user_regs.sp);
	w->fp = BPF_CORE_READ(r, user_regs.regs[29]);
#endif
}

/* Walks the user stack of t, which must be the current task. Sets frames, n, end and miss. */
static __always_inline void walk_user(struct walk *w, struct task_struct *t)
{
	struct walk_ctx ctx = { .w = w };
	u32 tgid = t->tgid;

	w->n = 0;
	w->miss = 0;
	w->end = WALK_NONE;
	if (!t->mm)
		return;
	walk_registers(w, t);
	w->leaf = true;
	w->last = 0;
	ctx.p = bpf_map_lookup_elem(&unw_processes, &tgid);
	if (!ctx.p || ctx.p->exec_id != t->self_exec_id ||
	    ctx.p->start_ns != t->group_leader->start_boottime) {
		w->frames[0] = FRAME_ADDR(w->pc);
		w->n = 1;
		w->end = WALK_NEW_PROCESS;
		return;
	}
	w->end = WALK_TOO_DEEP;
	bpf_loop(MAX_FRAMES + 1, walk_step, &ctx, 0);
}

#endif
