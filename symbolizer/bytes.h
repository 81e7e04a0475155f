/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bytes.h: bounds-checked reader of untrusted bytes. Past the end: 0 and `failed`. */
#pragma once

#include <string.h>

#include "bpf/model/base.h"

struct bytes {
	const u8 *start, *at, *end;
	bool failed;
};

static inline struct bytes bytes_of(const u8 *data, size_t n)
{
	return (struct bytes){ .start = data, .at = data, .end = data + n };
}

static inline size_t bytes_left(const struct bytes *b)
{
	return (size_t)(b->end - b->at);
}

static inline u64 bytes_uint(struct bytes *b, u32 size)
{
	u64 v = 0;

	if (bytes_left(b) < size) {
		b->failed = true;
		b->at = b->end;
		return 0;
	}
	memcpy(&v, b->at, size);	/* little endian, as both architectures */
	b->at += size;
	return v;
}

static inline s64 bytes_sint(struct bytes *b, u32 size)
{
	u64 v = bytes_uint(b, size);
	u32 shift = 64 - 8 * size;

	return (s64)(v << shift) >> shift;
}

static inline u64 bytes_uleb(struct bytes *b)
{
	u64 v = 0;

	for (u32 shift = 0; ; shift += 7) {
		u8 c = (u8)bytes_uint(b, 1);

		if (shift < 64)
			v |= (u64)(c & 0x7f) << shift;
		if (!(c & 0x80) || b->failed)
			return v;
	}
}

static inline s64 bytes_sleb(struct bytes *b)
{
	u64 v = 0;
	u32 shift = 0;
	u8 c;

	do {
		c = (u8)bytes_uint(b, 1);
		if (shift < 64)
			v |= (u64)(c & 0x7f) << shift;
		shift += 7;
	} while ((c & 0x80) && !b->failed);
	if (shift < 64 && (c & 0x40))
		v |= ~0ull << shift;
	return (s64)v;
}

static inline void bytes_skip(struct bytes *b, u64 n)
{
	if (n > bytes_left(b)) {
		b->failed = true;
		b->at = b->end;
	} else {
		b->at += n;
	}
}
