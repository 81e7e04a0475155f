/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_record.bpf.h: what goes into the ring: one record for a piece of memory that was moved.
 */
#ifndef OTTOP_HTTP_RECORD_BPF_H
#define OTTOP_HTTP_RECORD_BPF_H

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

/* As much of the piece as `cap`, a constant, has room for; tail: where its last bytes are, or 0. */
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
		if (r_->n < len && tail &&					\
		    !bpf_probe_read_user(r_->tail, HTTP_TAIL, (void *)tail))	\
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

#define WANT_SHIFT 16

/* flags: those of the record, from bit 8 on how many bytes came before, from WANT_SHIFT on how many of len are told. */
__noinline int tell_record(const struct moved *m, struct http_socket *s, u64 base, u32 len, u32 flags)
{
	u32 before = flags >> 8 & 7, want = flags >> WANT_SHIFT;
	u64 tail = base && len >= HTTP_TAIL ? base + len - HTTP_TAIL : 0;
	struct http_record *r;

	if (!m || !s)
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

#define HEAD_AT_ONCE 1024

/* A whole head of at most HEAD_AT_ONCE bytes, and a body behind it of which only the last bytes are told. 1. */
__noinline int tell_head(const struct moved *m, struct http_socket *s, const struct two_iovecs *p, u32 flags)
{
	const u32 before = 0;
	u32 len, want;
	u64 base, tail;
	struct http_record *r;

	if (!m || !s || !p)
		return 1;
	base = p->v[0].base;
	want = p->v[0].len;
	len = m->total;
	tail = p->v[1].base + (len - want) - HTTP_TAIL;
	r = want <= 256 ? TELL(256) : want <= 512 ? TELL(512) : TELL(HEAD_AT_ONCE);
	if (r)
		bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	else
		lose_record(s, m->tx & 1, len);
	return 1;
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

#endif
