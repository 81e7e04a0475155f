/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_tls.bpf.h: HTTP inside TLS: the plain text passed to and returned by a TLS library. The
 * connection is not read from the library's structures, which differ by version: it is the
 * socket on which the thread moved bytes during the call. If the library only works on memory
 * (BIOs), it is the socket from which the thread read records of the right length before the
 * call, or to which it wrote them afterwards.
 */
#pragma once

#include "bpf/collectors/http/http_tls_callers.bpf.h"

#define UNPLACED_CALLS 4	/* after so many calls without a socket a session counts as unplaced */
#define TLS_FED 4		/* records of one read that are remembered */
#define TLS_RECORD_MAX 16384
/* Overhead of a record over its text: RFC 8446 5.2; RFC 5246 6.2.3 with CBC and SHA-384 */
#define TLS_MORE_MIN 17
#define TLS_MORE_MAX 96

/* Of a thread that has called a TLS library. */
struct tls_thread {
	u64 ssl, buf, done_at, begin_ns;
	u64 sp;			/* stack pointer at entry, which identifies the return */
	u64 joined_ssl, joined_socket;	/* a session and its known socket */
	u64 socket;		/* the last one on which the thread moved TLS records, with its addresses */
	struct wire_ends ends;
	u8 v6;
	u8 kind;		/* the current call: enum tls_call_kind */
	u8 nested;		/* the current call moved bytes on the socket */
	u8 n_fed;
	u16 fed[TLS_FED];	/* lengths of data records that were read from it outside of a call */
	u64 wrote_ssl;		/* session that last wrote into memory, and how many bytes */
	u32 wrote;
	u32 unread_us;		/* of the last records read */
	u32 size;		/* of the buffer */
	u32 sent, got;		/* record bytes moved in the call */
	u32 moved;		/* text bytes of the last call, if its return was probed */
	u8 open;		/* enum open_call: see http_open.bpf.h */
	u8 refused;		/* the socket returned EAGAIN or EOF in this call */
	u8 matched;		/* the call continues the buffer of the last one */
	u8 pad;
};

TASK_STORAGE(tls_threads, struct tls_thread);

/* Not an LRU map: an evicted session would come back as a new one, and its open requests would stay unanswered. */
HASH(tls_sessions, HTTP_SOCKETS_ASIDE, struct tls_key, struct tls_session);

u64 tls_numbers;
bool tls_on;			/* a probe was hit; until then transfers skip the storage lookup */
const volatile bool has_open_calls;	/* 6.13: the entry program decides whether the return is probed */

/* ---- sockets ---- */

static __always_inline void stream_ends(u64 number, u8 kind)
{
	struct http_socket *s = socket_find(number);

	if (s && is_followed(s))
		end_of_stream(number, s, kind);
}

/* A global function, so that it is verified only once. */
__noinline int tls_stream_closes(u64 number)
{
	struct http_socket *s = socket_find(number);
	struct tls_session *x;
	struct tls_key key = {};

	if (!s)
		return 0;
	key.ssl = s->ssl;
	key.tgid = s->tgid;
	x = bpf_map_lookup_elem(&tls_sessions, &key);
	if (x && x->number == number)	/* not a newer session at the same address */
		bpf_map_delete_elem(&tls_sessions, &key);
	if (is_followed(s))
		end_of_stream(number, s, HTTP_CLOSED);
	socket_drop(number, s);
	return 0;
}

static __always_inline void note_ends(struct tls_thread *th, struct sock *sk, u64 key, bool traced)
{
	if (th->socket == key)
		return;
	th->socket = key;
	th->n_fed = 0;
	th->v6 = traced ? fill_ends_num(&th->ends, sk) : read_ends(&th->ends, sk);
}

/* Marks a socket as carrying TLS; ret 0: end of the stream. */
static __always_inline bool note_tls_socket(u64 key, struct http_socket *s, int ret)
{
	if (!s)
		s = socket_new(key);
	if (!s)
		return false;
	if (s->class != HTTP_IN_TLS) {
		s->class = HTTP_IN_TLS;
		s->first[0] = 0;
		s->room[0] = 0;
		s->position[0] = bpf_ktime_get_boot_ns();
	}
	if (!ret && s->first[0])
		stream_ends(s->first[0], HTTP_RX_END);
	return true;
}

