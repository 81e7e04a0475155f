// SPDX-License-Identifier: GPL-2.0-or-later
/* minidebug.c: see minidebug.h. */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "symbolizer/minidebug.h"

#define FIRST_BYTES (256u << 10)
#define CHUNK (16u << 10)

struct unpacking {
	lzma_stream z;
	u8 in[CHUNK];
	u8 *out;
	size_t cap;
};

static bool make_room(struct unpacking *u)
{
	if (u->z.avail_out)
		return true;
	if (u->cap >= MINIDEBUG_MAX)
		return false;
	u->cap = u->cap ? u->cap * 2 : FIRST_BYTES;
	u->out = xrealloc(u->out, u->cap);
	u->z.next_out = u->out + u->z.total_out;
	u->z.avail_out = u->cap - u->z.total_out;
	return true;
}

static lzma_ret unpack(struct unpacking *u, const struct source *packed)
{
	lzma_ret ret = LZMA_OK;
	u64 at = 0;

	while (ret == LZMA_OK) {
		if (!u->z.avail_in) {
			u->z.next_in = u->in;
			u->z.avail_in = source_read(packed, at, u->in, sizeof(u->in));
			at += u->z.avail_in;
		}
		if (!make_room(u))
			return LZMA_MEMLIMIT_ERROR;
		/* returns LZMA_BUF_ERROR without input and room: no endless loop */
		ret = lzma_code(&u->z, u->z.avail_in ? LZMA_RUN : LZMA_FINISH);
	}
	return ret;
}

u8 *minidebug_unpack(const struct source *packed, size_t *ret_size)
{
	struct unpacking *u = xcalloc(1, sizeof(*u));
	lzma_ret ret;
	u8 *out;

	u->z = (lzma_stream)LZMA_STREAM_INIT;
	ret = lzma_stream_decoder(&u->z, MINIDEBUG_MAX, 0);
	if (ret == LZMA_OK)
		ret = unpack(u, packed);
	*ret_size = u->z.total_out;
	lzma_end(&u->z);
	out = u->out;
	free(u);
	if (ret == LZMA_STREAM_END && *ret_size)
		return xrealloc(out, *ret_size);
	free(out);
	errno = ret == LZMA_MEMLIMIT_ERROR || ret == LZMA_MEM_ERROR ? EFBIG : EBADMSG;
	return NULL;
}
