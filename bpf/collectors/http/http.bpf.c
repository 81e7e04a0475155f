// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http.bpf.c: captures HTTP connections: the beginning of each buffer that a call moved, and the
 * length of the whole; of HTTP/2 all frames except the contents of DATA.
 *
 * From 6.3 on two tracepoints report the socket and the length of each transfer, also for sendfile()
 * and io_uring (whose bytes cannot be read; processes that use them are noted). Calls on files cost
 * nothing, calls on other sockets one lookup. Before 6.3 the socket is found by its descriptor when
 * the call returns.
 */
#include "bpf/kernel/connections_abi.bpf.h"
#include "bpf/kernel/tasks.bpf.h"
#include "bpf/protocols/http2_frame.h"
#include "bpf/protocols/wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile bool by_descriptor;	/* before 6.3 */
u64 lost_ring;			/* records */
u64 lost_requests[2];		/* requests that began in a lost record, by direction: RX is the server's side */

RING(records, HTTP_RING_BYTES);

/* include/net/tcp_states.h */
enum { TCP_ESTABLISHED = 1, TCP_FIN_WAIT1 = 4, TCP_CLOSE = 7, TCP_LAST_ACK = 9 };

/* Beside the flags of records and the count of kept bytes (from bit 8 on): */
#define IS_PREFACE (1 << 11)	/* the connection begins */
#define IS_HTTP2 (1 << 12)
#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000

#include "bpf/collectors/http/http_sockets.bpf.h"
#include "bpf/collectors/http/http_looks.bpf.h"
#include "bpf/collectors/http/http_unseen.bpf.h"
#include "bpf/collectors/http/http_thread.bpf.h"
#include "bpf/collectors/http/http_moved.bpf.h"
#include "bpf/collectors/http/http_record.bpf.h"
#include "bpf/collectors/http/http_frames.bpf.h"
#include "bpf/collectors/http/http_pieces.bpf.h"
#include "bpf/collectors/http/http_same.bpf.h"

/* ret bytes were moved on a TCP socket; traced: the verifier knows sk. */
static __always_inline int moved(struct moved *m, struct sock *sk, u64 key, struct http_socket *s, s64 ret,
				 bool tx, bool traced)
{
	struct tcp_sock *tcp = traced ? bpf_skc_to_tcp_sock(sk) : NULL;

	*m = (struct moved){ .key = key, .socket = key, .total = ret, .tx = tx, .in_call = true };
	find_bytes(m);
	m->end_ns = bpf_ktime_get_boot_ns();
	m->begin_ns = tx ? sent_at_ns(sk, tcp, m->end_ns) : m->end_ns;
	m->unread_us = tx ? HTTP_UNKNOWN_US : unread_us(sk, tcp, m->end_ns);
	m->v6 = traced ? fill_ends_num(&m->ends, sk) : read_ends(&m->ends, sk);
	emit_moved(m, s, 0);
	if (tcp)
		note_peer(m, s, tcp);
	return 0;
}

#include "bpf/collectors/http/http_tls.bpf.h"
#include "bpf/collectors/http/http_tls_probes.bpf.h"
#include "bpf/collectors/http/http_go.bpf.h"

/* A transfer on a socket that may be HTTP or TLS; a receive of 0 bytes is the end of the stream. */
static __always_inline int on_socket(struct moved *m, struct sock *sk, u64 key, struct http_socket *s,
				     s64 ret, bool tx, bool traced)
{
	if (s && s->class == HTTP_IN_TLS) {
		go_joins(sk, key, s, traced);
		return on_tls_socket(m, sk, key, s, ret, tx, traced);
	}
	if (!ret)
		return s && is_followed(s) ? end_of_stream(key, s, HTTP_RX_END) : 0;
	if (traced && !tx && s && s->class == HTTP_YES && emit_same(sk, key, s, ret))
		return 0;
	if (traced && !is_inet(sk))
		return 0;
	if (!s)
		s = socket_new(key);
	if (s)
		moved(m, sk, key, s, ret, tx, traced);
	if (s && s->class == HTTP_IN_TLS)
		go_joins(sk, key, s, traced);
	return 0;
}

static __always_inline bool is_nothing(u16 protocol, int ret, int flags, bool tx)
{
	return protocol != IPPROTO_TCP || ret < 0 || (tx ? !ret : (flags & (MSG_PEEK | MSG_ERRQUEUE)) != 0);
}

/* The cookie of a socket that the verifier knows; most already have one. */
#define number_of(sk) ((u64)(sk)->__sk_common.skc_cookie.counter ?: bpf_get_socket_cookie(sk))

static __always_inline int transfer(struct sock *sk, int ret, int flags, bool tx)
{
	struct http_socket *s;
	struct moved m;
	u64 key;

	if (is_nothing(sk->sk_protocol, ret, flags, tx)) {
		if (ret > 0 && sk->sk_protocol == IPPROTO_UDP &&
		    is_https(sk->__sk_common.skc_num, sk->__sk_common.skc_dport))
			note_unseen(UNSEEN_QUIC);
		if (has_open_calls && tls_on && ret < 0 && sk->sk_protocol == IPPROTO_TCP)
			call_is_refused(number_of(sk), tx);
		return 0;
	}
	key = number_of(sk);
	s = socket_find(key);
	if (tls_on && in_tls_call(&m, sk, key, s, ret, tx, true))
		return 0;
	if (s && s->class == HTTP_NO)
		return 0;
	return on_socket(&m, sk, key, s, ret, tx, true);
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int ret, int flags)
{
	return transfer(sk, ret, flags, true);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock *sk, int ret, int flags)
{
	return transfer(sk, ret, flags, false);
}

#include "bpf/collectors/http/http_untraced.bpf.h"
#include "bpf/collectors/http/http_descriptor.bpf.h"

/* ---- the end ---- */

static __always_inline int state_is(const struct sock *sk, int newstate)
{
	struct http_socket *s;
	u64 key;

	if (newstate != TCP_FIN_WAIT1 && newstate != TCP_LAST_ACK && newstate != TCP_CLOSE)
		return 0;
	key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	s = key ? socket_find(key) : NULL;
	if (!s)
		return 0;
	if (is_followed(s))
		end_of_stream(key, s, newstate == TCP_CLOSE ? HTTP_CLOSED : HTTP_TX_END);
	else if (s->class == HTTP_IN_TLS && s->first[0])
		tls_socket_ends(s->first[0], newstate == TCP_CLOSE);
	if (newstate == TCP_CLOSE)
		socket_drop(key, s);
	return 0;
}

SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int oldstate, int newstate)
{
	if (by_descriptor && newstate == TCP_ESTABLISHED)
		bpf_get_socket_cookie(sk);
	return state_is(sk, newstate);
}

SEC("?tp/sock/inet_sock_set_state")
int on_state_tp(struct trace_event_raw_inet_sock_set_state *ctx)
{
	return state_is(ctx->skaddr, ctx->newstate);
}
