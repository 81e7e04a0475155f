/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_frames.bpf.h: splits HTTP/2 into frames; of DATA only the length is emitted. */
#pragma once

#define MAX_FRAMES 256		/* in one piece */
#define SMALL_DATA 64		/* so few bytes of DATA are emitted with the rest */

struct walk {
	u64 base;
	u32 len;		/* of the piece */
	u32 at, from;		/* bytes before `from` are emitted, those before `at` parsed */
	u32 captured, emit_end;	/* next record: how many of its bytes are copied; where it ends */
	u32 flags;		/* of the next record */
	u16 begins, requests;	/* its further flags; requests that begin in it */
	struct http_frames f;
	u8 head[16];		/* of a frame; not on the stack of walk_on(), which is full on 6.1 */
};

/* The next byte of a frame header that is split over calls. True: the header is complete. */
static __always_inline bool walk_cut_head(struct walk *w)
{
	u8 c = 0;

	bpf_probe_read_user(&c, 1, (void *)(w->base + w->at));
	w->at++;
	if (w->f.n_head < H2_HEAD - 1) {
		w->f.head |= (u64)c << 8 * (w->f.n_head & 7);
		w->f.n_head++;
		return false;
	}
	__builtin_memcpy(w->head, &w->f.head, H2_HEAD - 1);
	w->head[H2_HEAD - 1] = c;
	return true;
}

/* Counts HEADERS that open a stream; later ones of the same stream are trailers. */
static __always_inline void note_request(const struct moved *m, struct http_socket *s, struct walk *w, const struct h2_head *h)
{
	if (h->type != H2_HEADERS || !(h->stream & 1) || h->stream <= s->last_asked || s->asks != 1 + (m->tx & 1))
		return;
	s->last_asked = h->stream;
	w->requests++;
}

static __always_inline bool walk_head(const struct moved *m, struct http_socket *s, struct walk *w)
{
	struct h2_head h;

	if (!w->f.n_head && w->len - w->at >= H2_HEAD) {
		if (bpf_probe_read_user(w->head, H2_HEAD, (void *)(w->base + w->at)))
			return false;
		w->at += H2_HEAD;
	} else if (!walk_cut_head(w)) {
		return true;
	}
	w->f.n_head = 0;
	w->f.head = 0;
	h2_parse(&h, w->head);
	w->f.left = h.length;
	w->f.skip = !h2_is_block(h.type) || h.length > H2_FRAME_MAX;
	if (!h2_plausible(&h))
		return false;
	note_request(m, s, w, &h);
	return true;
}

/* Frame boundaries are unknown from here on: the rest is emitted as a length only. */
static __always_inline int walk_ends(struct walk *w)
{
	w->f.known = 0;
	w->captured = w->at - w->from;
	w->emit_end = w->at = w->len;
	return 1;
}

/* One frame, or part of it. 1: the bytes from `from` to `emit_end` are to be emitted. */
static __always_inline int walk_frame(const struct moved *m, struct http_socket *s, struct walk *w)
{
	u32 n;

	if (!w->f.left && w->at - w->from > HTTP_LARGE - H2_HEAD) {
		w->captured = w->at - w->from;
		w->emit_end = w->at;
		return 1;
	}
	if (!w->f.left && (!w->base || !walk_head(m, s, w)))
		return walk_ends(w);
	n = w->len - w->at;
	if (n > w->f.left)
		n = w->f.left;
	w->captured = w->at - w->from;
	if (w->f.skip && n > SMALL_DATA) {
		w->f.left -= n;
		w->emit_end = w->at += n;
		return 1;
	}
	if (n > HTTP_LARGE - w->captured)
		n = HTTP_LARGE - w->captured;
	w->f.left -= n;
	w->at += n;
	w->captured += n;
	w->emit_end = w->at;
	return w->captured == HTTP_LARGE;
}

#define frame_begins(f) (!(f)->left && !(f)->n_head && (f)->known ? HTTP_BEGINS : 0)

static __always_inline void emit_walked(const struct moved *m, struct http_socket *s, struct walk *w)
{
	if (!w->captured && !w->begins)
		emit_body(m, s, 0, w->emit_end - w->from, 0);
	else if (!emit_record(m, s, w->base ? w->base + w->from : 0, w->emit_end - w->from,
			      w->flags | w->begins | w->captured << WANT_SHIFT) && w->requests)
		__sync_fetch_and_add(&lost_requests[m->tx & 1], w->requests);
	w->requests = 0;
	w->from = w->emit_end;
	w->flags &= 0xff;
	w->begins = frame_begins(&w->f);
}

/* 0: the end of the piece. A global function, so that the verifier need not unroll the loop around it. */
__noinline int walk_on(const struct moved *m, struct http_socket *s, struct walk *w)
{
	if (!m || !s || !w)
		return 0;
	if (w->at < w->len && walk_frame(m, s, w))
		emit_walked(m, s, w);
	return w->at < w->len;
}

__noinline int walk_rest(const struct moved *m, struct http_socket *s, struct walk *w)
{
	if (!m || !s || !w)
		return 0;
	if (w->at < w->len)
		walk_ends(w);
	if (w->from < w->len)
		emit_walked(m, s, w);
	return 0;
}

/* Does a frame begin here? For a direction whose frame boundaries are unknown. */
static __always_inline bool joins(u64 base, u32 len)
{
	u8 first[16] = {};

	if (!base || len < H2_HEAD || bpf_probe_read_user(first, H2_HEAD, (void *)base))
		return false;
	return h2_looks_like(first, H2_HEAD) != H2_NOTHING;
}

__noinline int emit_frames(const struct moved *m, struct http_socket *s, u64 base, u32 len, u32 flags)
{
	struct walk w = { .base = base, .len = len, .flags = flags & ~HTTP_BEGINS };
	u32 i, dir;

	if (!m || !s)
		return 0;
	dir = m->tx & 1;
	w.f = s->frames[dir];
	if (!w.f.known && flags & HTTP_BEGINS && joins(base, len))
		w.f = (struct http_frames){ .known = 1 };
	w.begins = flags & IS_PREFACE ? HTTP_BEGINS : frame_begins(&w.f);
	for (i = 0; i < MAX_FRAMES && w.f.known; i++)
		if (!walk_on(m, s, &w))
			break;
	walk_rest(m, s, &w);
	s->frames[dir] = w.f;
	return 0;
}
