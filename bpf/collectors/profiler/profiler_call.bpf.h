/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * profiler_call.bpf.h: the system call of a wait, and the object it waited for: the file of its
 * descriptor, the first ready file of a set, the holder of its lock. Noted at the time of the wait: when
 * user space looks, a moment later, descriptor and lock may belong to others.
 */
#pragma once

#include "bpf/kernel/calls.bpf.h"

#if defined(__TARGET_ARCH_x86)
#define NR_FUTEX 202
#define NR_EPOLL_WAIT 232
#define NR_EPOLL_PWAIT 281
#else
#define NR_FUTEX 98
#define NR_EPOLL_WAIT 22	/* there is but epoll_pwait */
#define NR_EPOLL_PWAIT 22
#endif
#define NR_EPOLL_PWAIT2 441

/* include/uapi/linux/futex.h */
#define FUTEX_WAIT 0
#define FUTEX_LOCK_PI 6
#define FUTEX_WAIT_BITSET 9
#define FUTEX_LOCK_PI2 13
#define FUTEX_CMD_MASK 0x7f
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_TID_MASK 0x3fffffffu

/* glibc's mutex: see waits_futex.c. */
struct mutex_words {
	s32 lock;
	u32 count;
	s32 owner;
	u32 nusers;
	s32 kind;
};

/* The owner's tid (in its own pid namespace) in the lock that the current thread waits for; 0: no lock. */
static __always_inline u32 lock_owner(const u64 args[4])
{
	u32 op = args[1] & FUTEX_CMD_MASK;
	bool waits = op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET;
	bool inherits = op == FUTEX_LOCK_PI || op == FUTEX_LOCK_PI2;
	struct mutex_words m;

	if ((!waits && !inherits) || bpf_probe_read_user(&m.lock, sizeof(m.lock), (const void *)args[0]))
		return 0;
	if (inherits || (u32)m.lock & FUTEX_WAITERS)
		return m.lock & FUTEX_TID_MASK;
	if (m.lock != 2 || (u32)args[2] != 2 ||
	    bpf_probe_read_user(&m, sizeof(m), (const void *)args[0]))
		return 0;
	if (m.owner <= 0 || !m.nusers || m.nusers >= 1 << 20 || (u32)m.kind >= 1024)
		return 0;
	return m.owner;
}

/* include/linux/sched/jobctl.h */
#define JOBCTL_STOP_SIGMASK 0xffff
#define JOBCTL_TRAP_FREEZE (1ul << 23)

/*
 * What stops a thread regardless of its call: OWNER_*, 0: nothing. In a cgroup being frozen a
 * thread has a pending signal and does not fall asleep in its call.
 */
static __always_inline u32 outside_now(struct task_struct *t)
{
	u32 state = t->__state;
	u64 job = t->jobctl;

	if (state & TASK_TRACED_BIT)
		return OWNER_TRACER | (t->parent->tgid & OWNER_TID);
	if (state & TASK_STOPPED_BIT)
		return OWNER_SIGNAL | (job & JOBCTL_STOP_SIGMASK);
	if (state & TASK_FROZEN)	/* cgroup 1, or the system sleeps */
		return OWNER_FREEZER;
	return state & TASK_INTERRUPTIBLE && job & JOBCTL_TRAP_FREEZE ? OWNER_FREEZER : 0;
}

/* The current thread is about to wait in that call. */
static __always_inline u32 owner_now(struct task_struct *t, s32 nr)
{
	u32 outside = outside_now(t);
	u64 args[4];

	if (outside)
		return outside;
	if (nr != NR_FUTEX || compat_abi(t) != ABI_NATIVE)
		return 0;
	saved_arguments(t, args);
	return lock_owner(args) & OWNER_TID;	/* user memory: may contain anything */
}

/*
 * Inode and descriptor of the first ready entry in the epoll set that a waking task waits on. The set was
 * empty when it fell asleep, so this one woke it (fs/eventpoll.c: ep_poll(), ep_poll_callback()). 0: unknown.
 */
static __always_inline u64 ready_now(struct task_struct *t, s32 nr, u32 *ret_fd)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	struct list_head *first;
	struct eventpoll *ep;
	struct epitem *item;

	if ((nr != NR_EPOLL_WAIT && nr != NR_EPOLL_PWAIT && nr != NR_EPOLL_PWAIT2) || compat_abi(t) != ABI_NATIVE)
		return 0;
#if defined(__TARGET_ARCH_x86)
	ep = BPF_CORE_READ(file_of(t, (u32)regs->di), private_data);
#else
	ep = BPF_CORE_READ(file_of(t, (u32)regs->orig_x0), private_data);
#endif
	first = BPF_CORE_READ(ep, rdllist.next);
	if (!first || (void *)first == (void *)ep + bpf_core_field_offset(struct eventpoll, rdllist))
		return 0;
	item = (void *)first - bpf_core_field_offset(struct epitem, rdllink);
	*ret_fd = BPF_CORE_READ(item, ffd.fd);
	return BPF_CORE_READ(item, ffd.file, f_inode, i_ino);
}

/* The system call of a task that is still in it, asleep or just woken. */
static __always_inline void read_call(struct wire_call *c, struct task_struct *t)
{
	struct file *file;

	c->ino = c->ready_ino = 0;
	c->call = t->mm ? call_from_regs(t) : CALL_NONE;
	if (c->call >> 16)	/* none, or not with these registers */
		return;
	saved_arguments(t, c->args);
	file = file_of(t, (u32)c->args[0]);
	if (!file)
		return;
	c->ino = BPF_CORE_READ(file, f_inode, i_ino);
	c->mode = BPF_CORE_READ(file, f_inode, i_mode);
}
