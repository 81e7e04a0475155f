/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_unseen.bpf.h: processes that may speak HTTP in a way that we cannot observe: io_uring, QUIC. */
#pragma once

#include "bpf/kernel/ring.bpf.h"

#define HTTPS_PORT 443

HASH_PREALLOCATED(unseen, HTTP_UNSEEN_PROCESSES, struct http_unseen_key, u64 /* start of the process */);

/* Not inlined, to keep its stack out of the callers'. */
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

/* Bytes were moved on a TCP socket, from or to an unknown buffer. True: by io_uring. */
static __always_inline bool note_ring(void)
{
	if (!uses_ring(bpf_get_current_task_btf()))
		return false;
	note_unseen(UNSEEN_RING);
	return true;
}

/* RFC 9114, 3.1: HTTP/3 may use any port, mostly that of https. num: host byte order; dport: network byte order. */
static __always_inline bool is_https(u16 num, u16 dport)
{
	return num == HTTPS_PORT || dport == bpf_htons(HTTPS_PORT);
}

/* Datagrams were moved on a UDP socket; for pointers that the verifier does not know. */
static __always_inline void note_datagrams(struct sock *sk)
{
	if (is_https(BPF_CORE_READ(sk, __sk_common.skc_num), BPF_CORE_READ(sk, __sk_common.skc_dport)))
		note_unseen(UNSEEN_QUIC);
}

/* For 6.0 to 6.2, which have no tracepoint for transfers of io_uring. */
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
