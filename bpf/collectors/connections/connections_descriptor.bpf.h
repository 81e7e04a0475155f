/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * connections_descriptor.bpf.h: datagrams before 6.3, where no tracepoint tells the socket: by the
 * descriptor of the call, or of what io_uring did. A part of connections_calls.bpf.c.
 */
#ifndef OTTOP_CONNECTIONS_DESCRIPTOR_BPF_H
#define OTTOP_CONNECTIONS_DESCRIPTOR_BPF_H

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

/* include/uapi/linux/io_uring.h: enum io_uring_op */
enum ring_op { RING_READV = 1, RING_WRITEV, RING_READ_FIXED = 4, RING_WRITE_FIXED, RING_SENDMSG = 9,
	       RING_RECVMSG, RING_READ = 22, RING_WRITE, RING_SEND = 26, RING_RECV, RING_SEND_ZC = 47,
	       RING_SENDMSG_ZC };

static __always_inline bool ring_sends(u8 op)
{
	return op == RING_WRITEV || op == RING_WRITE_FIXED || op == RING_SENDMSG || op == RING_WRITE ||
	       op == RING_SEND || op == RING_SEND_ZC || op == RING_SENDMSG_ZC;
}

static __always_inline bool ring_receives(u8 op)
{
	return op == RING_READV || op == RING_READ_FIXED || op == RING_RECVMSG || op == RING_READ ||
	       op == RING_RECV;
}

/*
 * From 6.0 to 6.2: what io_uring did. A peer that is not the socket's own is unknown:
 * it was in memory that is the process's again.
 */
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

#endif
