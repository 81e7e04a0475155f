// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * packed.c: see packed.h. Columns: low bytes of rules, high bytes, distances of rows (one byte;
 * 255: two follow), deflated.
 */
#include <stdlib.h>
#include <zlib.h>

#include "bpf/stacks/packed.h"
#include "bpf/stacks/parts.h"

#define LEVEL 1		/* 6 is 10 % smaller and takes three times as long */
#define MEMORY 5	/* of 9: pages are small, and zlib clears its tables for each */
#define FAR_ROW 255
#define MAX_BYTES 5	/* of a row */

struct packing {
	z_stream z;
	u8 *in, *out;
	size_t cap_in, cap_out;
};

struct packing *packing_new(void)
{
	struct packing *p = xcalloc(1, sizeof(*p));

	if (deflateInit2(&p->z, LEVEL, Z_DEFLATED, -MAX_WBITS, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK)
		return p;
	free(p);
	return NULL;
}

void packing_free(struct packing *p)
{
	if (!p)
		return;
	deflateEnd(&p->z);
	free(p->in);
	free(p->out);
	free(p);
}

/* Returns how many bytes. */
static u32 in_columns(u8 *to, const u64 *words, u32 first, u32 n)
{
	u8 *at = to + 2 * n;
	u16 last = 0;

	for (u32 i = 0; i < n; i++) {
		u32 row = part_row(words, first + i);
		u16 on = (u16)(row - last);

		last = (u16)row;
		to[i] = (u8)(row >> 16);
		to[n + i] = (u8)(row >> 24);
		*at++ = (u8)min(on, FAR_ROW);
		if (on < FAR_ROW)
			continue;
		*at++ = (u8)on;
		*at++ = (u8)(on >> 8);
	}
	return (u32)(at - to);
}

static bool from_columns(const u8 *from, u32 bytes, u32 *rows, u32 n)
{
	const u8 *at = from + 2 * n, *end = from + bytes;
	u16 last = 0;

	for (u32 i = 0; i < n; i++) {
		if (at >= end || (*at == FAR_ROW && end - at < 3))
			return false;
		last = (u16)(last + (*at == FAR_ROW ? at[1] | at[2] << 8 : *at));
		at += *at == FAR_ROW ? 3 : 1;
		rows[i] = (u32)from[n + i] << 24 | (u32)from[i] << 16 | last;
	}
	return at == end;
}

static void room(u8 **buf, size_t *cap, size_t n)
{
	if (n > *cap)
		*buf = xrealloc(*buf, *cap = n);
}

u32 packing_rows(struct packing *p, const u64 *words, u32 first, u32 n, const u8 **ret)
{
	u32 bytes;

	room(&p->in, &p->cap_in, (size_t)n * MAX_BYTES);
	bytes = in_columns(p->in, words, first, n);
	room(&p->out, &p->cap_out, deflateBound(&p->z, bytes));
	p->z.next_in = p->in;
	p->z.avail_in = bytes;
	p->z.next_out = p->out;
	p->z.avail_out = (u32)p->cap_out;
	*ret = p->out;
	if (deflateReset(&p->z) != Z_OK || deflate(&p->z, Z_FINISH) != Z_STREAM_END)
		return 0;
	return (u32)(p->z.next_out - p->out);
}

bool packed_rows(const u8 *bytes, u32 n_bytes, u32 *rows, u32 n)
{
	u32 cap = n * MAX_BYTES;
	u8 *columns = xmalloc(cap + 1ul);
	z_stream z = { .next_in = (u8 *)bytes, .avail_in = n_bytes, .next_out = columns, .avail_out = cap };
	bool ok = inflateInit2(&z, -MAX_WBITS) == Z_OK;

	if (ok) {
		ok = inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out >= 2 * n &&
		     from_columns(columns, (u32)z.total_out, rows, n);
		inflateEnd(&z);
	}
	free(columns);
	return ok;
}
