/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* connections_abi.bpf.h: the current call, where it moves datagrams or connects, 64 and 32 bits. */
#pragma once

#include "bpf/kernel/net.bpf.h"

enum call { OTHER_CALL, READ, WRITE, READV, WRITEV, SENDTO, RECVFROM, SENDMSG, RECVMSG, RECVMMSG,
	    SENDMMSG, CONNECT };

/* As sendto() and recvfrom() have them; of sendmsg() and the like `msg` and the flags count. */
struct call_args {
	u64 fd, msg, flags3, flags4, addr, len;
	bool compat;		/* of a 32-bit program: also what `msg` points to */
};

static __always_inline bool is_compat(struct task_struct *t)
{
#if defined(__TARGET_ARCH_x86)
	return t->thread_info.status & TS_COMPAT;
#elif defined(__TARGET_ARCH_arm64)
	return t->thread_info.flags >> TIF_32BIT_ARM64 & 1;
#endif
}

/* arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h */
static __always_inline enum call native_call(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	switch (regs->orig_ax) {
	case 0: return READ;
	case 1: return WRITE;
	case 19: return READV;
	case 20: return WRITEV;
	case 42: return CONNECT;
	case 44: return SENDTO;
	case 45: return RECVFROM;
	case 46: return SENDMSG;
	case 47: return RECVMSG;
	case 299: return RECVMMSG;
	case 307: return SENDMMSG;
	}
#elif defined(__TARGET_ARCH_arm64)
	switch (regs->syscallno) {
	case 63: return READ;
	case 64: return WRITE;
	case 65: return READV;
	case 66: return WRITEV;
	case 203: return CONNECT;
	case 206: return SENDTO;
	case 207: return RECVFROM;
	case 211: return SENDMSG;
	case 212: return RECVMSG;
	case 243: return RECVMMSG;
	case 269: return SENDMMSG;
	}
#endif
	return OTHER_CALL;
}

/* include/uapi/linux/net.h: operations of socketcall(); send() and recv() have no address. */
static __always_inline enum call socketcall_call(u32 what)
{
	switch (what) {
	case 3: return CONNECT;
	case 9: case 11: return SENDTO;
	case 10: case 12: return RECVFROM;
	case 16: return SENDMSG;
	case 17: return RECVMSG;
	case 19: return RECVMMSG;
	case 20: return SENDMMSG;
	}
	return OTHER_CALL;
}

#define SOCKETCALL 102
#define SOCKETCALL_SEND 9
#define SOCKETCALL_RECV 10

/* arch/x86/entry/syscalls/syscall_32.tbl, arch/arm/tools/syscall.tbl */
static __always_inline enum call compat_call(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	switch (regs->orig_ax) {
	case 3: return READ;
	case 4: return WRITE;
	case SOCKETCALL: return socketcall_call(regs->bx);
	case 145: return READV;
	case 146: return WRITEV;
	case 337: case 417: return RECVMMSG;
	case 345: return SENDMMSG;
	case 362: return CONNECT;
	case 369: return SENDTO;
	case 370: return SENDMSG;
	case 371: return RECVFROM;
	case 372: return RECVMSG;
	}
#elif defined(__TARGET_ARCH_arm64)
	switch (regs->syscallno) {
	case 3: return READ;
	case 4: return WRITE;
	case 145: return READV;
	case 146: return WRITEV;
	case 283: return CONNECT;
	case 289: case 290: return SENDTO;
	case 291: case 292: return RECVFROM;
	case 296: return SENDMSG;
	case 297: return RECVMSG;
	case 365: case 417: return RECVMMSG;
	case 374: return SENDMMSG;
	}
#endif
	return OTHER_CALL;
}

static __always_inline enum call call_of(struct task_struct *t, struct pt_regs *regs)
{
	return is_compat(t) ? compat_call(regs) : native_call(regs);
}

