// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http.bpf.c: what calls on HTTP connections move: the beginning of each piece of
 * memory, and the length of all of it.
 *
 * From 6.3 on two tracepoints tell the socket and the length of each transfer,
 * also of sendfile() and io_uring (of which only lengths are told): calls on
 * files cost nothing, and those on sockets that are not HTTP one look into a map.
 * Before 6.3 the socket is found by its descriptor when the call returns.
 */
#include "bpf/kernel/connections_abi.bpf.h"
#include "bpf/kernel/tasks.bpf.h"
#include "bpf/protocols/wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile bool by_descriptor;	/* before 6.3 */
const volatile u32 generation;	/* of the entries of calls that are noted: bpf/collectors/sends.h */
u64 lost_ring;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, HTTP_RING_BYTES);
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, u64);
	__type(value, struct http_socket);
} sockets SEC(".maps");

/* include/net/tcp_states.h */
enum { TCP_ESTABLISHED = 1, TCP_FIN_WAIT1 = 4, TCP_CLOSE = 7, TCP_LAST_ACK = 9 };

#define TRIES 24		/* calls that begin with nothing of HTTP: then it is none */
#define MAX_PIECES 8		/* of one call; the rest is told as one length */
#define HEAD_ROOM 4096		/* bytes of a head that are captured */
#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000

/* ---- recognising: only the beginning; the reader looks closer ---- */

#define WORD(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

/* 1 yes, 0 too few bytes to tell, -1 no. */
static __always_inline int looks_like_http(u64 first, u32 n)
{
	if (n < 4)
		return 0;
	switch ((u32)first) {
	case WORD('H', 'T', 'T', 'P'):
		if (n < 7)
			return 0;
		return (first >> 32 & 0xffffff) == (u64)WORD('/', '1', '.', 0) ? 1 : -1;
	case WORD('G', 'E', 'T', ' '):
	case WORD('P', 'O', 'S', 'T'):
	case WORD('P', 'U', 'T', ' '):
	case WORD('H', 'E', 'A', 'D'):
	case WORD('D', 'E', 'L', 'E'):
	case WORD('O', 'P', 'T', 'I'):
	case WORD('P', 'A', 'T', 'C'):
	case WORD('C', 'O', 'N', 'N'):
	case WORD('T', 'R', 'A', 'C'):
	case WORD('P', 'R', 'O', 'P'):
	case WORD('M', 'K', 'C', 'O'):
	case WORD('C', 'O', 'P', 'Y'):
	case WORD('M', 'O', 'V', 'E'):
	case WORD('R', 'E', 'P', 'O'):
	case WORD('S', 'E', 'A', 'R'):
	case WORD('P', 'U', 'R', 'G'):
		return 1;
	}
	return -1;
}

/* ---- what a call moved ---- */

struct moved {
	u64 key;		/* of the socket, or of the TLS session */
	u64 socket;
	u64 base, iov;		/* where the bytes are, or a list of such; neither: unknown */
	u64 begin_ns, end_ns;
	u64 total;
	u32 n_iov, compat;
	u32 tx, v6;
	struct wire_ends ends;
};

/*
 * When the call that sends was entered, which may be long before it returns. The
 * first one of a thread is not known: from then on they are noted.
 */
static __always_inline u64 entered_ns(const struct moved *m)
{
	struct task_state *s = task_state(bpf_get_current_task_btf());

	if (!m->tx || !s || (!m->base && !m->iov))
		return m->end_ns;
	if (s->sends != generation) {
		s->sends = generation;
		s->send_ns = 0;
	}
	return s->send_ns ? s->send_ns : m->end_ns;
}

struct user_iovec { u64 base, len; };

static __always_inline bool get_iovec(struct user_iovec *v, u64 iov, u32 i, bool compat)
{
	u32 old[2];

	if (!compat)
		return !bpf_probe_read_user(v, sizeof(*v), (void *)(iov + i * sizeof(*v)));
	if (bpf_probe_read_user(old, sizeof(old), (void *)(iov + i * sizeof(old))))
		return false;
	v->base = old[0];
	v->len = old[1];
	return true;
}

/* include/linux/socket.h: struct user_msghdr */
static __always_inline void iovecs_of_msg(struct moved *m, u64 msg)
{
	u64 v[2] = {};
	u32 old[2] = {};

	if (!m->compat && !bpf_probe_read_user(v, sizeof(v), (void *)(msg + 16))) {
		m->iov = v[0];
		m->n_iov = v[1];
	} else if (m->compat && !bpf_probe_read_user(old, sizeof(old), (void *)(msg + 8))) {
		m->iov = old[0];
		m->n_iov = old[1];
	}
}

