/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http2_frame.h: HTTP/2 frame headers (RFC 9113, 4.1), for BPF programs and the reader. */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#define H2_HEAD 9
#define H2_PREFACE_BYTES 24	/* "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" */
#define H2_FRAME_MAX (1u << 14)	/* default SETTINGS_MAX_FRAME_SIZE; header blocks keep to it in practice */

enum h2_type {
	H2_DATA, H2_HEADERS, H2_PRIORITY, H2_RST_STREAM, H2_SETTINGS, H2_PUSH_PROMISE, H2_PING, H2_GOAWAY,
	H2_WINDOW_UPDATE, H2_CONTINUATION
};

enum h2_flags { H2_END_STREAM = 1, H2_ACK = 1, H2_END_HEADERS = 4, H2_PADDED = 8, H2_HAS_PRIORITY = 32 };

struct h2_head {
	__u32 length, stream;
	__u8 type, flags;
};

static inline void h2_parse(struct h2_head *h, const __u8 *p)
{
	h->length = (__u32)p[0] << 16 | (__u32)p[1] << 8 | p[2];
	h->type = p[3];
	h->flags = p[4];
	h->stream = (__u32)p[5] << 24 | (__u32)p[6] << 16 | (__u32)p[7] << 8 | p[8];
}

static inline int h2_is_block(__u8 type)
{
	return type == H2_HEADERS || type == H2_PUSH_PROMISE || type == H2_CONTINUATION;
}

/* Is this a header that a sane sender would send? */
static inline int h2_plausible(const struct h2_head *h)
{
	if (h->stream >> 31)
		return 0;
	switch (h->type) {
	case H2_DATA:
	case H2_PUSH_PROMISE:
	case H2_CONTINUATION:
		return h->stream && h->length < 1u << 22;
	case H2_HEADERS:
		return h->stream && h->length && h->length < 1u << 20;
	case H2_PRIORITY:
		return h->stream && h->length == 5;
	case H2_RST_STREAM:
		return h->stream && h->length == 4;
	case H2_SETTINGS:
		return !h->stream && h->length % 6 == 0 && h->length <= 1024 && !(h->flags & H2_ACK && h->length);
	case H2_PING:
		return !h->stream && h->length == 8;
	case H2_GOAWAY:
		return !h->stream && h->length >= 8 && h->length <= H2_FRAME_MAX;
	case H2_WINDOW_UPDATE:
		return h->length == 4;
	}
	return h->type < 0x20 && h->length <= H2_FRAME_MAX;	/* extensions */
}

/* Only flags defined for the type (RFC 9113, 6) are set. One byte of `defined` for each type except CONTINUATION. */
static inline int h2_flags_fit(const struct h2_head *h)
{
	const __u64 defined = 0x00010c0100002d09ull;

	return !(h->flags & ~(h->type < 8 ? (__u8)(defined >> 8 * h->type) : h->type == H2_CONTINUATION ? H2_END_HEADERS : 0));
}

enum h2_looks { H2_NOTHING, H2_FRAME, H2_REQUEST, H2_ANSWER };

/*
 * Do these bytes (n of 16, the others zero), the first of a call, look like a frame of an unknown
 * connection? Random bytes rarely do. A connection is taken for HTTP/2 at a HEADERS frame whose
 * block begins, as all do, with :method, :scheme, :path, :authority or :status by static index. Up
 * to two entries of the dynamic table (gRPC's :path) may come before.
 */
static inline enum h2_looks h2_looks_like(const __u8 *p, __u32 n)
{
	struct h2_head h;
	__u8 first;

	if (n < H2_HEAD)
		return H2_NOTHING;
	h2_parse(&h, p);
	if (!h2_plausible(&h) || h.type > H2_CONTINUATION || h.length > H2_FRAME_MAX || !h2_flags_fit(&h) ||
	    (h.type == H2_DATA && !(h.stream & 1)))
		return H2_NOTHING;
	if (h.type != H2_HEADERS)
		return H2_FRAME;
	if (!(h.stream & 1))
		return H2_NOTHING;
	first = h.flags & H2_PADDED ? 0 : h.flags & H2_HAS_PRIORITY ? p[14] : p[9];
	if (first >= 0x80 + 62 && !(h.flags & H2_HAS_PRIORITY))
		first = p[10];
	if (first >= 0x80 + 62 && !(h.flags & H2_HAS_PRIORITY))
		first = p[11];
	if (first >= 0x88 && first <= 0x8e)
		return H2_ANSWER;
	if (first >= 0x82 && first <= 0x87)
		return H2_REQUEST;
	if (first & 0x80 || (first & 0xe0) == 0x20)
		return H2_FRAME;
	first &= first & 0x40 ? 0x3f : 0x0f;	/* literal: the index of its name */
	if (first == 8)
		return H2_ANSWER;
	return first >= 1 && first <= 7 ? H2_REQUEST : H2_FRAME;
}

#define H2_HOPS 4	/* frames to skip, in the same call, in search of a header block */

/* Offset of the next frame after one that looks like H2_FRAME; 0: not worth following. */
static inline __u32 h2_hop(const __u8 *p)
{
	struct h2_head h;

	h2_parse(&h, p);
	return h.type == H2_DATA || h2_is_block(h.type) || h.length > 256 ? 0 : H2_HEAD + h.length;
}
