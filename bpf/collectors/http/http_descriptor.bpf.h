/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_descriptor.bpf.h: before 6.3 the socket is found by its descriptor, when the call returns.
 */
#pragma once

enum { NO_CALL, RECEIVES, SENDS, SENDS_FILE, SPLICES };

static __always_inline int kind_of(struct task_struct *t, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	u32 nr = regs->orig_ax, sendfile = 40, splice = 275;
#elif defined(__TARGET_ARCH_arm64)
	u32 nr = regs->syscallno, sendfile = 71, splice = 76;
#endif
	switch (call_of(t, regs)) {
	case READ:
	case READV:
	case RECVFROM:
	case RECVMSG:
		return RECEIVES;
	case WRITE:
	case WRITEV:
	case SENDTO:
	case SENDMSG:
		return SENDS;
	default:
		return is_compat(t) ? NO_CALL : nr == sendfile ? SENDS_FILE : nr == splice ? SPLICES : NO_CALL;
	}
}

/* MSG_PEEK and the like: the data will be received again. */
static __always_inline bool is_look(struct task_struct *t, struct pt_regs *regs, const struct call_args *args)
{
	enum call call = call_of(t, regs);
	u64 flags = call == RECVMSG ? args->flags3 : call == RECVFROM ? args->flags4 : 0;

	return flags & (MSG_PEEK | MSG_ERRQUEUE);
}

/* on_state gives sockets their cookie: those connected before ottop have none and are skipped. */
static __always_inline int returned(struct task_struct *t, struct pt_regs *regs, long ret)
{
	int kind = kind_of(t, regs);
	struct call_args args = {};
	struct sock *sk;
	u64 ino = 0;
	u16 protocol;
	bool tx = kind != RECEIVES;

	if (kind == NO_CALL || ret < 0 || (!ret && tx) || !get_args(&args, t, regs))
		return 0;
	sk = socket_of(t, kind == SPLICES ? args.flags3 : args.fd, &ino);
	protocol = sk ? BPF_CORE_READ(sk, sk_protocol) : 0;
	if (protocol == IPPROTO_UDP)
		note_datagrams(sk);
	if (protocol != IPPROTO_TCP)
		return 0;
	return !tx && is_look(t, regs, &args) ? 0 : transfer_untraced(sk, ret, tx);
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long ret)
{
	return returned(bpf_get_current_task_btf(), regs, ret);
}