/* The first argument of the call, mostly its descriptor. */
static __always_inline u32 fd_of(struct task_struct *t, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return is_compat(t) ? regs->bx : regs->di;
#elif defined(__TARGET_ARCH_arm64)
	return regs->orig_x0;
#endif
}

/* As call_of() == READ, in a few instructions. */
static __always_inline bool in_read(struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);

#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax == (is_compat(t) ? 3 : 0);
#elif defined(__TARGET_ARCH_arm64)
	return (u32)regs->syscallno == (is_compat(t) ? 3 : 63);
#endif
}

#if defined(__TARGET_ARCH_x86)
/* False where the block of arguments cannot be read. */
static __always_inline bool socketcall_args(struct call_args *a, u32 what, u32 addr)
{
	u32 v[6] = {};
	bool plain = what == SOCKETCALL_SEND || what == SOCKETCALL_RECV;

	/* 3 to 6 of them: send() and the like have 4; further ones are garbage */
	if (bpf_probe_read_user(v, 3 * sizeof(*v), (void *)(u64)addr))
		return false;
	if (what == 9 || what == 10 || what == 20)
		bpf_probe_read_user(v, 4 * sizeof(*v), (void *)(u64)addr);
	else if (what == 19)
		bpf_probe_read_user(v, 5 * sizeof(*v), (void *)(u64)addr);
	else if (what == 11 || what == 12)
		bpf_probe_read_user(v, sizeof(v), (void *)(u64)addr);
	a->fd = v[0];
	a->msg = v[1];
	a->flags3 = v[2];
	a->flags4 = v[3];
	a->addr = plain ? 0 : v[4];
	a->len = plain ? 0 : v[5];
	return true;
}

static __always_inline bool get_args(struct call_args *a, struct task_struct *t, struct pt_regs *regs)
{
	a->compat = is_compat(t);
	if (!a->compat) {
		a->fd = regs->di;
		a->msg = regs->si;
		a->flags3 = regs->dx;
		a->flags4 = regs->r10;
		a->addr = regs->r8;
		a->len = regs->r9;
		return true;
	}
	if (regs->orig_ax == SOCKETCALL)
		return socketcall_args(a, regs->bx, regs->cx);
	a->fd = (u32)regs->bx;
	a->msg = (u32)regs->cx;
	a->flags3 = (u32)regs->dx;
	a->flags4 = (u32)regs->si;
	a->addr = (u32)regs->di;
	a->len = (u32)regs->bp;
	return true;
}
#elif defined(__TARGET_ARCH_arm64)
static __always_inline bool get_args(struct call_args *a, struct task_struct *t, struct pt_regs *regs)
{
	bool plain;

	a->compat = is_compat(t);
	/* send() and recv() have no address, and whatever in its registers */
	plain = a->compat && (regs->syscallno == 289 || regs->syscallno == 291);
	a->fd = regs->orig_x0;
	a->msg = regs->user_regs.regs[1];
	a->flags3 = regs->user_regs.regs[2];
	a->flags4 = regs->user_regs.regs[3];
	a->addr = plain ? 0 : regs->user_regs.regs[4];
	a->len = plain ? 0 : regs->user_regs.regs[5];
	return true;
}
#endif

/* ---- what the arguments point to ---- */

/* include/linux/socket.h: struct user_msghdr, as far as it is read; struct mmsghdr has a length behind. */
struct user_name { u64 name; u32 namelen; };

#define MMSGHDR_SIZE(compat) ((compat) ? 32 : 64)
#define MMSGHDR_LEN(compat) ((compat) ? 28 : 56)

/* Where the address of a message is, and its size. */
static __always_inline bool name_of_msg(struct user_name *n, u64 msg, bool compat)
{
	u32 old[2];

	if (!msg)
		return false;
	if (!compat)
		return !bpf_probe_read_user(n, sizeof(*n), (void *)msg);
	if (bpf_probe_read_user(old, sizeof(old), (void *)msg))
		return false;
	n->name = old[0];
	n->namelen = old[1];
	return true;
}
