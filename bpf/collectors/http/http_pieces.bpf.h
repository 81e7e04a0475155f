/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_pieces.bpf.h: a call's buffers (pieces): finds HTTP in them and how much to emit. */
#pragma once

#define TRIES 24		/* after so many calls without HTTP the socket is given up */
#define MAX_PIECES 8		/* of one call; the rest is emitted as one length */
#define MAX_PIECES_2 256	/* for HTTP/2, where each may be part of a header block */

/* An upgrade to HTTP/2: frames follow this head, and the other end sends the preface. */
static __always_inline bool becomes_http2(struct http_socket *s, u32 dir, const u64 first[2], u64 base, u32 len)
{
	u32 n = is_switch(first) ? switch_head(base, len) : 0;

	if (!n)
		return false;
	s->class = HTTP_2;
	s->frames[dir & 1] = (struct http_frames){ .left = n, .known = 1 };
	s->frames[!dir] = (struct http_frames){ .left = H2_PREFACE_BYTES, .known = 1 };
	return true;
}

/* The direction has changed: these bytes most likely begin a message. */
static __always_inline bool turns(struct http_socket *s, u32 dir)
{
	bool turned = s->last != dir + 1;

	s->last = dir + 1;
	return turned;
}

/* 1: the caller is to emit it as HTTP/2. A global function, so that it is verified only once. */
__noinline int emit_piece(const struct moved *m, struct http_socket *s, u64 base, u32 len, u32 flags)
{
	u32 want = len, dir;
	u64 first[2] = {};
	bool turned;

	if (!m || !s)
		return 0;
	dir = m->tx & 1;
	if (s->class == HTTP_2)
		return 1;
	turned = turns(s, dir);
	if (turned && base && len >= 16 && (flags & (HTTP_BEGINS | 0x700)) == HTTP_BEGINS &&
	    emit_begin(m, s, base, len, flags))
		return 0;
	if (!base) {
		note_ring();
		want = 0;
	} else if (may_begin(first, base, len, flags)) {
		s->room[dir] = HEAD_ROOM;
		if (len >= 8)
			note_who_asks(s, dir, *first);
		if (becomes_http2(s, dir, first, base, len))
			return 1;
	}
	if (len > HTTP_SMALL && !s->room[dir]) {
		emit_body(m, s, base, len, flags);
		return 0;
	}
	if (want > HTTP_SMALL && want > s->room[dir])
		want = s->room[dir];
	if (want > HTTP_LARGE)
		want = HTTP_LARGE;
	s->room[dir] -= s->room[dir] > want ? want : s->room[dir];
	emit_record(m, s, base, len, flags | want << WANT_SHIFT);
	return 0;
}

/* ---- all pieces of a call ---- */

static __always_inline int emit_at(const struct moved *m, struct http_socket *s, u64 base, u32 len, u32 flags)
{
	if (flags & IS_HTTP2 || emit_piece(m, s, base, len, flags & 0x7ff))
		return emit_frames(m, s, base, len, flags & ~IS_HTTP2);
	return 0;
}

/* Bytes of a call that are not emitted yet, and the current piece. */
struct rest {
	u32 left, flags;
	struct user_iovec v;
};

/* A first piece too short to classify: it is kept, and emitted with the next one. */
static __always_inline bool goes_with_next(const struct rest *r, u64 len)
{
	return len && len < 8 && len < r->left && r->flags & HTTP_BEGINS && !(r->flags & IS_HTTP2) &&
	       !(r->flags >> 8 & 7);
}

/* Not inlined: its stack is free again for deeper calls, which share 512 bytes. */
__noinline int keep_short(const struct moved *m, struct http_socket *s, u64 base, u32 len)
{
	u64 first = 0;
	u32 dir;

	if (!m || !s)
		return 0;
	dir = m->tx & 1;
	if (read_first(&first, base, len) && looks_like_http(first, len) >= 0)
		s->room[dir] = HEAD_ROOM;
	s->first[dir] = first;
	__sync_fetch_and_add(&s->position[dir], len);
	return 0;
}

/* Piece i. 0: it was the last one. A global function, so that the verifier need not unroll the loop around it. */
__noinline int emit_iovec(const struct moved *m, struct http_socket *s, u32 i, struct rest *r)
{
	if (!m || !s || !r || !get_iovec(&r->v, m->iov, i, m->compat))
		return 0;
	if (r->v.len > r->left)
		r->v.len = r->left;
	if (goes_with_next(r, r->v.len)) {
		keep_short(m, s, r->v.base, r->v.len);
		r->flags |= (u32)r->v.len << 8;
		r->left -= r->v.len;
	} else if (r->v.len) {
		emit_at(m, s, r->v.base, r->v.len, r->flags);
		r->flags &= IS_HTTP2 | (0xff & ~HTTP_BEGINS);
		r->left -= r->v.len;
	}
	return r->left != 0;
}

