/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_open.bpf.h: TLS library calls without a return probe ("open" calls), as that probe costs as much as
 * the one at the entry. Each session learns, while all its returns are probed, which calls may be open.
 *
 * Write: sessions that send each write as one TLS record within the call. It is over once that many bytes
 * were sent on the session's socket. If the socket takes less, the write fails and the retry is probed.
 *
 * Read: sessions that read until nothing is left. The next read passes the rest of the same buffer, which
 * gives the length of the one before; a read that finds the socket empty returns nothing. If another call
 * comes instead (the buffer is full), the length follows from the length of the record.
 */
#pragma once

enum open_call { OPEN_NONE, OPEN_WRITE, OPEN_READ };

#define FOLLOWS_MIN 3		/* reads to the end that a session must have shown */
#define RECORD_HEAD 5
#define ALERT_BYTES 2		/* RFC 8446, 6: a record of that size is most likely an alert */

/* The call that begins. */
struct next_call {
	u64 ssl, buf, sp, size;
	u32 n;			/* bytes that the previous read returned, whose buffer it continues; 0: it does not */
	bool exact;		/* those were all that the socket had */
};

static __always_inline bool is_read(u8 kind)
{
	return kind == TLS_READ || kind == TLS_READ_EX;
}

static __always_inline struct tls_session *session_now(const struct tls_thread *th)
{
	struct tls_key key = { .ssl = th->ssl, .tgid = bpf_get_current_pid_tgid() >> 32 };

	return bpf_map_lookup_elem(&tls_sessions, &key);
}

/* ---- learning from calls whose returns are probed ---- */

static __always_inline void note_written(struct tls_session *x, const struct tls_thread *th, u32 n)
{
	x->refused = 0;
	if (!th->nested)
		x->keeps = 1;
	else if (n <= TLS_RECORD_MAX && n > x->proven && th->sent > RECORD_HEAD && fits(th->sent - RECORD_HEAD, n))
		x->proven = n;
}

static __always_inline void note_read(struct tls_session *x, const struct tls_thread *th, u32 n)
{
	u32 more = th->got - RECORD_HEAD - n;

	if (th->refused)
		x->waits = 1;
	if (n < th->size)
		x->owes = 1;
	if (th->got <= RECORD_HEAD || !fits(th->got - RECORD_HEAD, n))
		return;
	if (x->more && x->more != more)
		x->waits = 1;
	x->more = more;
}

/* A read that continued the previous one found the socket empty. */
static __always_inline void note_followed(const struct tls_thread *th)
{
	struct tls_session *x = th->refused && !th->got ? session_now(th) : NULL;

	if (x && x->follows < FOLLOWS_MIN)
		x->follows++;
}

/* ---- the end of an open call ---- */

/*
 * Bytes of an open read that filled its buffer with no read after it. The program may have reused
 * the buffer, so this session gets no open reads any more.
 */
static __always_inline u32 brought(struct tls_session *x, const struct tls_thread *th)
{
	u32 n;

	if (!th->got)
		return 0;
	x->waits = 1;
	if (th->refused || th->got <= RECORD_HEAD + x->more + ALERT_BYTES)
		return 0;
	n = th->got - RECORD_HEAD - x->more;
	return n < th->size ? n : th->size;
}

/* n: bytes written or read; 0: unknown. A global function, so that it is verified only once. */
__noinline int open_call_ends(struct moved *m, struct tls_thread *th, u32 n)
{
	struct tls_session *x;
	struct http_socket *s;
	bool tx, late = !n;

	if (!m || !th)
		return 0;
	tx = th->open == OPEN_WRITE;
	th->open = OPEN_NONE;
	th->kind = TLS_NONE;
	x = session_now(th);
	if (!x)
		return 0;
	if (!n && !tx)
		n = brought(x, th);
	else if (!n && !th->refused) {
		x->keeps = 1;	/* sent after the call: no more open writes in this session */
		n = th->size;
	}
	s = n ? stream_of(x) : NULL;
	if (!s)
		return 0;
	if (late && s->class == HTTP_2)
		th->buf = 0;	/* one wrong byte would garble all later header blocks (HPACK state) */
	if (tx)
		x->refused = 0;
	tls_moved(m, th, x, s, n, tx);
	return 0;
}

