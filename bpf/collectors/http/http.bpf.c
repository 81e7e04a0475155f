// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * http.bpf.c: what calls on HTTP connections move: the beginning of each piece of
 * memory, and the length of all of it; of HTTP/2 the frames, but for their data.
 *
 * From 6.3 on two tracepoints tell the socket and the length of each transfer,
 * also of sendfile() and io_uring (of which only lengths are told): calls on
 * files cost nothing, and those on sockets that are not HTTP one look into a map.
 * Before 6.3 the socket is found by its descriptor when the call returns.
 */
#include "bpf/kernel/connections_abi.bpf.h"
#include "bpf/kernel/tasks.bpf.h"
#include "bpf/protocols/http2_frame.h"
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
#define MAX_PIECES_2 256	/* of HTTP/2, where each may be part of a head */
#define MAX_FRAMES 256		/* in one piece */
#define SMALL_DATA 64		/* bytes of data that are not worth a record of their own */
#define SWITCH_MAX 512		/* bytes of an answer 101 that are looked at */
#define HEAD_ROOM 4096		/* bytes of a head that are captured */
/* Beside the flags of records, and how many bytes came before (from bit 8 on): */
#define IS_PREFACE (1 << 11)	/* the connection begins */
#define IS_HTTP2 (1 << 12)
#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000

/* ---- recognising: only the beginning; the reader looks closer ---- */

#define WORD(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