static __always_inline void find_bytes(struct moved *m, struct task_struct *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	struct call_args args = {};

	if (t->flags & (PF_KTHREAD | PF_IO_WORKER) || !get_args(&args, t, regs))
		return;
	m->compat = args.compat;
	switch (call_of(t, regs)) {
	case READ:
	case WRITE:
	case SENDTO:
	case RECVFROM:
		m->base = args.msg;
		break;
	case READV:
	case WRITEV:
		m->iov = args.msg;
		m->n_iov = args.flags3;
		break;
	case SENDMSG:
	case RECVMSG:
		iovecs_of_msg(m, args.msg);
		break;
	case SENDMMSG:		/* of several only the first one is where it is looked for */
	case RECVMMSG:
		break;
	default:
		break;
	}
}

static __always_inline void fill_record(struct http_record *r, const struct moved *m,
					struct http_socket *s, u64 base, u32 len, u32 flags)
{
	struct task_struct *t = bpf_get_current_task_btf();

	r->cookie = m->key;
	r->begin_ns = m->begin_ns;
	r->end_ns = m->end_ns;
	r->position = __sync_fetch_and_add(&s->position[m->tx & 1], len);
	r->start_ns = t->group_leader->start_boottime;
	r->socket = m->socket;
	r->tgid = t->tgid;
	r->tid = t->pid;
	r->len = len;
	r->n = 0;
	r->kind = m->tx ? HTTP_TX : HTTP_RX;
	r->flags = flags;
	r->n_before = 0;
	r->netns = m->ends.netns;
	r->lport = m->ends.lport;
	r->rport = m->ends.rport;
	__builtin_memcpy(r->local, m->ends.local, sizeof(r->local));
	__builtin_memcpy(r->remote, m->ends.remote, sizeof(r->remote));
}

/* As much of the piece as `cap`, a constant, has room for. */
#define TELL(cap) ({								\
	struct http_record *r_ = bpf_ringbuf_reserve(&records, sizeof(*r_) + (cap), 0);	\
	if (r_) {								\
		fill_record(r_, m, s, base, len, flags);			\
		u32 n_ = want;							\
		asm volatile("" : "+r"(n_));					\
		if (n_ > (cap))							\
			n_ = (cap);						\
		if (n_ && !bpf_probe_read_user(r_->data, n_, (void *)base))	\
			r_->n = n_;						\
		if (r_->n < len && len >= HTTP_TAIL && base &&			\
		    !bpf_probe_read_user(r_->tail, HTTP_TAIL, (void *)(base + len - HTTP_TAIL)))	\
			r_->flags |= HTTP_TAILED;				\
		if (before) {							\
			*(u64 *)r_->before = s->first[m->tx & 1];		\
			r_->n_before = before;					\
		}								\
	}									\
	r_; })

/* The reader sees by the position of the next one that a record is missing. */
static __always_inline void lose_record(struct http_socket *s, u32 dir, u32 len)
{
	__sync_fetch_and_add(&s->position[dir], len);
	__sync_fetch_and_add(&lost_ring, 1);
}

/* Part of a body: mostly its length counts. */
static __always_inline int tell_body(const struct moved *m, struct http_socket *s, u64 base, u32 len,
				     u32 flags)
{
	struct http_body *r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);

	if (!r) {
		lose_record(s, m->tx & 1, len);
		return 0;
	}
	r->cookie = m->key;
	r->end_ns = m->end_ns;
	r->position = __sync_fetch_and_add(&s->position[m->tx & 1], len);
	r->len = len;
	r->n = 0;
	r->kind = m->tx ? HTTP_TX : HTTP_RX;
	r->flags = flags & HTTP_BEGINS;
	if (base && !bpf_probe_read_user(r->data, HTTP_BODY_BYTES, (void *)base))
		r->n = HTTP_BODY_BYTES;
	if (base && !bpf_probe_read_user(r->tail, HTTP_TAIL, (void *)(base + len - HTTP_TAIL)))
		r->flags |= HTTP_TAILED;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* A global function, so that the verifier looks at it once. */
