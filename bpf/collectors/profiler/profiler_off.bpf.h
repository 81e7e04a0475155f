/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * profiler_off.bpf.h: off-CPU samples: begin and end of waits; the user stack is read afterwards.
 */
#pragma once

#include "bpf/collectors/profiler/profiler_call.bpf.h"
#include "bpf/collectors/profiler/profiler_missed.bpf.h"
#include "bpf/collectors/profiler/profiler_waits.bpf.h"

/*
 * Shorter waits are sampled: per thread, one random point in each THIN_NS of accumulated
 * wait; the wait that contains it is reported with weight THIN_NS. So each stack has its
 * share on average, a thread's sum is right to within THIN_NS, and a machine that switches
 * often does not pay for each switch.
 */
#define THIN_NS 1000000u
const volatile u64 min_block_ns;	/* shorter waits are ignored */

/* A wait that is over; its user stack is read in the task's context: end of call or next switch. */
struct pending {
	u64 since_ns, end_ns, value, ready_ino;
	u32 waker, n, owner, ready_fd;
	u64 frames[MAX_PENDING_FRAMES];
};

/* Preallocated: it is written under the runqueue lock. */
HASH_PREALLOCATED(pendings, 2048, u32, struct pending);

PERCPU_ARRAY(pending_scratch, 1, struct pending);

/* [0] for ends of system calls, [1] for switches: the latter may interrupt the former. */
PERCPU_ARRAY(off_records, 2, struct record);

u64 lost_pending;

static __always_inline void append_kernel(struct record *r, const struct pending *p)
{
	u32 n_user = r->s.n_user, n = p->n;

	r->s.n_kernel = 0;
	if (n_user > MAX_FRAMES || n > MAX_PENDING_FRAMES)
		return;
	if (!bpf_probe_read_kernel(&r->w.frames[n_user], n * sizeof(u64), p->frames))
		r->s.n_kernel = n;
}

static __always_inline void send_block(struct task_struct *t, const struct pending *p, u32 which,
				       bool with_user)
{
	struct record *r = bpf_map_lookup_elem(&off_records, &which);

	if (!r)
		return;
	r->w.n = 0;
	r->w.end = WALK_NONE;
	r->w.miss = 0;
	if (with_user)
		walk_user(&r->w, t);
	fill(r, t, bpf_ktime_get_boot_ns());
	r->s.kind = SAMPLE_OFFCPU;
	r->s.waker = p->waker;
	r->s.value = p->value;
	r->s.kernel_only = !with_user;
	read_call(&r->s.in, t);
	r->s.in.owner = p->owner;
	r->s.in.ready_fd = p->ready_fd;
	r->s.in.ready_ino = p->ready_ino;
	r->s.in.since_ns = p->since_ns;
	r->s.in.end_ns = p->end_ns;
	append_kernel(r, p);
	if (!with_user || !must_ask(&r->w, t, r->s.time_ns) ||
	    !send_copy(r, 1 + which, r->s.time_ns))
		send(r, t, BPF_RB_NO_WAKEUP);
}

/* The task of a pending wait is running: its user stack can be read now. */
static __always_inline void finish_block(struct task_struct *t, struct task_state *s, u32 which)
{
	u32 tid = t->pid;
	struct pending *p = bpf_map_lookup_elem(&pendings, &tid);

	s->pending = 0;
	if (!p)
		return;
	send_block(t, p, which, true);
	bpf_map_delete_elem(&pendings, &tid);
}

static __always_inline u32 draw_point(void)
{
	return 1 + bpf_get_prandom_u32() % THIN_NS;	/* not 0, which means: not drawn yet */
}

static __always_inline u64 thin(struct task_state *s, u64 ns)
{
	u32 at = s->thin_at, end = at + (u32)ns;
	u64 value = 0;

	if (ns >= THIN_NS)
		return ns;
	if (!s->thin_point)
		s->thin_point = draw_point();
	if (at < s->thin_point && s->thin_point <= end)
		value = THIN_NS;
	if (end >= THIN_NS) {
		end -= THIN_NS;
		s->thin_point = draw_point();
		if (s->thin_point <= end)
			value += THIN_NS;
	}
	s->thin_at = end;
	return value;
}

static __always_inline void end_block(struct task_struct *t, struct task_state *s, u64 now)
{
	u64 rest = wait_ends(s, now), ns = now - s->off_since_ns, value;
	u32 zero = 0, tid = t->pid;
	struct pending *p;
	long bytes;

	if (!rest || ns < min_block_ns)
		return;
	value = thin(s, rest);
	if (!value)
		return;
	p = bpf_map_lookup_elem(&pending_scratch, &zero);
	if (!p)
		return;
	p->since_ns = s->off_since_ns;
	p->end_ns = now;
	p->value = value;
	p->waker = s->waker;
	p->owner = s->owner;
	p->ready_ino = t->mm ? ready_now(t, s->off_nr, &p->ready_fd) : 0;
	/* not running yet: its kernel stack is still that of the wait */
	bytes = bpf_get_task_stack(t, p->frames, sizeof(p->frames), 0);
	p->n = bytes > 0 ? bytes / sizeof(u64) : 0;
	if (!t->mm) {
		send_block(t, p, 1, false);
	} else if (bpf_map_update_elem(&pendings, &tid, p, 0)) {
		lose_time(t, SAMPLE_OFFCPU, value);
		__sync_fetch_and_add(&lost_pending, 1);
	} else {
		s->pending = 1;
	}
}

/*
 * The end of the current thread's wait was missed. In the same call its user stack is unchanged
 * (not the kernel's); else the wait is lost.
 */