static __always_inline bool open_call_moves(struct moved *m, struct tls_thread *th, u64 key, int ret, bool tx);

/* True: these bytes are records moved by the TLS call that the thread is in. */
static __always_inline bool in_tls_call(struct moved *m, struct sock *sk, u64 key, struct http_socket *s, int ret,
					bool tx, bool traced)
{
	struct tls_thread *th = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);

	if (!th || !th->kind)
		return false;
	if (has_open_calls && traced && th->open && (tx || key != th->joined_socket))
		return open_call_moves(m, th, key, ret, tx);
	if (tx)
		th->sent += ret;
	else
		th->got += ret;
	if (!ret)
		th->refused = 1;
	if (s && s->drained)
		s->drained = 0;
	if ((!s || s->class != HTTP_IN_TLS || !ret) && !note_tls_socket(key, s, ret))
		return true;
	note_ends(th, sk, key, traced);
	if (!tx && ret > 0 && th->unread_us == HTTP_UNKNOWN_US)
		th->unread_us = unread_us(sk, traced ? bpf_skc_to_tcp_sock(sk) : NULL, bpf_ktime_get_boot_ns());
	th->nested = true;
	return true;
}

/* Remembers the lengths of data records in the bytes of a read. */
static __always_inline void note_fed(struct tls_thread *th, u64 base, u32 len)
{
	u32 at = 0;

	th->n_fed = 0;
	for (u32 i = 0; i < 8 && at + 5 <= len; i++) {
		u8 head[8] = {};
		u32 n;

		if (bpf_probe_read_user(head, 5, (void *)(base + at)) || !looks_like_tls(*(u64 *)head, 5))
			return;
		n = head[3] << 8 | head[4];
		if (head[0] == TLS_DATA && th->n_fed < TLS_FED)
			th->fed[th->n_fed++ & (TLS_FED - 1)] = n;
		at += 5 + n;
	}
}

static __always_inline bool fits(u32 record, u32 text)
{
	return record >= text + TLS_MORE_MIN && record <= text + TLS_MORE_MAX;
}

/* ---- sessions ---- */

static __always_inline void session_has(struct tls_session *x, const struct tls_thread *th)
{
	struct http_socket *s;
	u64 key = th->socket;

	s = socket_find(key);
	if (!s)
		return;
	s->class = HTTP_IN_TLS;
	s->first[0] = x->number;
	if (x->socket == key)
		return;
	x->socket = key;
	x->ends = th->ends;
	x->v6 = th->v6;
}

static __always_inline struct tls_session *session_new(const struct tls_key *key)
{
	struct tls_session zero = { .number = HTTP_SESSION + __sync_fetch_and_add(&tls_numbers, 1) };
	struct http_socket *s = socket_new(zero.number);

	if (!s)
		return NULL;
	note_caller(TLS_CALLS);
	s->ssl = key->ssl;
	s->tgid = key->tgid;
	if (bpf_map_update_elem(&tls_sessions, key, &zero, BPF_ANY)) {
		__sync_fetch_and_add(&lost_sockets, 1);
		socket_drop(zero.number, s);
	}
	return bpf_map_lookup_elem(&tls_sessions, key);
}

