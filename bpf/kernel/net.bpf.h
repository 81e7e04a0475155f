/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* net.bpf.h: reads the addresses of a socket, and the task that uses it. */
#pragma once

#include "bpf/kernel/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/kernel/calls.bpf.h"
#include "bpf/kernel/net.h"

static __always_inline bool is_inet(struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_INET || sk->__sk_common.skc_family == AF_INET6;
}

static __always_inline bool is_datagram(u16 protocol)
{
	return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

/* ::ffff:a.b.c.d is a v4 address. In network order. */
static __always_inline bool is_mapped(const u32 *a)
{
	return !a[0] && !a[1] && a[2] == bpf_htonl(0xffff);
}

/*
 * A macro: pointers keep their BTF type. True for v6. An unbound v6 socket that talks v4: 0.0.0.0.
 */
#define fill_ends(e, sk) \
	fill_ends_port(e, sk, BPF_CORE_READ((struct inet_sock *)(sk), inet_sport))

/* skc_num is the local port in host order, and needs no call. */
#define fill_ends_num(e, sk)	fill_ends_port(e, sk, bpf_htons((sk)->__sk_common.skc_num))
/* Of TCP: no call to read its port. */
#define fill_ends_tcp(e, sk, tp)	fill_ends_port(e, sk, ((struct inet_sock *)(tp))->inet_sport)

#define fill_ends_port(e, sk, sport) ({						\
	struct sock_common *c_ = &(sk)->__sk_common;				\
	u32 *l_ = (u32 *)(e)->local, *r_ = (u32 *)(e)->remote;			\
	bool v6_ = c_->skc_family == AF_INET6;					\
	(e)->lport = bpf_ntohs(sport);						\
	(e)->rport = bpf_ntohs(c_->skc_dport);					\
	(e)->netns = c_->skc_net.net->ns.inum;					\
	if (v6_) {								\
		r_[0] = c_->skc_v6_daddr.in6_u.u6_addr32[0];			\
		r_[1] = c_->skc_v6_daddr.in6_u.u6_addr32[1];			\
		r_[2] = c_->skc_v6_daddr.in6_u.u6_addr32[2];			\
		r_[3] = c_->skc_v6_daddr.in6_u.u6_addr32[3];			\
		l_[0] = c_->skc_v6_rcv_saddr.in6_u.u6_addr32[0];		\
		l_[1] = c_->skc_v6_rcv_saddr.in6_u.u6_addr32[1];		\
		l_[2] = c_->skc_v6_rcv_saddr.in6_u.u6_addr32[2];		\
		l_[3] = c_->skc_v6_rcv_saddr.in6_u.u6_addr32[3];		\
		if (is_mapped(r_) || is_mapped(l_)) {				\
			r_[0] = r_[3];						\
			l_[0] = l_[3];						\
			r_[1] = r_[2] = r_[3] = l_[1] = l_[2] = l_[3] = 0;	\
			v6_ = false;						\
		}								\
	} else {								\
		r_[0] = c_->skc_daddr;						\
		l_[0] = c_->skc_rcv_saddr;					\
	}									\
	v6_;									\
})

/* As fill_ends(), for a pointer that the verifier does not know. */
static __always_inline bool read_ends(struct wire_ends *e, struct sock *sk)
{
	u32 *l = (u32 *)e->local, *r = (u32 *)e->remote;

	e->lport = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	e->rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	e->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (BPF_CORE_READ(sk, __sk_common.skc_family) != AF_INET6) {
		r[0] = BPF_CORE_READ(sk, __sk_common.skc_daddr);
		l[0] = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		return false;
	}
	BPF_CORE_READ_INTO(e->remote, sk, __sk_common.skc_v6_daddr);
	BPF_CORE_READ_INTO(e->local, sk, __sk_common.skc_v6_rcv_saddr);
	if (!is_mapped(r) && !is_mapped(l))
		return true;
	r[0] = r[3];
	l[0] = l[3];
	r[1] = r[2] = r[3] = l[1] = l[2] = l[3] = 0;
	return false;
}

/* Copies comm as two words: a helper call for the 16 bytes costs more than all the rest. */
static __always_inline void fill_owner(struct wire_owner *o, struct task_struct *t)
{
	struct task_struct *leader = t->group_leader;

	o->tgid = t->tgid;
	o->start_ns = leader->start_boottime;
	((u64 *)o->comm)[0] = ((const u64 *)leader->comm)[0];
	((u64 *)o->comm)[1] = ((const u64 *)leader->comm)[1];
}

/* The current task as owner; false for kernel threads, which act for others. */
static __always_inline bool fill_current(struct wire_owner *o)
{
	struct task_struct *t = bpf_get_current_task_btf();

	if (t->flags & PF_KTHREAD)
		return false;
	fill_owner(o, t);
	return true;
}

/* The inet socket of a file, or NULL. */
static __always_inline struct sock *socket_of_file(struct file *file, u64 *ino)
{
	struct socket *socket;
	struct sock *sk;
	u16 family;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	*ino = BPF_CORE_READ(file, f_inode, i_ino);
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
	return family == AF_INET || family == AF_INET6 ? sk : NULL;
}

/* The inet socket of a descriptor of a task, or NULL; as scalars: to be read by probe_read. */
static __always_inline struct sock *socket_of(struct task_struct *t, u64 fd, u64 *ino)
{
	return socket_of_file(file_of(t, fd), ino);
}
