/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* connections_open.bpf.h: reads open connections: iterators, and single young ones on request. */
#pragma once

#include "bpf/collectors/connections/connections_kept.bpf.h"

/* ---- the open ones ---- */

u32 unobserved[N_UNOBSERVED];

/* True for a protocol that is not in the table; its sockets are counted. */
static __always_inline bool note_unobserved(struct sock *sk)
{
	u32 which;

	if (sk->__sk_common.skc_family == AF_SMC || sk->sk_protocol == IPPROTO_SMC)
		which = UNOBSERVED_SMC;
	else if (sk->sk_protocol == IPPROTO_SCTP)
		which = UNOBSERVED_SCTP;
	else if (sk->sk_protocol == IPPROTO_DCCP)
		which = UNOBSERVED_DCCP;
	else
		return false;
	__sync_fetch_and_add(&unobserved[which], 1);
	return true;
}

#define SOCK_BINDPORT_LOCK 8	/* include/net/sock.h */
#define PORT_OF_CONNECT (-1)	/* net/ipv4/inet_hashtables.c: fastreuse of a port that connect() chose */

/* If the SYN was not seen: an accepted socket has the listener's port, but not its bind() lock. */
static __always_inline void port_flags(struct wire_sock *w, struct sock *sk)
{
	struct inet_bind_bucket *port = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_bind_hash);

	if (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK ||
	    (port && BPF_CORE_READ(port, fastreuse) == PORT_OF_CONNECT))
		w->flags |= WS_CONNECTED;
}

/* Writes what the programs know of it; the owner is `t`, the holder, if that is given. */
static __always_inline void write_known(struct seq_file *seq, struct wire_sock *w, struct sock *sk,
					struct task_struct *t)
{
	struct conn_state *s = find(w->cookie);

	if (s) {
		if (mark(s, WS_SHOWN) & WS_COUNTED)
			return;
		fill_state(w, s);
		if (!t)
			w->owner = s->owner;
	} else if (w->proto == IPPROTO_TCP && w->state != TCPS_LISTEN) {
		port_flags(w, sk);
	}
	if (t)
		fill_owner(&w->owner, t);
	bpf_seq_write(seq, w, sizeof(*w));
}

static __always_inline int write_sock(struct seq_file *seq, struct sock *sk, struct task_struct *t,
				      u64 ino)
{
	struct wire_sock w = {};
	u16 proto = sk->sk_protocol;

	w.state = sk->__sk_common.skc_state;
	if (proto == IPPROTO_TCP ? w.state == TCPS_CLOSE || w.state == TCPS_TIME_WAIT :
				   !is_datagram(proto))
		return 0;
	w.proto = proto;
	w.cookie = bpf_get_socket_cookie(sk);
	w.ino = ino;
	if (fill_ends(&w.ends, sk))
		w.flags |= WS_V6;
	if (proto == IPPROTO_TCP && w.state != TCPS_LISTEN) {
		struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

		if (tp)
			fill_tcp(&w, sk, tp, w.state);
		w.generation = generation_of(sk);
	}
	write_known(seq, &w, sk, t);
	return 0;
}

/* ---- MPTCP: the process holds an MPTCP socket; its subflows are TCP sockets ---- */

#define SUBFLOWS_MAX 8		/* include/net/mptcp.h: MPTCP_SUBFLOWS_MAX */

/*
 * Not inlined: verified once, not for each turn of the loop. Returns the next subflow or NULL. One
 * from before ottop has no cookie until ownerless_iter has seen it.
 */
