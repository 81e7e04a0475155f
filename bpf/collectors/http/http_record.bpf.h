/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_record.bpf.h: writes ring records, one for each buffer that was moved. */
#pragma once

#define fill_thread(r, m) ({			\
	(r)->off_ns = (m)->off_ns;		\
	(r)->runq_ns = (m)->runq_ns;		\
	if ((m)->has_thread)			\
		(r)->flags |= HTTP_THREAD;	\
})

/* Everything except the bytes. */
static __always_inline void fill_record(struct http_record *r, const struct moved *m, struct http_socket *s,
					u32 len, u32 flags)
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
	r->kind = m->tx ? HTTP_TX : HTTP_RX;
	r->flags = flags;
	r->n_before = 0;
	r->netns = m->ends.netns;
	r->lport = m->ends.lport;
	r->rport = m->ends.rport;
	r->unread_us = m->unread_us;
	fill_thread(r, m);
	__builtin_memcpy(r->local, m->ends.local, sizeof(r->local));
	__builtin_memcpy(r->remote, m->ends.remote, sizeof(r->remote));
}

#define RESERVE(room) (cap = (room), bpf_ringbuf_reserve(&records, sizeof(struct http_record) + (room), 0))

/* The verifier wants constant sizes: steps, so that little of the ring is wasted. */
static __always_inline struct http_record *reserve(u32 want, u32 *ret_cap)
{
	struct http_record *r;
	u32 cap;

	r = want <= HTTP_SMALL ? RESERVE(HTTP_SMALL) : want <= 256 ? RESERVE(256) : want <= 512 ? RESERVE(512) :
	    want <= 1024 ? RESERVE(1024) : want <= 2048 ? RESERVE(2048) : RESERVE(HTTP_LARGE);
	*ret_cap = cap;
	return r;
}

/* Copies up to n bytes; returns how many. cap: the record's room, a constant for the verifier. */
static __always_inline u32 take_bytes(struct http_record *r, u32 cap, u64 base, u32 n)
{
	asm volatile("" : "+r"(n));
	if (n > cap)
		n = cap;
	r->n = n && !bpf_probe_read_user(r->data, n, (void *)base) ? n : 0;
	return r->n;
}

static __always_inline void take_tail(struct http_record *r, u64 base, u32 len)
{
	if (base && len >= HTTP_TAIL && !bpf_probe_read_user(r->tail, HTTP_TAIL, (void *)(base + len - HTTP_TAIL)))
		r->flags |= HTTP_TAILED;
}

/* The reader detects the gap by the position of the next record. */
static __always_inline void lose_record(struct http_socket *s, u32 dir, u32 len)
{
	__sync_fetch_and_add(&s->position[dir], len);
	__sync_fetch_and_add(&lost_ring, 1);
}

/* Counts a request that begins in a lost record: the reader cannot. */
static __always_inline void lose_request(const struct http_socket *s, u32 dir, u64 base, u32 len)
{
	u64 first = 0;

	if (s->class == HTTP_YES && base && len >= 8 && read_first(&first, base, 8) && looks_like_http(first, 8) == 1 &&
	    !is_answer(first))
		__sync_fetch_and_add(&lost_requests[dir], 1);
}

/* Which direction sends requests, from the first bytes of an HTTP/1 message. */
static __always_inline void note_who_asks(struct http_socket *s, u32 dir, u64 first)
{
	s->asks = 1 + (is_answer(first) ? !dir : dir);
}

/* Part of a body: its length, and the first and last bytes, by which the reader finds chunk boundaries. */
static __always_inline int emit_body(const struct moved *m, struct http_socket *s, u64 base, u32 len,
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
	fill_thread(r, m);
	if (base && !bpf_probe_read_user(r->data, HTTP_BODY_BYTES, (void *)base))
		r->n = HTTP_BODY_BYTES;
	if (base && !bpf_probe_read_user(r->tail, HTTP_TAIL, (void *)(base + len - HTTP_TAIL)))
		r->flags |= HTTP_TAILED;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

#define HEAD_ROOM 4096		/* bytes of a head that are captured */
#define WANT_SHIFT 16

/*
 * flags: the record's; from bit 8 on bytes kept from earlier calls, from WANT_SHIFT on bytes to
 * copy of len. 0: the ring is full.
 */
__noinline int emit_record(const struct moved *m, struct http_socket *s, u64 base, u32 len, u32 flags)
{
	u32 before = flags >> 8 & 7, want = flags >> WANT_SHIFT, cap;
	struct http_record *r;

	if (!m || !s)
		return 0;
	r = reserve(want, &cap);
	if (!r) {
		if (!before)
			lose_request(s, m->tx & 1, base, len);
		lose_record(s, m->tx & 1, len);
		return 0;
	}
	fill_record(r, m, s, len, flags & 0xff);
	if (before) {
		*(u64 *)r->before = s->first[m->tx & 1];
		r->n_before = before;
	}
	if (take_bytes(r, cap, base, want) < r->len)
		take_tail(r, base, r->len);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 1;
}

static __always_inline bool begins(const struct http_record *r)
{
	return r->n >= 16 && looks_like_http(*(u64 *)r->data, 8) > 0 && !is_switch((u64 *)r->data);
}

/* Emits what most likely begins a message, which is checked on the copy. 0: it does not, and nothing was emitted. */
__noinline int emit_begin(const struct moved *m, struct http_socket *s, u64 base, u32 len, u32 flags)
{
	u32 cap, n;
	struct http_record *r;

	if (!m || !s)
		return 0;
	r = reserve(len, &cap);
	if (!r)
		return 0;
	n = take_bytes(r, cap, base, len);
	if (!begins(r)) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return 0;
	}
	fill_record(r, m, s, len, flags);
	if (n < len)
		take_tail(r, base, len);
	s->room[m->tx & 1] = HEAD_ROOM - n;
	note_who_asks(s, m->tx & 1, *(u64 *)r->data);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 1;
}

#define HEAD_AT_ONCE 1024

/*
 * Emits a head of n bytes (16 to HEAD_AT_ONCE); the body is only a length. 0: no head, not emitted.
 */
__noinline int emit_head(const struct moved *m, struct http_socket *s, u64 base, u32 n, u32 flags)
{
	u32 cap, at;
	struct http_record *r;

	if (!m || !s)
		return 0;
	r = n <= 256 ? RESERVE(256) : n <= 512 ? RESERVE(512) : RESERVE(HEAD_AT_ONCE);
	if (!r)
		return 0;
	at = take_bytes(r, cap, base, n) - 4;
	if (!begins(r) || at > cap - 4 || *(u32 *)(r->data + at) != WORD('\r', '\n', '\r', '\n')) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return 0;
	}
	fill_record(r, m, s, m->total, flags);
	s->room[m->tx & 1] = 0;
	note_who_asks(s, m->tx & 1, *(u64 *)r->data);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 1;
}

static __always_inline int end_of_stream(u64 key, const struct http_socket *s, u8 kind)
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
	r->flags = HTTP_SUMS;
	r->position = s->position[HTTP_RX];
	r->sent = s->position[HTTP_TX];
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}
