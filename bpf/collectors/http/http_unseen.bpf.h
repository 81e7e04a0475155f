/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_unseen.bpf.h: processes that may speak HTTP in a way that is not seen: by io_uring, or QUIC. */
#ifndef OTTOP_HTTP_UNSEEN_BPF_H
#define OTTOP_HTTP_UNSEEN_BPF_H

#include "bpf/kernel/ring.bpf.h"

#define HTTPS_PORT 443

HASH_PREALLOCATED(unseen, HTTP_UNSEEN_PROCESSES, struct http_unseen_key, u64 /* start of the process */);

/* A global function, so that what it needs of the stack is not there in who calls it. */
__noinline int note_unseen(u32 how)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct http_unseen_key key = { .tgid = t->tgid, .how = how };
	u64 start_ns = t->group_leader->start_boottime, *noted;

	if (t->flags & PF_KTHREAD)
		return 0;
	noted = bpf_map_lookup_elem(&unseen, &key);
	if (!noted || *noted != start_ns)
		bpf_map_update_elem(&unseen, &key, &start_ns, BPF_ANY);
	return 0;
}

/* Bytes were moved on a TCP socket, and where they are is not known. True: by io_uring, which tells nobody. */
static __always_inline bool note_ring(void)
{
	if (!uses_ring(bpf_get_current_task_btf()))
		return false;
	note_unseen(UNSEEN_RING);
	return true;
}

/* RFC 9114, 3.1: HTTP/3 is offered on any port, mostly on that of https. num: as the host has it; dport: as the net. */
static __always_inline bool is_https(u16 num, u16 dport)
{
	return num == HTTPS_PORT || dport == bpf_htons(HTTPS_PORT);
}

/* Datagrams were moved on a socket of UDP that the verifier does not know. */
static __always_inline void note_datagrams(struct sock *sk)
{
	if (is_https(BPF_CORE_READ(sk, __sk_common.skc_num), BPF_CORE_READ(sk, __sk_common.skc_dport)))
		note_unseen(UNSEEN_QUIC);
}

/* Before 6.3, where no tracepoint tells of what io_uring sends and receives: from 6.0 on. */
SEC("?tp_btf/io_uring_complete")
int BPF_PROG(on_ring, void *ring, void *request, u64 user_data, int res)
{
	struct io_kiocb *req = request;
	struct sock *sk;
	u64 ino = 0;
	u8 op;

	if (!req || res <= 0)
		return 0;
	op = BPF_CORE_READ(req, opcode);
	if (!ring_sends(op) && !ring_receives(op))
		return 0;
	sk = socket_of_file(BPF_CORE_READ(req, file), &ino);
	if (sk && BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP)
		note_unseen(UNSEEN_RING);
	return 0;
}

#endif