/* 2 the preface of HTTP/2, 1 yes, 0 too few bytes to tell, -1 no. */
static __always_inline int looks_like_http(u64 first, u32 n)
{
	if (n < 4)
		return 0;
	switch ((u32)first) {
	case WORD('P', 'R', 'I', ' '):
		return 2;
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

#include "bpf/collectors/http/http_thread.bpf.h"

/* ---- what a call moved ---- */

struct moved {
	u64 key;		/* of the socket, or of the TLS session */
	u64 socket;
	u64 base, iov;		/* where the bytes are, or a list of such; neither: unknown */
	u64 begin_ns, end_ns;
	u64 total;
	u32 n_iov, compat;
	u32 unread_us, pad;
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

__noinline int find_bytes(struct moved *m)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(t);
	struct call_args args = {};

	if (!m || t->flags & (PF_KTHREAD | PF_IO_WORKER) || !get_args(&args, t, regs))
		return 0;
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
	return 0;
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
	r->unread_us = m->unread_us;
	r->off_ns = r->runq_ns = 0;
	if (thread_until_now(&r->off_ns, &r->runq_ns))
		r->flags |= HTTP_THREAD;
	__builtin_memcpy(r->local, m->ends.local, sizeof(r->local));
	__builtin_memcpy(r->remote, m->ends.remote, sizeof(r->remote));
}

/* As much of the piece as `cap`, a constant, has room for. */
#define TELL(cap) ({								\
	struct http_record *r_ = bpf_ringbuf_reserve(&records, sizeof(*r_) + (cap), 0);	\
	if (r_) {								\
		fill_record(r_, m, s, base, len, flags & 0xff);			\
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
	r->tid = bpf_get_current_pid_tgid();
	r->off_ns = r->runq_ns = 0;
	if (thread_until_now(&r->off_ns, &r->runq_ns))
		r->flags |= HTTP_THREAD;
	if (base && !bpf_probe_read_user(r->data, HTTP_BODY_BYTES, (void *)base))
		r->n = HTTP_BODY_BYTES;
	if (base && !bpf_probe_read_user(r->tail, HTTP_TAIL, (void *)(base + len - HTTP_TAIL)))
		r->flags |= HTTP_TAILED;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* Of len bytes the first `want`; flags: those of the record, and from bit 8 on how many came before. */
__noinline int tell_record(const struct moved *m, u64 base, u32 len, u32 flags, u32 want)
{
	struct http_socket *s;
	struct http_record *r;
	u32 before = flags >> 8 & 7;
	u64 key;

	if (!m)
		return 0;
	key = m->key;	/* 6.1 wants keys on the stack */
	s = bpf_map_lookup_elem(&sockets, &key);
	if (!s)
		return 0;
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
		lose_record(s, m->tx & 1, len);
		return 0;
	}
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/* "HTTP/1.1 101" */
static __always_inline bool is_switch(u64 first, u64 base, u32 len)
{
	u32 status = 0;

	return len >= 12 && (u32)first == WORD('H', 'T', 'T', 'P') &&
	       !bpf_probe_read_user(&status, sizeof(status), (void *)(base + 8)) && status == WORD(' ', '1', '0', '1');
}

struct head_search { u64 base; u32 word, h2c; };

/* Byte i of a head. 1: go on. A global function, so that the loop around it costs the verifier nothing. */
__noinline int switch_step(struct head_search *w, u32 i)
{
	u8 c;

	if (!w || bpf_probe_read_user(&c, 1, (void *)(w->base + i)))
		return 0;
	w->word = w->word >> 8 | (u32)c << 24;
	w->h2c |= w->word == WORD('h', '2', 'c', '\r');
	return w->word != WORD('\r', '\n', '\r', '\n');
}

/* How long the head is that says that HTTP/2 comes next (RFC 7540, 3.2); 0: it is none. */
__noinline int switch_head(u64 base, u32 len)
{
	struct head_search w = { .base = base };
	u32 i;

	for (i = 0; i < SWITCH_MAX && i < len; i++)
		if (!switch_step(&w, i))
			return w.h2c && w.word == WORD('\r', '\n', '\r', '\n') ? i + 1 : 0;
	return 0;
}

/* Frames come after the head there, and the preface from the other end. */
static __always_inline bool becomes_http2(struct http_socket *s, u32 dir, u64 first, u64 base, u32 len)
{
	u32 n = is_switch(first, base, len) ? switch_head(base, len) : 0;

	if (!n)
		return false;
	s->class = HTTP_2;
	s->frames[dir & 1] = (struct http_frames){ .left = n, .known = 1 };
	s->frames[!dir] = (struct http_frames){ .left = H2_PREFACE_BYTES, .known = 1 };
	return true;
}

/* 1: it is to be told as HTTP/2. A global function, so that the verifier looks at it once. */
__noinline int tell_piece(const struct moved *m, u64 base, u32 len, u32 flags, u32 before)
{
	struct http_socket *s;
	u32 want = len, dir;
	u64 first = 0, key;

	if (!m)
		return 0;
	key = m->key;
	s = bpf_map_lookup_elem(&sockets, &key);
	if (!s)
		return 0;
	dir = m->tx & 1;
	if (s->class == HTTP_2)
		return 1;
	if (!base) {
		want = 0;
	} else if (len >= 8 && !bpf_probe_read_user(&first, sizeof(first), (void *)base) &&
		   looks_like_http(first, 8) > 0) {
		s->room[dir] = HEAD_ROOM;
		if (becomes_http2(s, dir, first, base, len))
			return 1;
	}
	if (before)
		s->room[dir] = HEAD_ROOM;
	if (len > HTTP_SMALL && !s->room[dir]) {
		tell_body(m, s, base, len, flags);
		return 0;
	}
	if (want > HTTP_SMALL && want > s->room[dir])
		want = s->room[dir];
	if (want > HTTP_LARGE)
		want = HTTP_LARGE;
	s->room[dir] -= s->room[dir] > want ? want : s->room[dir];
	tell_record(m, base, len, flags | before << 8, want);
	return 0;
}

/* ---- HTTP/2: what is in frames but data ---- */

struct walk {
	u64 base;
	u32 len;		/* of the piece */
	u32 at, from;		/* bytes before `from` are told, those up to `at` are looked at */
	u32 captured, told;	/* of the next record: bytes of it that are wanted; where it ends */
	u32 flags, begins;	/* of the next record */
	struct http_frames f;
};

/* The next byte of a head that calls have cut. True: the head is whole. */
static __always_inline bool walk_cut_head(struct walk *w, u8 *head)
{
	u8 c = 0;

	bpf_probe_read_user(&c, 1, (void *)(w->base + w->at));
	w->at++;
	if (w->f.n_head < H2_HEAD - 1) {
		w->f.head |= (u64)c << 8 * (w->f.n_head & 7);
		w->f.n_head++;
		return false;
	}
	__builtin_memcpy(head, &w->f.head, H2_HEAD - 1);
	head[H2_HEAD - 1] = c;
	return true;
}

static __always_inline bool walk_head(struct walk *w)
{
	u8 head[16] = {};
	struct h2_head h;

	if (!w->f.n_head && w->len - w->at >= H2_HEAD) {
		if (bpf_probe_read_user(head, H2_HEAD, (void *)(w->base + w->at)))
			return false;
		w->at += H2_HEAD;
	} else if (!walk_cut_head(w, head)) {
		return true;
	}
	w->f.n_head = 0;
	w->f.head = 0;
	h2_parse(&h, head);
	w->f.left = h.length;
	w->f.skip = !h2_is_block(h.type) || h.length > H2_FRAME_MAX;
	return h2_plausible(&h);
}

/* From here on nothing is known: the rest has no bytes. */
static __always_inline int walk_ends(struct walk *w)
{
	w->f.known = 0;
	w->captured = w->at - w->from;
	w->told = w->at = w->len;
	return 1;
}

/* One frame, or part of it. 1: the bytes from `from` to `told` are to be told. */
static __always_inline int walk_frame(struct walk *w)
{
	u32 n;

	if (!w->f.left && w->at - w->from > HTTP_LARGE - H2_HEAD) {
		w->captured = w->at - w->from;
		w->told = w->at;
		return 1;
	}
	if (!w->f.left && (!w->base || !walk_head(w)))
		return walk_ends(w);
	n = w->len - w->at;
	if (n > w->f.left)
		n = w->f.left;
	w->captured = w->at - w->from;
	if (w->f.skip && n > SMALL_DATA) {
		w->f.left -= n;
		w->told = w->at += n;
		return 1;
	}
	if (n > HTTP_LARGE - w->captured)
		n = HTTP_LARGE - w->captured;
	w->f.left -= n;
	w->at += n;
	w->captured += n;
	w->told = w->at;
	return w->captured == HTTP_LARGE;
}

#define frame_begins(f) (!(f)->left && !(f)->n_head && (f)->known ? HTTP_BEGINS : 0)

static __always_inline void tell_walked(const struct moved *m, struct walk *w)
{
	u64 key = m->key;
	struct http_socket *s = bpf_map_lookup_elem(&sockets, &key);

	if (s && !w->captured && !w->begins)
		tell_body(m, s, 0, w->told - w->from, 0);
	else
		tell_record(m, w->base ? w->base + w->from : 0, w->told - w->from, w->flags | w->begins, w->captured);
	w->from = w->told;
	w->flags &= 0xff;
	w->begins = frame_begins(&w->f);
}

/* 0: the end of the piece. A global function, so that the loop around it costs the verifier nothing. */
__noinline int walk_on(const struct moved *m, struct walk *w)
{
	if (!m || !w)
		return 0;
	if (w->at < w->len && walk_frame(w))
		tell_walked(m, w);
	return w->at < w->len;
}

__noinline int walk_rest(const struct moved *m, struct walk *w)
{
	if (!m || !w)
		return 0;
	if (w->at < w->len)
		walk_ends(w);
	if (w->from < w->len)
		tell_walked(m, w);
	return 0;
}

/* Does a frame begin here, in a direction of which nothing is known? */
static __always_inline bool joins(u64 base, u32 len)
{
	u8 first[16] = {};

	if (!base || len < H2_HEAD || bpf_probe_read_user(first, H2_HEAD, (void *)base))
		return false;
	return h2_looks_like(first, H2_HEAD) != H2_NOTHING;
}

__noinline int tell_frames(const struct moved *m, u64 base, u32 len, u32 flags)
{
	struct walk w = { .base = base, .len = len, .flags = flags & ~HTTP_BEGINS };
	struct http_socket *s;
	u32 i, dir;
	u64 key;

	if (!m)
		return 0;
	key = m->key;
	s = bpf_map_lookup_elem(&sockets, &key);
	if (!s)
		return 0;
	dir = m->tx & 1;
	w.f = s->frames[dir];
	if (!w.f.known && flags & HTTP_BEGINS && joins(base, len))
		w.f = (struct http_frames){ .known = 1 };
	w.begins = flags & IS_PREFACE ? HTTP_BEGINS : frame_begins(&w.f);
	for (i = 0; i < MAX_FRAMES && w.f.known; i++)
		if (!walk_on(m, &w))
			break;
	walk_rest(m, &w);
	s->frames[dir] = w.f;
	return 0;
}

/* ---- all pieces of a call ---- */

static __always_inline int tell_at(const struct moved *m, u64 base, u32 len, u32 flags)
{
	if (flags & IS_HTTP2 || tell_piece(m, base, len, flags & 0xff, flags >> 8 & 7))
		return tell_frames(m, base, len, flags & ~IS_HTTP2);
	return 0;
}

struct rest { u32 left, flags; };	/* bytes of a call that are not told yet */

/* Piece i. 0: that was the last one. A global function, so that the loop around it costs the verifier nothing. */
__noinline int tell_iovec(const struct moved *m, u32 i, struct rest *r)
{
	struct user_iovec v = {};

	if (!m || !r || !get_iovec(&v, m->iov, i, m->compat))
		return 0;
	if (v.len > r->left)
		v.len = r->left;
	if (v.len) {
		tell_at(m, v.base, v.len, r->flags);
		r->flags &= IS_HTTP2 | (0xff & ~HTTP_BEGINS);
		r->left -= v.len;
	}
	return r->left != 0;
}

__noinline int tell_all(const struct moved *m, u32 flags)
{
	struct rest r = { .flags = flags };
	u32 n, i;

	if (!m)
		return 0;
	if (!m->iov)
		return tell_at(m, m->base, m->total, flags);
	r.left = m->total;
	n = flags & IS_HTTP2 || m->n_iov < MAX_PIECES ? m->n_iov : MAX_PIECES;
	for (i = 0; i < MAX_PIECES_2 && i < n && r.left; i++)
		if (!tell_iovec(m, i, &r))
			break;
	return r.left ? tell_at(m, 0, r.left, r.flags) : 0;
}

/* ---- TLS on sockets ---- */

static __always_inline bool looks_like_tls(u64 word, u32 n)
{
	u8 type = word, major = word >> 8, minor = word >> 16;

	return n >= 3 && type >= 20 && type <= 23 && major == 3 && minor <= 4;
}

/* Processes that have begun to speak TLS on a socket, outside of a call that is known. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HTTP_TLS_SPEAKERS);
	__type(key, u32);
	__type(value, u64);	/* start of the process */
} tls_speakers SEC(".maps");

static __always_inline void note_speaker(void)
{
	struct task_struct *t = bpf_get_current_task_btf();
	u64 start_ns = t->group_leader->start_boottime;
	u32 tgid = t->tgid;

	if (!(t->flags & (PF_KTHREAD | PF_IO_WORKER)))
		bpf_map_update_elem(&tls_speakers, &tgid, &start_ns, BPF_ANY);
}

/* ---- is it HTTP? ---- */

/* Also how many bytes are there. */
static __always_inline u64 where_first(const struct moved *m, u64 *ret_len)
{
	struct user_iovec v = {};

	*ret_len = m->total;
	for (u32 i = 0; m->iov && i < 4 && i < m->n_iov; i++) {
		if (!get_iovec(&v, m->iov, i, m->compat))
			return 0;
		if (v.len) {
			*ret_len = v.len < m->total ? v.len : m->total;
			return v.base;
		}
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

/* left bytes at addr. Returns how the frame looks, and how long it is if another one may follow. */
static __always_inline enum h2_looks looks_like_frame(u64 addr, u64 left, u32 *ret_hop)
{
	u32 n = left < 16 ? left : 16;
	u8 first[16] = {};

	if (n >= 16) {
		if (bpf_probe_read_user(first, 16, (void *)addr))
			return H2_NOTHING;
	} else {
		asm volatile("%0 &= 15" : "+r"(n));
		if (bpf_probe_read_user(first, n, (void *)addr))
			return H2_NOTHING;
	}
	*ret_hop = h2_hop(first);
	return h2_looks_like(first, n);
}

/* Is it a connection of HTTP/2 that was open before? A function, so that the verifier looks at it once. */
__noinline int looks_like_http2(u64 addr, u64 left)
{
	enum h2_looks looks = H2_NOTHING;
	u32 hop = 0, i;

	for (i = 0; i <= H2_HOPS; i++) {
		looks = looks_like_frame(addr, left, &hop);
		if (looks != H2_FRAME || !hop || hop >= left)
			break;
		addr += hop;
		left -= hop;
	}
	return looks;
}

/* Looks at the first bytes. How many came in calls before, or -1: not known to be HTTP. */
__noinline int classify(const struct moved *m)
{
	u64 word = 0, len, addr, key;
	struct http_socket *s;
	enum h2_looks frame;
	u32 dir, had, n;
	int looks;

	if (!m)
		return -1;
	key = m->key;
	s = bpf_map_lookup_elem(&sockets, &key);
	if (!s)
		return -1;
	addr = where_first(m, &len);
	dir = m->tx & 1;
	had = s->n_first[dir];
	n = len < 8 ? len : 8;
	if (had >= 8)
		had = 0;
	if (!addr || !n || !read_first(&word, addr, n))
		return -1;
	/* what came before it, as far as it could still become something */
	looks = looks_like_http(had ? s->first[dir] | word << 8 * had : word, had + n > 8 ? 8 : had + n);
	if (looks > 0) {
		s->class = looks == 2 ? HTTP_2 : HTTP_YES;
		if (looks == 2)
			s->frames[dir] = (struct http_frames){ .left = H2_PREFACE_BYTES - had, .known = 1 };
		return had;
	}
	if (!looks && n == m->total) {
		s->first[dir] = had ? s->first[dir] | word << 8 * had : word;
		s->n_first[dir] = had + n;
		return -1;
	}
	s->n_first[dir] = 0;
	if (!had && looks_like_tls(word, n)) {
		s->class = HTTP_IN_TLS;
		s->first[0] = 0;
		note_speaker();
		return -1;
	}
	if (!looks)
		return -1;	/* the first of several pieces is too short to tell */
	frame = had || word & 0xff ? H2_NOTHING : looks_like_http2(addr, len);
	if (frame == H2_REQUEST || frame == H2_ANSWER) {
		s->class = HTTP_2;
		return 0;
	}
	if (frame == H2_NOTHING && ++s->tries >= TRIES)
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

static __always_inline bool is_followed(const struct http_socket *s)
{
	return s->class == HTTP_YES || s->class == HTTP_2;
}

/* All is known of what was moved, but whether it is HTTP. */
static __always_inline int tell_moved(const struct moved *m, struct http_socket *s, u32 flags)
{
	int before = 0;

	flags |= HTTP_BEGINS | HTTP_HAS_ENDS | (m->v6 ? HTTP_V6 : 0);
	if (s->class == HTTP_UNKNOWN) {
		before = classify(m);
		if (before < 0)
			return 0;
		if (s->class == HTTP_2 && s->frames[m->tx & 1].left)
			flags |= IS_PREFACE;
	}
	return tell_all(m, flags | (before & 7) << 8 | (s->class == HTTP_2 ? IS_HTTP2 : 0));
}

/* ret bytes were moved on a TCP socket; traced: the verifier knows sk. */
static __always_inline int moved(struct moved *m, struct sock *sk, u64 key, struct http_socket *s, s64 ret,
				 bool tx, bool traced)
{
	*m = (struct moved){ .key = key, .socket = key, .total = ret, .tx = tx };
	find_bytes(m);
	m->end_ns = bpf_ktime_get_boot_ns();
	m->begin_ns = entered_ns(m);
	m->unread_us = tx ? HTTP_UNKNOWN_US : unread_us(sk);
	m->v6 = traced ? fill_ends(&m->ends, sk) : read_ends(&m->ends, sk);
	return tell_moved(m, s, 0);
}

#include "bpf/collectors/http/http_tls.bpf.h"
#include "bpf/collectors/http/http_go.bpf.h"

/* A socket that has more to say than that it is none of HTTP; a call that received nothing: the end. */
static __always_inline int on_socket(struct moved *m, struct sock *sk, u64 key, struct http_socket *s,
				     s64 ret, bool tx, bool traced)
{
	if (s && s->class == HTTP_IN_TLS) {
		go_joins(sk, key, s, traced);
		return on_tls_socket(m, sk, key, s, ret, tx, traced);
	}
	if (!ret)
		return s && is_followed(s) ? end_of_stream(key, HTTP_RX_END) : 0;
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

static __always_inline int transfer(struct sock *sk, int ret, int flags, bool tx)
{
	struct http_socket *s;
	struct moved m;
	u64 key;

	if (is_nothing(sk->sk_protocol, ret, flags, tx))
		return 0;
	key = bpf_get_socket_cookie(sk);
	if (tls_on && in_tls_call(sk, key, ret, tx, true))
		return 0;
	s = bpf_map_lookup_elem(&sockets, &key);
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

/* ---- where programs are preempted, or the verifier does not know the socket ---- */

/* Not on the stack, of which 6.1 counts more. Programs that use it run with preemption off. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct moved);
} moved_now SEC(".maps");

/* Sockets without a number (cookie) are not followed: only some programs may give one. */
static __always_inline int transfer_untraced(struct sock *sk, s64 ret, bool tx)
{
	u64 key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	struct http_socket *s;
	struct moved *m;
	u32 zero = 0;

	if (!key || (tls_on && in_tls_call(sk, key, ret, tx, false)))
		return 0;
	s = bpf_map_lookup_elem(&sockets, &key);
	if (s && s->class == HTTP_NO)
		return 0;
	m = bpf_map_lookup_elem(&moved_now, &zero);
	return m ? on_socket(m, sk, key, s, ret, tx, false) : 0;
}

/*
 * The same tracepoints as classic ones (probes_preemptible()). Those may not give a socket its
 * number: that do programs beside them, which may be missed, and then are not the next time.
 */
static __always_inline int transfer_told(struct trace_event_raw_sock_msg_length *ctx, bool tx)
{
	if (is_nothing(ctx->protocol, ctx->ret, ctx->flags, tx) ||
	    (ctx->family != AF_INET && ctx->family != AF_INET6))
		return 0;
	return transfer_untraced(ctx->sk, ctx->ret, tx);
}

SEC("?tp/sock/sock_send_length")
int on_send_tp(struct trace_event_raw_sock_msg_length *ctx)
{
	return transfer_told(ctx, true);
}

SEC("?tp/sock/sock_recv_length")
int on_receive_tp(struct trace_event_raw_sock_msg_length *ctx)
{
	return transfer_told(ctx, false);
}

static __always_inline int give_number(struct sock *sk)
{
	if (sk->sk_protocol == IPPROTO_TCP)
		bpf_get_socket_cookie(sk);
	return 0;
}

SEC("?tp_btf/sock_send_length")
int BPF_PROG(number_on_send, struct sock *sk)
{
	return give_number(sk);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(number_on_receive, struct sock *sk)
{
	return give_number(sk);
}

SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(number_on_state, struct sock *sk, int oldstate, int newstate)
{
	return newstate == TCP_ESTABLISHED ? give_number(sk) : 0;
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
	struct sock *sk;
	u64 ino = 0;
	bool tx = kind != RECEIVES;

	if (kind == NO_CALL || ret < 0 || (!ret && tx) || !get_args(&args, t, regs))
		return 0;
	sk = socket_of(t, kind == SPLICES ? args.flags3 : args.fd, &ino);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	return !tx && is_look(t, regs, &args) ? 0 : transfer_untraced(sk, ret, tx);
}

SEC("?tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long ret)
{
	return returned(bpf_get_current_task_btf(), regs, ret);
}

/* ---- the end ---- */

static __always_inline int state_is(const struct sock *sk, int newstate)
{
	struct http_socket *s;
	u64 key;

	if (newstate != TCP_FIN_WAIT1 && newstate != TCP_LAST_ACK && newstate != TCP_CLOSE)
		return 0;
	key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	s = key ? bpf_map_lookup_elem(&sockets, &key) : NULL;
	if (!s)
		return 0;
	if (is_followed(s))
		end_of_stream(key, newstate == TCP_CLOSE ? HTTP_CLOSED : HTTP_TX_END);
	else if (s->class == HTTP_IN_TLS && s->first[0])
		tls_socket_ends(s->first[0], newstate == TCP_CLOSE);
	if (newstate == TCP_CLOSE)
		bpf_map_delete_elem(&sockets, &key);
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