/* The session at that address; a new one if the old one has ended or was on another socket. */
static __always_inline struct tls_session *session_of(const struct tls_thread *th)
{
	struct tls_key key = { .ssl = th->ssl, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *x = bpf_map_lookup_elem(&tls_sessions, &key);
	u64 number = x ? x->number : 0;

	if (x && (!socket_find(number) ||
		  (th->nested && x->socket && x->socket != th->socket))) {
		tls_stream_closes(number);
		x = NULL;
	}
	if (!x)
		x = session_new(&key);
	if (x && th->nested)
		session_has(x, th);
	return x;
}

/* For memory BIOs: a read is matched with records read before; a write is remembered for note_sent(). */
static __always_inline void find_socket(struct tls_session *x, struct tls_thread *th, u32 n, bool tx)
{
	if (x->socket || th->nested)
		return;
	if (tx) {
		th->wrote_ssl = th->ssl;
		th->wrote = n < TLS_RECORD_MAX ? n : TLS_RECORD_MAX;
		return;
	}
	for (u32 i = 0; i < TLS_FED; i++)
		if (i < th->n_fed && fits(th->fed[i], n)) {
			session_has(x, th);
			return;
		}
}

/* A socket write: if its first record matches what a session of this thread wrote into memory, joins them. */
static __always_inline void note_sent(struct tls_thread *th, const struct moved *m)
{
	struct tls_key k = { .ssl = th->wrote_ssl, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *x;
	u8 head[8] = {};

	if (!k.ssl)
		return;
	th->wrote_ssl = 0;
	x = bpf_map_lookup_elem(&tls_sessions, &k);
	if (x && !x->socket && !bpf_probe_read_user(head, 5, (void *)m->base) && head[0] == TLS_DATA &&
	    fits(head[3] << 8 | head[4], th->wrote))
		session_has(x, th);
}

/* A global function, so that it is verified only once. */
__noinline int note_records(struct moved *m)
{
	struct tls_thread *th = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);
	struct first f = {};

	if (!m || !th)
		return 0;
	if (!find_first(m, &f))
		return 0;
	m->base = f.addr;
	if (m->tx) {
		note_sent(th, m);
		return 0;
	}
	note_fed(th, m->base, m->total);
	th->unread_us = m->unread_us;
	return 0;
}

static __always_inline struct http_socket *stream_of(const struct tls_session *x)
{
	u64 number = x ? x->number : 0;

	return x ? socket_find(number) : NULL;
}

static __always_inline void tls_moved(struct moved *m, struct tls_thread *th, struct tls_session *x,
				      struct http_socket *s, u32 n, bool tx)
{
	if (s->class == HTTP_NO)
		return;
	if (!x->socket && x->unplaced < UNPLACED_CALLS && ++x->unplaced == UNPLACED_CALLS)
		note_caller(TLS_UNPLACED);
	*m = (struct moved){ .key = x->number, .base = th->buf, .total = n, .tx = tx };
	m->socket = x->socket;
	m->ends = x->ends;
	m->v6 = x->v6;
	m->end_ns = bpf_ktime_get_boot_ns();
	m->begin_ns = tx ? th->begin_ns : m->end_ns;
	m->unread_us = tx ? HTTP_UNKNOWN_US : th->unread_us;
	if (!tx)
		th->unread_us = HTTP_UNKNOWN_US;
	emit_moved(m, s, HTTP_TLS);
}

#include "bpf/collectors/http/http_open.bpf.h"

/* TLS records that were moved outside of a library call. */
static __always_inline int on_tls_socket(struct moved *m, struct sock *sk, u64 key, struct http_socket *s,
					 s64 ret, bool tx, bool traced)
{
	struct tls_thread *th;

	if (!ret && s->first[0])
		stream_ends(s->first[0], HTTP_RX_END);
	if (ret >= 5 && !s->first[0] && s->room[0] < STRANGE_RECORDS) {
		*m = (struct moved){ .total = ret, .tx = tx };
		find_bytes(m);
		note_stranger(m, s);
	}
	th = tls_on ? bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0) : NULL;
	if (!th || ret < 5)
		return 0;
	*m = (struct moved){ .total = ret, .tx = tx };
	find_bytes(m);
	note_ends(th, sk, key, traced);
	m->unread_us = tx ? HTTP_UNKNOWN_US : unread_us(sk, traced ? bpf_skc_to_tcp_sock(sk) : NULL, bpf_ktime_get_boot_ns());
	return note_records(m);
}

static __always_inline void tls_socket_ends(u64 number, bool closed)
{
	if (closed)
		tls_stream_closes(number);
	else
		stream_ends(number, HTTP_TX_END);
}
