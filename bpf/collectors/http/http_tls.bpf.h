/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_tls.bpf.h: HTTP inside TLS: what a TLS library is given to write, and what it has
 * read. Which connection that is on is not asked of the library, whose structures differ by
 * version: it is the socket that the thread moved bytes on while it was in the call. Where
 * the library only turns bytes in memory into others, it is the socket that records of the
 * right length came from before, or go to afterwards, on the same thread.
 */
#ifndef OTTOP_HTTP_TLS_BPF_H
#define OTTOP_HTTP_TLS_BPF_H

#include "bpf/collectors/http/http_tls.h"

#define STRANGE_RECORDS 8	/* of data on a socket, counted in its room[0]; position[0] is since when it speaks TLS */
#define TLS_CALLERS 1024		/* those that were longest without a new session are forgotten */
#define UNPLACED_CALLS 4	/* of a session whose socket is not known: nothing has told it by then */
#define TLS_FED 4		/* records of one read that are looked at */
#define TLS_DATA 23		/* RFC 8446, 5.1: ContentType */
#define TLS_RECORD_MAX 16384
/* What a record is longer than its text: RFC 8446 5.2; RFC 5246 6.2.3 with CBC and SHA-384 */
#define TLS_MORE_MIN 17
#define TLS_MORE_MAX 96

/* Of a thread that has called a TLS library. */
struct tls_thread {
	u64 ssl, buf, done_at, begin_ns;
	u64 sp;			/* where the call began, by which its return is known */
	u64 joined_ssl, joined_socket;	/* a session that is known to be on that socket */
	u64 socket;		/* on which the thread moved TLS records last, and its ends */
	struct wire_ends ends;
	u8 v6;
	u8 kind;		/* the call it is in: enum tls_call_kind */
	u8 nested;		/* it moved bytes on the socket in that call */
	u8 n_fed;
	u16 fed[TLS_FED];	/* lengths of the records of data that were read from it outside of one */
	u64 wrote_ssl;		/* what was written into memory, and how much */
	u32 wrote;
	u32 unread_us;		/* of the records that were read last */
	u32 size;		/* of the buffer */
	u32 sent, got;		/* bytes of records, in the call */
	u32 moved;		/* of text, in the last call, where its return was seen */
	u8 open;		/* enum open_call: see http_open.bpf.h */
	u8 refused;		/* the socket has not taken, or brought, what the call wanted */
	u8 matched;		/* the call goes on where the last one ended */
	u8 pad;
};

TASK_STORAGE(tls_threads, struct tls_thread);

/* Until they end: one that were forgotten would be another one from then on, whose requests have no answers. */
HASH(tls_sessions, HTTP_SOCKETS_ASIDE, struct tls_key, struct tls_session);

/* What is known of a process that has called a TLS library. */
LRU_HASH(tls_callers, TLS_CALLERS, struct tls_caller, u32);
/* Processes that have moved data in TLS on a socket that is none of any session's: mostly by another library. */
HASH(tls_strangers, HTTP_TLS_SPEAKERS, struct tls_caller, u64 /* since when that one speaks TLS */);

u64 tls_numbers;
bool tls_on;			/* a probe was hit: till then no call looks for its thread */
const volatile bool has_open_calls;	/* the program at an entry says whether it wants the return, too (6.13) */

/* ---- who calls ---- */

static __always_inline void this_process(struct tls_caller *c)
{
	struct task_struct *t = bpf_get_current_task_btf();

	c->start_ns = t->group_leader->start_boottime;
	c->tgid = t->tgid;
	c->pad = 0;
}

/* A function, so that what it needs of the stack is not there in who calls it. */
__noinline int note_caller(u32 what)
{
	struct tls_caller c;
	u32 *known, both = what;

	this_process(&c);
	known = bpf_map_lookup_elem(&tls_callers, &c);
	if (known && (*known & what) == what)
		return 0;
	if (known)
		both |= *known;
	bpf_map_update_elem(&tls_callers, &c, &both, BPF_ANY);
	return 0;
}

/*
 * Bytes of TLS on a socket of which no session is known. Those of a handshake are some three records of data, and
 * what a library reads from memory is joined with the first data there is.
 */
