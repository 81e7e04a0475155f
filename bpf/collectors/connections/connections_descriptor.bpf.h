/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* connections_descriptor.bpf.h: datagrams before 6.3: the socket is found by its descriptor. */
#pragma once

#include "bpf/kernel/ring.bpf.h"

static __always_inline bool is_look(enum call call, const struct call_args *args)
{
	u64 flags = call == RECVMSG ? args->flags3 :
		    call == RECVFROM || call == RECVMMSG ? args->flags4 : 0;

	return flags & (MSG_PEEK | MSG_ERRQUEUE);
}

/* Before 6.3: every call that moves data, by its descriptor. */
static __always_inline int count_by_descriptor(struct task_struct *t, enum call call,
					       const struct call_args *args, long ret)
{
	struct amount a = {};
	struct sock *sk;
	bool coalesced;
	u64 ino = 0;

	sk = socket_of(t, args->fd, &ino);
	a.proto = sk ? BPF_CORE_READ(sk, sk_protocol) : 0;
	if (!is_datagram(a.proto) || is_look(call, args))
		return 0;
	a.socket = FLOW_BY_INODE | ino;
	a.bytes = ret;
	a.packets = call == RECVMMSG || call == SENDMMSG ? ret : 1;
	a.tx = call == WRITE || call == WRITEV || call == SENDTO || call == SENDMSG || call == SENDMMSG;
	a.v6 = read_ends(&a.ends, sk);
	ask_socket(&a, sk, &coalesced);
	return count_call(&a, args, call, ret, coalesced);
}

/* 6.0 to 6.2: io_uring completions; the process may have reused the peer's memory: unknown. */
SEC("?tp_btf/io_uring_complete")
int BPF_PROG(on_ring, void *ring, void *request, u64 user_data, int res)
{
	struct io_kiocb *req = request;
	struct amount a = {};
	struct sock *sk;
	bool coalesced;
	u64 ino = 0;
	u8 op;

	if (!req || res < 0)
		return 0;
	op = BPF_CORE_READ(req, opcode);
	a.tx = ring_sends(op);
	if (!a.tx && !ring_receives(op))
		return 0;
	sk = socket_of_file(BPF_CORE_READ(req, file), &ino);
	a.proto = sk ? BPF_CORE_READ(sk, sk_protocol) : 0;
	if (!is_datagram(a.proto))
		return 0;
	a.socket = FLOW_BY_INODE | ino;
	a.bytes = res;
	a.packets = 1;
	a.v6 = read_ends(&a.ends, sk);
	ask_socket(&a, sk, &coalesced);
	a.unclear = coalesced;
	split(&a);
	return count(&a);
}