/* Emits a response of two iovecs, head and body, as one record; else false. Not inlined: stack. */
__noinline int emit_with_body(const struct moved *m, struct http_socket *s, u32 flags)
{
	struct two_iovecs p = {};
	const struct user_iovec *v = p.v;
	u64 body = 0;
	u32 left;

	if (!m || !s || m->compat || m->n_iov < 2 || bpf_probe_read_user(&p, sizeof(p), (void *)m->iov))
		return 0;
	left = m->total - v[0].len;
	if (v[0].len < 16 || v[0].len > HEAD_AT_ONCE || v[0].len >= m->total || left > v[1].len || left <= HTTP_SMALL)
		return 0;
	if (!read_first(&body, v[1].base, 8) || looks_like_chunk(body) || looks_like_http(body, 8) > 0)
		return 0;
	if (!emit_head(m, s, v[0].base, v[0].len, flags))
		return 0;
	turns(s, m->tx & 1);
	return 1;
}

__noinline int emit_all(const struct moved *m, struct http_socket *s, u32 flags)
{
	struct rest r = { .flags = flags };
	u32 n, i;

	if (!m || !s)
		return 0;
	if (!m->iov)
		return emit_at(m, s, m->base, m->total, flags);
	if (!(flags & (IS_HTTP2 | 0x700)) && emit_with_body(m, s, flags))
		return 0;
	r.left = m->total;
	n = flags & IS_HTTP2 || m->n_iov < MAX_PIECES ? m->n_iov : MAX_PIECES;
	for (i = 0; i < MAX_PIECES_2 && i < n && r.left; i++)
		if (!emit_iovec(m, s, i, &r))
			break;
	return r.left ? emit_at(m, s, 0, r.left, r.flags) : 0;
}

/* ---- is it HTTP? ---- */

/* Processes that began to speak TLS on a socket outside of any probed library call. */
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

/* Classifies a socket by its first bytes. How many of them earlier calls brought, or -1: not known to be HTTP. */
__noinline int classify(const struct moved *m, struct http_socket *s)
{
	struct first f = {};
	enum h2_looks frame;
	u32 dir, had, n;
	u64 word;
	int looks;

	if (!m || !s)
		return -1;
	if (!find_first(m, &f)) {
		if (note_ring() && ++s->tries >= TRIES)
			s->class = HTTP_NO;
		return -1;
	}
	word = f.word;
	n = f.n;
	dir = m->tx & 1;
	had = s->n_first[dir];
	if (had >= 8)
		had = 0;
	/* with the bytes of earlier calls, if those were too few to decide */
	looks = looks_like_http(had ? s->first[dir] | word << 8 * had : word, had + n > 8 ? 8 : had + n);
	if (looks > 0) {
		s->class = looks == 2 ? HTTP_2 : HTTP_YES;
		s->room[dir] = HEAD_ROOM;
		if (looks == 2) {
			s->frames[dir] = (struct http_frames){ .left = H2_PREFACE_BYTES - had, .known = 1 };
			s->asks = 1 + dir;
		}
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
		s->room[0] = 0;
		s->position[0] = bpf_ktime_get_boot_ns();
		note_speaker();
		return -1;
	}
	if (!looks)
		return -1;	/* the first of several pieces is too short to decide */
	frame = had || word & 0xff ? H2_NOTHING : looks_like_http2(f.addr, f.len);
	if (frame == H2_REQUEST || frame == H2_ANSWER) {
		s->class = HTTP_2;
		s->asks = 1 + (frame == H2_REQUEST ? dir : !dir);
		return 0;
	}
	if (frame == H2_NOTHING && ++s->tries >= TRIES)
		s->class = HTTP_NO;
	return -1;
}

/* m is complete; classifies the socket if that is still open, and emits the bytes. */
static __always_inline int emit_moved(struct moved *m, struct http_socket *s, u32 flags)
{
	int before = 0;

	flags |= HTTP_BEGINS | HTTP_HAS_ENDS | (m->v6 ? HTTP_V6 : 0);
	if (s->class == HTTP_UNKNOWN) {
		before = classify(m, s);
		if (before < 0)
			return 0;
		if (s->class == HTTP_2 && s->frames[m->tx & 1].left) {
			flags |= IS_PREFACE;
			s->frames[!(m->tx & 1)].known = 1;	/* the other direction is at a frame boundary, too */
		}
	}
	note_thread_now(m);
	return emit_all(m, s, flags | (before & 7) << 8 | (s->class == HTTP_2 ? IS_HTTP2 : 0));
}
