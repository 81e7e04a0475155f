/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_untraced.bpf.h: where programs are preempted, or the verifier does not know the socket. */
#pragma once

/* Not on the stack, of which 6.1 counts more. Programs that use it run with preemption off. */
PERCPU_ARRAY(moved_now, 1, struct moved);

/* Sockets without a number (cookie) are not followed: only some programs may give one. */
static __always_inline int transfer_untraced(struct sock *sk, s64 ret, bool tx)
{
	u64 key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	struct http_socket *s;
	struct moved *m;
	u32 zero = 0;

	if (!key)
		return 0;
	s = socket_find(key);
	if (tls_on && in_tls_call(NULL, sk, key, s, ret, tx, false))
		return 0;
	if (s && s->class == HTTP_NO)
		return 0;
	m = bpf_map_lookup_elem(&moved_now, &zero);
	return m ? on_socket(m, sk, key, s, ret, tx, false) : 0;
}

/*
 * The same on classic tracepoints (probes_preemptible()), which cannot assign the socket's number:
 * programs beside them do, and if missed, the next time.
 */
static __always_inline int transfer_of_event(struct trace_event_raw_sock_msg_length *ctx, bool tx)
{
	if (ctx->family != AF_INET && ctx->family != AF_INET6)
		return 0;
	if (is_nothing(ctx->protocol, ctx->ret, ctx->flags, tx)) {
		if (ctx->ret > 0 && ctx->protocol == IPPROTO_UDP)
			note_datagrams(ctx->sk);
		return 0;
	}
	return transfer_untraced(ctx->sk, ctx->ret, tx);
}

SEC("?tp/sock/sock_send_length")
int on_send_tp(struct trace_event_raw_sock_msg_length *ctx)
{
	return transfer_of_event(ctx, true);
}

SEC("?tp/sock/sock_recv_length")
int on_receive_tp(struct trace_event_raw_sock_msg_length *ctx)
{
	return transfer_of_event(ctx, false);
}

#define gets_number(protocol) ((protocol) == IPPROTO_TCP)
#include "bpf/kernel/number.bpf.h"

SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(number_on_state, struct sock *sk, int oldstate, int newstate)
{
	return newstate == TCP_ESTABLISHED ? give_number(sk) : 0;
}