__noinline int note_stranger(const struct moved *m, struct http_socket *s)
{
	struct tls_caller c;
	struct first f = {};
	u64 since_ns;

	if (!m || !s || !find_first(m, &f) || (u8)f.word != TLS_DATA || ++s->room[0] != STRANGE_RECORDS)
		return 0;
	this_process(&c);
	since_ns = s->position[0];	/* not from there: 6.1 takes values from its stack and from maps only */
	bpf_map_update_elem(&tls_strangers, &c, &since_ns, BPF_ANY);
	return 0;
}

/* ---- sockets ---- */

/* The end of what a session moves, if that is HTTP. */
static __always_inline void stream_ends(u64 number, u8 kind)
{
	struct http_socket *s = socket_find(number);

	if (s && is_followed(s))
		end_of_stream(number, s, kind);
}

/* A global function, so that the verifier looks at it once. */
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
	if (x && x->number == number)	/* no later one of that address */
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

/* A socket that is not known to carry TLS, or its end. */
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

/* Are these bytes records of the session whose call the thread is in? */
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

/* The lengths of the records of data among those that a read has brought. */
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

/* A session of that address: another one where that is on another socket now, or has ended. */
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

/* Records that were read before, or what was written into memory: which of both has found its socket? */
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

/* What was written: is it what a session of this thread has put into memory? */
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

/* A global function, so that the verifier looks at it once. */
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

/* Records that were moved outside of a call. */
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

/* ---- the probes ---- */

/*
 * Probes run with preemption on; on kernels from 6.13 on whose programs have stacks of their own
 * for each CPU, two tasks would share one. Programs with a tail call have none; it never happens.
 */
#define NO_PROGRAMS(name)				\
	struct {					\
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY);	\
		__uint(max_entries, 1);			\
		__uint(key_size, sizeof(u32));		\
		__uint(value_size, sizeof(u32));	\
	} name SEC(".maps")

NO_PROGRAMS(no_programs);
NO_PROGRAMS(no_session_programs);	/* a map is for one kind */

#define OWN_STACK(ctx) bpf_tail_call(ctx, &no_programs, 0)

/* POPPED: what the stack pointer is when a function has returned, less when it began. */
#if defined(__TARGET_ARCH_x86)
#define POPPED 8
#define ARG1(r) ((r)->di)
#define ARG2(r) ((r)->si)
#define ARG3(r) ((r)->dx)
#define ARG4(r) ((r)->cx)
#define STACK(r) ((r)->sp)
#define RESULT(r) ((r)->ax)
#elif defined(__TARGET_ARCH_arm64)
#define POPPED 0
#define ARG1(r) ((r)->user_regs.regs[0])
#define ARG2(r) ((r)->user_regs.regs[1])
#define ARG3(r) ((r)->user_regs.regs[2])
#define ARG4(r) ((r)->user_regs.regs[3])
#define STACK(r) ((r)->user_regs.sp)
#define RESULT(r) ((r)->user_regs.regs[0])
#endif

/* One such function may call another, or be called to carry the records of another session. */
static __always_inline bool is_within_call(struct moved *m, struct tls_thread *th, u64 ssl, u64 sp)
{
	if (!th->kind)
		return false;
	if (has_open_calls && th->open && (sp >= th->sp || ssl == th->ssl || open_call_is_over(th))) {
		open_call_ends(m, th, 0);
		return false;
	}
	return sp < th->sp;
}

/* NULL: it is part of another one. */
static __always_inline struct tls_thread *call_begins(struct moved *m, struct pt_regs *ctx)
{
	struct tls_thread *th = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0,
						     BPF_LOCAL_STORAGE_GET_F_CREATE);
	u64 ssl = ARG1(ctx), sp = STACK(ctx);

	if (!th)
		return NULL;
	if (!tls_on)
		tls_on = true;
	if (is_within_call(m, th, ssl, sp))
		return NULL;
	th->kind = bpf_get_attach_cookie(ctx);
	th->ssl = ssl;
	th->buf = ARG2(ctx);
	th->done_at = ARG4(ctx);
	th->size = ARG3(ctx);
	th->sp = sp;
	th->sent = th->got = th->moved = 0;
	th->open = th->refused = th->matched = 0;
	th->nested = false;
	if (!th->n_fed)		/* else those were read before, outside of a call */
		th->unread_us = HTTP_UNKNOWN_US;
	th->begin_ns = th->kind == TLS_WRITE || th->kind == TLS_WRITE_EX ? bpf_ktime_get_boot_ns() : 0;
	return th;
}

SEC("?uprobe/tls_call")
int on_tls_call(struct pt_regs *ctx)
{
	struct moved m;

	call_begins(&m, ctx);
	OWN_STACK(ctx);
	return 0;
}