static __noinline u64 write_subflow(struct bpf_iter__task_file *ctx, u64 node, u64 ino)
{
	struct mptcp_subflow_context *c =
		(void *)node - bpf_core_field_offset(struct mptcp_subflow_context, node);
	struct task_struct *t = ctx->task;
	struct wire_sock w = { .proto = IPPROTO_TCP, .ino = ino };
	struct sock *sk = BPF_CORE_READ(c, tcp_sock);

	if (!t || !sk)
		return 0;
	w.state = BPF_CORE_READ(sk, __sk_common.skc_state);
	w.cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP && w.state != TCPS_CLOSE &&
	    w.state != TCPS_TIME_WAIT && (w.cookie || w.state == TCPS_LISTEN)) {
		if (read_ends(&w.ends, sk))
			w.flags |= WS_V6;
		if (w.state != TCPS_LISTEN)
			read_tcp(&w, sk);
		write_known(ctx->meta->seq, &w, sk, t);
	}
	return (u64)BPF_CORE_READ(c, node.next);
}

static __always_inline int write_subflows(struct bpf_iter__task_file *ctx, struct sock *sk, u64 ino)
{
	struct mptcp_sock *m = (struct mptcp_sock *)sk;
	u64 head = (u64)m + bpf_core_field_offset(m->conn_list);
	u64 at = (u64)BPF_CORE_READ(m, conn_list.next);

	for (u32 i = 0; i < SUBFLOWS_MAX && at && at != head; i++)
		at = write_subflow(ctx, at, ino);
	return 0;
}

static __always_inline int socket_of_task(struct bpf_iter__task_file *ctx, bool with_subflows)
{
	struct task_struct *t = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	if (!t || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || note_unobserved(sk) || !is_inet(sk))
		return 0;
	if (with_subflows && sk->sk_protocol == IPPROTO_MPTCP)
		return write_subflows(ctx, sk, file->f_inode->i_ino);
	return write_sock(ctx->meta->seq, sk, t, file->f_inode->i_ino);
}

SEC("iter/task_file")
int sockets_iter(struct bpf_iter__task_file *ctx)
{
	return socket_of_task(ctx, false);
}

/* Only for kernels with MPTCP and its BTF types. */
SEC("?iter/task_file")
int sockets_iter_mptcp(struct bpf_iter__task_file *ctx)
{
	return socket_of_task(ctx, true);
}

/*
 * Sockets of one network namespace that have no file (not accepted yet, closed by their
 * process, the kernel's own), so that sockets_iter does not see them; and subflows of MPTCP,
 * whose file belongs to the MPTCP socket: these get their cookie here.
 */
SEC("iter/tcp")
int ownerless_iter(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tp;
	struct sock *sk;

	if (!skc)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	sk = (struct sock *)tp;
	if (BPF_CORE_READ(sk, sk_socket, file) && BPF_CORE_READ(sk, sk_socket, sk) == sk)
		return 0;
	return write_sock(ctx->meta->seq, sk, NULL, 0);
}

/* ---- young ones that no iterator has seen yet ---- */

struct sock_ref asked[ASKED_MAX];
struct wire_sock answers[ASKED_MAX];	/* cookie 0: it is gone */
u32 n_asked;

/* A global function: verified once, not for each turn of the loop. */
__noinline int answer(u32 i)
{
	const struct sock_ref *ref = &asked[i & (ASKED_MAX - 1)];
	struct wire_sock *w = &answers[i & (ASKED_MAX - 1)];
	struct sock *sk = (struct sock *)ref->sk;
	struct file *file = BPF_CORE_READ(sk, sk_socket, file);
	struct conn_state *s;

	w->proto = IPPROTO_TCP;
	w->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if (read_ends(&w->ends, sk))
		w->flags |= WS_V6;
	if (file)
		w->ino = BPF_CORE_READ(file, f_inode, i_ino);
	read_tcp(w, sk);
	s = find(ref->cookie);
	if (!s || w->state == TCPS_CLOSE || mark(s, WS_SHOWN) & WS_COUNTED)
		return 0;
	fill_state(w, s);
	w->owner = s->owner;
	if (BPF_CORE_READ(sk, __sk_common.skc_cookie.counter) == ref->cookie)
		w->cookie = ref->cookie;
	return 0;
}

/* Run by user space, which has cleared the answers. */
SEC("?syscall")
int read_asked(void *ctx)
{
	for (u32 i = 0; i < ASKED_MAX && i < n_asked; i++)
		answer(i);
	return 0;
}