/* The open call is complete: what follows is another call. */
static __always_inline bool open_call_is_over(const struct tls_thread *th)
{
	return th->refused || (th->open == OPEN_READ && th->got);
}

/* Bytes moved while a call is open: within it (true), or on another socket, so that the call must be over. */
static __always_inline bool open_call_moves(struct moved *m, struct tls_thread *th, u64 key, int ret, bool tx)
{
	bool here = key == th->joined_socket;

	if (here && th->open == OPEN_READ)
		return true;
	if (here)
		th->sent += ret;
	if (!here || th->sent >= th->size + RECORD_HEAD + TLS_MORE_MIN)
		open_call_ends(m, th, here ? th->size : 0);
	return here;
}

/* The socket returned EAGAIN. A global function, so that it is verified only once. */
__noinline int call_is_refused(u64 key, u32 tx)
{
	struct tls_thread *th = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);
	struct tls_session *x;
	struct http_socket *s;

	if (!th || !th->kind)
		return 0;
	if (!tx && is_read(th->kind)) {
		s = socket_find(key);
		if (!s || s->class != HTTP_IN_TLS)
			return 0;
		th->refused = 1;
		s->drained = !th->got;
		if (th->open && key == th->joined_socket) {
			th->open = OPEN_NONE;
			th->kind = TLS_NONE;
		}
	} else if (tx && th->open == OPEN_WRITE && key == th->joined_socket) {
		th->refused = 1;
		x = session_now(th);
		if (x)
			x->refused = 1;
	}
	return 0;
}

/* ---- the beginning of a call ---- */

/* If this call continues the buffer of the thread's previous read, its address gives that one's length: ends it. */
static __always_inline void look_back(struct moved *m, struct tls_thread *th, struct next_call *next)
{
	u32 n = th->size - (u32)next->size;
	struct tls_session *x;

	if (next->ssl != th->ssl || next->sp != th->sp || next->size >= th->size || next->buf - th->buf != n ||
	    (th->open != OPEN_READ && th->moved != n))
		return;
	x = session_now(th);
	if (!x)
		return;
	next->n = n;
	next->exact = th->got == n + RECORD_HEAD + x->more;
	if (th->open == OPEN_READ)
		open_call_ends(m, th, n);
}

static __always_inline bool write_opens(const struct tls_session *x, u64 len)
{
	return len && len <= x->proven && !x->keeps && !x->refused;
}

static __always_inline bool read_opens(struct tls_session *x, const struct next_call *next)
{
	struct http_socket *s;

	if (!next->n && x->owes)
		x->follows = 0;
	x->owes = 0;
	if (x->follows < FOLLOWS_MIN || x->waits || !x->more)
		return false;
	s = socket_find(x->number);
	if (!s || s->class != HTTP_YES)
		return false;
	if (next->n)
		return next->exact;
	s = socket_find(x->socket);
	return s && s->drained;
}

/* 1: the call that has begun is open. */
static __always_inline int opens(struct tls_thread *th, const struct next_call *next)
{
	struct tls_session *x = session_now(th);
	bool reads = is_read(th->kind);

	th->matched = next->n != 0;
	if (!x || !x->socket)
		return 0;
	if (!(reads ? read_opens(x, next) : write_opens(x, th->kind == TLS_WRITE ? (u32)next->size : next->size)))
		return 0;
	th->joined_ssl = th->ssl;
	th->joined_socket = x->socket;
	th->open = reads ? OPEN_READ : OPEN_WRITE;
	return 1;
}