static __always_inline void end_missed(struct task_struct *t, struct task_state *s, u64 now, u32 which)
{
	bool same = t->mm && s->off_nr >= 0 && s->off_nr == (s32)saved_number(t);
	u64 came = came_ns(t, now), rest = wait_ends(s, came);
	u32 zero = 0;
	struct pending *p = bpf_map_lookup_elem(&pending_scratch, &zero);

	if (s->off_since_ns < off_began_ns)
		return;		/* left over from an earlier run of the collector */
	if (!same || !came || !p) {
		__sync_fetch_and_add(&lost_ends, 1);
		return;
	}
	if (!rest || came - s->off_since_ns < min_block_ns)
		return;
	p->value = thin(s, rest);
	p->since_ns = s->off_since_ns;
	p->end_ns = came;
	p->waker = s->waker;
	p->owner = s->owner;
	p->ready_ino = 0;	/* the task has emptied the ready list by now */
	p->n = 0;
	if (p->value)
		send_block(t, p, which, true);
}

/* The current thread enters or leaves the kernel. */
static __always_inline void finish_waits(struct task_struct *t, struct task_state *s, u64 now, u32 which)
{
	if (s->pending)
		finish_block(t, s, which);
	if (s->off_reported_ns)
		end_missed(t, s, now, which);
}

/* By CPU: is the running task watched? Saves others the storage lookup. 1 while idle. */
PERCPU_ARRAY(watched_here, 1, u32);

static __always_inline void note_here(const struct task_struct *next, const struct task_state *s)
{
	u32 zero = 0, *here = bpf_map_lookup_elem(&watched_here, &zero);

	if (here)
		*here = !next->pid || (s && (is_watched(s) || s->off_reported_ns));
}

static __always_inline void leaves(struct task_struct *t, struct task_state *s, u64 now, bool preempt)
{
	s32 nr = t->mm ? saved_number(t) : -1;

	clock_end(t, now);
	finish_waits(t, s, now, 1);
	if (!preempt && t->__state)
		wait_begins(s, now, nr, owner_now(t, nr));
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_off_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct task_state *s;
	u64 now = 0;

	s = prev->pid && in_scope(prev->tgid) ? task_state(prev) : NULL;
	if (s && is_watched(s)) {
		now = bpf_ktime_get_ns();
		leaves(prev, s, now, preempt);
	}
	s = next->pid ? task_state(next) : NULL;
	if (only_http)
		note_here(next, s);
	if (s && s->off_reported_ns) {
		if (!now)
			now = bpf_ktime_get_ns();
		clock_begin(next, now);
		end_block(next, s, now);
	}
	return 0;
}

#define KERNEL_STACK_BYTES 16384

/*
 * Is this a wake-up from an interrupt, in an unrelated thread? Interrupts run on their own
 * stack, or on the thread's if they hit user code. Our stack pointer tells which; the verifier
 * only allows the difference of two pointers, so t is subtracted and its address added back.
 */
static __always_inline bool is_interrupt(struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	u64 sp;

	asm volatile("%0 = r10\n\t%0 -= %1" : "=&r"(sp) : "r"(t));
	sp += bpf_get_current_task();
	if (sp - (u64)BPF_CORE_READ(t, stack) >= KERNEL_STACK_BYTES)
		return true;
#if defined(__TARGET_ARCH_x86)
	return t->mm && (s64)BPF_CORE_READ(regs, orig_ax) < 0;
#else
	return false;
#endif
}

/* ksoftirqd runs deferred interrupt work: it is not the real waker. */
static __always_inline bool is_ksoftirqd(struct task_struct *t)
{
	char comm[8] = {};

	return t->flags & PF_KTHREAD && !bpf_probe_read_kernel(comm, sizeof(comm), t->comm) &&
	       __builtin_memcmp(comm, "ksoftirqd", 8) == 0;
}

/* Also watch threads that wake a request's thread: their waits explain its waits. */
static __always_inline void note_waker(struct task_struct *by)
{
	struct task_state *s = by->mm ? task_state(by) : NULL;

	if (s && s->for_http == FOR_NONE)
		s->for_http = WAKES_HTTP;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_off_waking, struct task_struct *t)
{
	struct task_struct *by = bpf_get_current_task_btf();
	struct task_state *s = task_state(t);

	if (!s || !s->off_reported_ns)
		return 0;
	if (is_ksoftirqd(by))
		s->waker = 0;
	else if (!is_interrupt(by))
		s->waker = by->pid;
	else
		s->waker = by->mm && saved_number(by) >= 0 ? by->pid | WAKER_MAYBE : 0;
	if (only_http && s->waker && s->for_http == MOVES_HTTP)
		note_waker(by);
	return 0;
}

static __always_inline void returns(void)
{
	u32 zero = 0, *here = only_http ? bpf_map_lookup_elem(&watched_here, &zero) : NULL;
	struct task_struct *t;
	struct task_state *s;

	if (here && !*here)
		return;
	t = bpf_get_current_task_btf();
	s = task_state(t);
	if (s && (s->pending || s->off_reported_ns))
		finish_waits(t, s, bpf_ktime_get_ns(), 0);
}

/* Two attach types for the same: see probes_prefer_classic(). */
SEC("?tp_btf/sys_exit")
int BPF_PROG(on_off_return, struct pt_regs *regs, long ret)
{
	returns();
	return 0;
}

SEC("?tp/raw_syscalls/sys_exit")
int on_off_return_tp(void *ctx)
{
	returns();
	return 0;
}