__noinline int tell_piece(const struct moved *m, u64 base, u32 len, u32 flags, u32 before)
{
	struct http_socket *s;
	struct http_record *r;
	u32 want = len, dir;
	u64 first = 0, key;

	if (!m)
		return 0;
	key = m->key;	/* 6.1 wants keys on the stack */
	s = bpf_map_lookup_elem(&sockets, &key);
	if (!s)
		return 0;
	dir = m->tx & 1;
	if (!base)
		want = 0;
	else if (len >= 8 && !bpf_probe_read_user(&first, sizeof(first), (void *)base) &&
		 looks_like_http(first, 8) > 0)
		s->room[dir] = HEAD_ROOM;
	if (before)
		s->room[dir] = HEAD_ROOM;
	if (len > HTTP_SMALL && !s->room[dir])
		return tell_body(m, s, base, len, flags);
	if (want > HTTP_SMALL && want > s->room[dir])
		want = s->room[dir];
	if (want > HTTP_LARGE)
		want = HTTP_LARGE;
	s->room[dir] -= s->room[dir] > want ? want : s->room[dir];
	/* sizes of records are constants: in steps, so that little of the ring is wasted */
	if (want <= HTTP_SMALL)
		r = TELL(HTTP_SMALL);
	else if (want <= 256)
		r = TELL(256);
	else if (want <= 512)
		r = TELL(512);
	else if (want <= 1024)
		r = TELL(1024);
	else if (want <= 2048)
		r = TELL(2048);
	else
		r = TELL(HTTP_LARGE);
	if (!r) {
		lose_record(s, dir, len);
		return 0;
	}
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline void tell_all(const struct moved *m, u32 flags, u32 before)
{
	u64 left = m->total;
	u32 i;

	if (!m->iov) {
		tell_piece(m, m->base, left, flags, before);
		return;
	}
	for (i = 0; i < MAX_PIECES && i < m->n_iov && left; i++) {
		struct user_iovec v = {};
		u64 len;

		if (!get_iovec(&v, m->iov, i, m->compat))
			break;
		len = v.len < left ? v.len : left;
		if (!len)
			continue;
		tell_piece(m, v.base, len, flags, before);
		flags &= ~HTTP_BEGINS;
		before = 0;
		left -= len;
	}
	if (left)
		tell_piece(m, 0, left, flags, 0);
}

/* ---- is it HTTP? ---- */

static __always_inline u64 where_first(const struct moved *m)
{
	struct user_iovec v = {};

	for (u32 i = 0; m->iov && i < 4 && i < m->n_iov; i++) {
		if (!get_iovec(&v, m->iov, i, m->compat))
			return 0;
		if (v.len)
			return v.base;
	}
	return m->base;
}

/* 1 to 8 bytes. What bounds n must be seen by the verifier of 6.1, and left in by clang 14. */
static __always_inline bool read_first(u64 *word, u64 addr, u32 n)
{
	if (n >= 8)
		return !bpf_probe_read_user(word, 8, (void *)addr);
	asm volatile("%0 &= 7" : "+r"(n));
	return !bpf_probe_read_user(word, n, (void *)addr);
}

/* Looks at the first bytes. How many came in calls before, or -1: not known to be HTTP. */
static __always_inline int classify(const struct moved *m, struct http_socket *s)
{
	u32 dir = m->tx & 1, had = s->n_first[dir], n = m->total < 8 ? m->total : 8;
	u64 word = 0, addr = where_first(m);
	int looks;

	if (had >= 8)
		had = 0;
	if (!addr || !n || !read_first(&word, addr, n))
		return -1;
	/* what came before it, as far as it could still become something */
	looks = looks_like_http(had ? s->first[dir] | word << 8 * had : word, had + n > 8 ? 8 : had + n);
	if (looks > 0) {
		s->class = HTTP_YES;
		return had;
	}
	if (!looks) {
		s->first[dir] = had ? s->first[dir] | word << 8 * had : word;
		s->n_first[dir] = had + n;
		return -1;
	}
	s->n_first[dir] = 0;
	if (++s->tries >= TRIES)
		s->class = HTTP_NO;
	return -1;
}

static __always_inline struct http_socket *socket_new(u64 key)
{
	struct http_socket zero = {};

	bpf_map_update_elem(&sockets, &key, &zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(&sockets, &key);
}

static __always_inline int end_of_stream(u64 key, u8 kind)
{
	struct http_record *r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);

	if (!r) {
		__sync_fetch_and_add(&lost_ring, 1);
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->cookie = key;
	r->begin_ns = r->end_ns = bpf_ktime_get_boot_ns();
	r->kind = kind;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* ret bytes were moved on a TCP socket; traced: the verifier knows sk. */
static __always_inline int moved(struct sock *sk, u64 key, struct http_socket *s, s64 ret, bool tx,
				 bool traced)
{
	struct moved m = { .key = key, .socket = key, .total = ret, .tx = tx };
	int before = 0;

	find_bytes(&m, bpf_get_current_task_btf());
	if (s->class == HTTP_UNKNOWN) {
		before = classify(&m, s);
		if (before < 0)
			return 0;
	}
	m.end_ns = bpf_ktime_get_boot_ns();
	m.begin_ns = entered_ns(&m);
	m.v6 = traced ? fill_ends(&m.ends, sk) : read_ends(&m.ends, sk);
	tell_all(&m, HTTP_BEGINS | HTTP_HAS_ENDS | (m.v6 ? HTTP_V6 : 0), before & 7);
	return 0;
}

static __always_inline int transfer(struct sock *sk, int ret, int flags, bool tx)
{
	struct http_socket *s;
	u64 key;

	if (sk->sk_protocol != IPPROTO_TCP || ret < 0 || (ret == 0 && tx))
		return 0;
	key = bpf_get_socket_cookie(sk);
	s = bpf_map_lookup_elem(&sockets, &key);
	if (s && s->class == HTTP_NO)
		return 0;
	if (!tx && flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	if (!ret)
		return s && s->class == HTTP_YES ? end_of_stream(key, HTTP_RX_END) : 0;
	if (!is_inet(sk))
		return 0;
	if (!s)
		s = socket_new(key);
	return s ? moved(sk, key, s, ret, tx, true) : 0;
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

/* ---- before 6.3: by the descriptor, when the call returns ---- */

enum { NO_CALL, RECEIVES, SENDS, SENDS_FILE, SPLICES };

static __always_inline int kind_of(struct task_struct *t, struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	u32 nr = regs->orig_ax, sendfile = 40, splice = 275;
#elif defined(__TARGET_ARCH_arm64)
	u32 nr = regs->syscallno, sendfile = 71, splice = 76;
#endif
	switch (call_of(t, regs)) {
	case READ:
	case READV:
	case RECVFROM:
	case RECVMSG:
		return RECEIVES;
	case WRITE:
	case WRITEV:
	case SENDTO:
	case SENDMSG:
		return SENDS;
	default:
		return is_compat(t) ? NO_CALL : nr == sendfile ? SENDS_FILE : nr == splice ? SPLICES : NO_CALL;
	}
}

/* Only looked at: it will be received again. */
static __always_inline bool is_look(struct task_struct *t, struct pt_regs *regs, const struct call_args *args)
{
	enum call call = call_of(t, regs);
	u64 flags = call == RECVMSG ? args->flags3 : call == RECVFROM ? args->flags4 : 0;

	return flags & (MSG_PEEK | MSG_ERRQUEUE);
}

/*
 * A socket has a number (cookie) from on_state, which sees it being connected: those
 * that were open before have none, and are not seen.
 */
static __always_inline int returned(struct task_struct *t, struct pt_regs *regs, long ret)
{
	int kind = kind_of(t, regs);
	struct call_args args = {};
	struct http_socket *s;
	struct sock *sk;
	u64 ino = 0, key;
	bool tx = kind != RECEIVES;

	if (kind == NO_CALL || ret < 0 || (!ret && tx) || !get_args(&args, t, regs))
		return 0;
	sk = socket_of(t, kind == SPLICES ? args.flags3 : args.fd, &ino);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	s = key ? bpf_map_lookup_elem(&sockets, &key) : NULL;
	if (!key || (s && s->class == HTTP_NO) || (!tx && is_look(t, regs, &args)))
		return 0;
	if (!ret)
		return s && s->class == HTTP_YES ? end_of_stream(key, HTTP_RX_END) : 0;
	if (!s)
		s = socket_new(key);
	return s ? moved(sk, key, s, ret, tx, false) : 0;
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long ret)
{
	return returned(bpf_get_current_task_btf(), regs, ret);
}

/* ---- the end ---- */

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int oldstate, int newstate)
{
	struct http_socket *s;
	u64 key;

	if (by_descriptor && newstate == TCP_ESTABLISHED)
		bpf_get_socket_cookie(sk);
	if (newstate != TCP_FIN_WAIT1 && newstate != TCP_LAST_ACK && newstate != TCP_CLOSE)
		return 0;
	key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	s = key ? bpf_map_lookup_elem(&sockets, &key) : NULL;
	if (!s)
		return 0;
	if (s->class == HTTP_YES)
		end_of_stream(key, newstate == TCP_CLOSE ? HTTP_CLOSED : HTTP_TX_END);
	if (newstate == TCP_CLOSE)
		bpf_map_delete_elem(&sockets, &key);
	return 0;
}