/* How many bytes of text a call that returned moved. */
static __always_inline u32 bytes_moved(const struct tls_thread *th, u32 kind, int ret)
{
	u64 n = 0;

	if (ret <= 0 || kind == TLS_HANDSHAKE)
		return 0;
	if (kind == TLS_READ || kind == TLS_WRITE)
		return ret;
	if (bpf_probe_read_user(&n, sizeof(n), (void *)th->done_at) || n >> 31)
		return 0;
	return n;
}

/* The session is there, with its socket if that can be told. Apart, for what it needs of the stack. */
__noinline int find_session(struct tls_thread *th, u32 n, u32 tx)
{
	struct tls_session *x;

	if (!th)
		return 0;
	x = session_of(th);
	if (!x || !n)
		return 0;
	find_socket(x, th, n, tx);
	return 1;
}

/* Nothing is to be found out of a session that is on the socket which the call used, if it used one. */
static __always_inline bool has_socket(const struct tls_session *x, const struct tls_thread *th)
{
	return x->socket && (!th->nested || x->socket == th->socket);
}

static __always_inline bool is_joined(const struct tls_thread *th)
{
	return th->joined_ssl == th->ssl && th->joined_socket == th->socket;
}

static __always_inline int call_returns(struct moved *m, struct tls_thread *th, struct pt_regs *ctx)
{
	struct http_socket *s;
	struct tls_session *x;
	struct tls_key key;
	u32 kind = th->kind, n;
	bool tx = kind == TLS_WRITE || kind == TLS_WRITE_EX;

	th->kind = TLS_NONE;
	if (kind == TLS_HANDSHAKE)
		note_caller(TLS_CALLS);
	th->moved = n = bytes_moved(th, kind, (int)RESULT(ctx));
	if (has_open_calls && !n && th->matched)
		note_followed(th);
	if (!n && (!th->nested || is_joined(th)))
		return 0;
	key = (struct tls_key){ .ssl = th->ssl, .tgid = bpf_get_current_pid_tgid() >> 32 };
	x = bpf_map_lookup_elem(&tls_sessions, &key);
	s = stream_of(x);
	if (!s || !has_socket(x, th)) {
		if (!find_session(th, n, tx))
			return 0;
		x = bpf_map_lookup_elem(&tls_sessions, &key);
		s = stream_of(x);
	}
	if (!s)
		return 0;
	th->joined_ssl = x->socket ? th->ssl : 0;
	th->joined_socket = x->socket;
	if (has_open_calls && n && tx)
		note_written(x, th, n);
	else if (has_open_calls && n)
		note_read(x, th, n);
	if (n)
		tls_moved(m, th, x, s, n, tx);
	return 0;
}

static __always_inline bool is_return(const struct tls_thread *th, struct pt_regs *ctx)
{
	return th && th->kind && !(has_open_calls && th->open) && th->sp + POPPED == STACK(ctx);
}

SEC("?uretprobe/tls_call")
int on_tls_return(struct pt_regs *ctx)
{
	struct tls_thread *th = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);
	struct moved m;

	if (is_return(th, ctx))
		call_returns(&m, th, ctx);
	OWN_STACK(ctx);
	return 0;
}

/* At an entry: 1 where the return does not count. Else at that return, too. */
SEC("?uprobe/tls_both")
int on_tls_both(struct pt_regs *ctx)
{
	struct tls_thread *th = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);
	struct next_call next = { .ssl = ARG1(ctx), .buf = ARG2(ctx), .sp = STACK(ctx), .size = ARG3(ctx) };
	struct moved m;

	if (is_return(th, ctx)) {
		call_returns(&m, th, ctx);
		return 0;
	}
	if (th)
		look_back(&m, th, &next);
	th = call_begins(&m, ctx);
	if (!th)
		return 1;
	bpf_tail_call(ctx, &no_session_programs, 0);
	return opens(th, &next);
}

static __always_inline int session_closes(u64 address)
{
	struct tls_key key = { .ssl = address, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *x = bpf_map_lookup_elem(&tls_sessions, &key);

	if (!x)
		return 0;
	tls_stream_closes(x->number);
	bpf_map_delete_elem(&tls_sessions, &key);
	return 0;
}

SEC("?uprobe/tls_free")
int on_tls_free(struct pt_regs *ctx)
{
	session_closes(ARG1(ctx));
	OWN_STACK(ctx);
	return 0;
}

#endif
