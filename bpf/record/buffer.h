/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buffer.h: bytes of encoded ticks: a growing buffer to write to, a bounded cursor to read from.
 * Numbers are LEB128 varints (signed: zig-zag), fixed-size ones little endian.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "bpf/model/base.h"

struct buf_out {
	u8 *data;	/* free() it */
	size_t n, cap;
};

/* A bounded cursor. Reading past the end sets `bad` and returns 0. */
struct buf_in {
	const u8 *p, *end;
	bool bad;
};

static inline u64 buf_zigzag(u64 v)
{
	return (v << 1) ^ (0 - (v >> 63));
}

static inline u64 buf_unzigzag(u64 v)
{
	return (v >> 1) ^ (0 - (v & 1));
}

/* Makes room for n more bytes; returns where they go. */
static inline u8 *buf_room(struct buf_out *o, size_t n)
{
	if (o->cap - o->n < n) {
		o->cap = max(o->cap * 2, o->n + n + 256);
		o->data = xrealloc(o->data, o->cap);
	}
	return o->data + o->n;
}

/*
 * Empties the buffer; frees it if the next content (about n bytes) needs only a small part of it.
 */
static inline void buf_empty(struct buf_out *o, size_t n)
{
	o->n = 0;
	if (o->cap < 4 * n + (128u << 10))
		return;
	free(o->data);
	*o = (struct buf_out){ 0 };
}

static inline void buf_put_u8(struct buf_out *o, u8 v)
{
	*buf_room(o, 1) = v;
	o->n++;
}

static inline void buf_put_varint(struct buf_out *o, u64 v)
{
	u8 *p = buf_room(o, 10);

	for (; v >= 0x80; v >>= 7)
		*p++ = (u8)v | 0x80;
	*p++ = (u8)v;
	o->n = (size_t)(p - o->data);
}

static inline void buf_put_zigzag(struct buf_out *o, u64 v)
{
	buf_put_varint(o, buf_zigzag(v));
}

static inline void buf_put_u32(struct buf_out *o, u32 v)
{
	u8 *p = buf_room(o, 4);

	for (int i = 0; i < 4; i++)
		p[i] = (u8)(v >> 8 * i);
	o->n += 4;
}

static inline void buf_put_bytes(struct buf_out *o, const void *src, size_t n)
{
	if (n)
		memcpy(buf_room(o, n), src, n);
	o->n += n;
}

/* A length and the bytes, without the NUL. */
static inline void buf_put_str(struct buf_out *o, const char *s)
{
	size_t n = strlen(s);

	buf_put_varint(o, n);
	buf_put_bytes(o, s, n);
}

/* n bytes, or NULL (and bad) if there are fewer. */
static inline const u8 *buf_get_bytes(struct buf_in *in, u64 n)
{
	const u8 *p = in->p;

	if (in->bad || n > (u64)(in->end - p)) {
		in->bad = true;
		return NULL;
	}
	in->p += n;
	return p;
}

static inline u8 buf_get_u8(struct buf_in *in)
{
	const u8 *p = buf_get_bytes(in, 1);

	return p ? *p : 0;
}

static inline u64 buf_get_varint(struct buf_in *in)
{
	u64 v = 0;

	for (int shift = 0; shift < 64 && !in->bad && in->p < in->end; shift += 7) {
		u8 b = *in->p++;

		v |= (u64)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	in->bad = true;
	return 0;
}

static inline u64 buf_get_zigzag(struct buf_in *in)
{
	return buf_unzigzag(buf_get_varint(in));
}

static inline u32 buf_get_u32(struct buf_in *in)
{
	const u8 *p = buf_get_bytes(in, 4);

	return p ? (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24 : 0;
}

/* A varint of at most `limit`. */
static inline u64 buf_get_max(struct buf_in *in, u64 limit)
{
	u64 v = buf_get_varint(in);

	if (v <= limit)
		return v;
	in->bad = true;
	return 0;
}
