/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record_format.h: format of a recording. Private to recorder.c and recording*.c.
 *
 *	file  := "OTTOPREC" major minor chunk*	numbers: 32 bits, little endian
 *	chunk := type length crc32 payload	crc32 (zlib) of all but itself
 *
 * Chunks: a header (session, schema), then key ticks and ticks (codec.h), then an end mark. Unknown
 * types are skipped. All types begin with the same three letters, so that a reader can
 * resynchronize after damage.
 */
#pragma once

#include <zlib.h>

#include "bpf/record/codec.h"
#include "bpf/record/history.h"

#define REC_MAGIC "OTTOPREC"
#define REC_MAGIC_LEN 8
#define REC_PREAMBLE 16
#define REC_MAJOR 1	/* readers refuse a higher one */
#define REC_MINOR 0	/* new chunk types or fields that old readers can ignore */

#define CHUNK_HEAD 12
#define CHUNK_MAX (32u << 20)	/* bytes of a payload */
#define CHUNK_TYPE(c) ('O' | 'T' << 8 | 'f' << 16 | (u32)(c) << 24)
#define CHUNK_HEADER CHUNK_TYPE('h')
#define CHUNK_KEY CHUNK_TYPE('k')
#define CHUNK_TICK CHUNK_TYPE('t')
#define CHUNK_END CHUNK_TYPE('e')	/* varints: ticks, lost ticks, errno that ended it or 0 */

static inline u32 chunk_crc(u32 type, const u8 *payload, u32 len)
{
	u8 head[8];

	for (int i = 0; i < 4; i++) {
		head[i] = (u8)(type >> 8 * i);
		head[i + 4] = (u8)(len >> 8 * i);
	}
	return (u32)crc32(crc32(0, head, sizeof(head)), payload, len);
}

/* The session in the header chunk. */
static inline void session_put(struct buf_out *o, const struct session *s)
{
	buf_put_str(o, s->host_name);
	buf_put_str(o, s->boot_id);
	buf_put_str(o, s->kernel);
	buf_put_str(o, s->arch);
	buf_put_str(o, s->version);
	buf_put_varint(o, s->start_ns);
}

/* recording_open() on a descriptor, which it takes; `stream`: a pipe; `name`: for messages. */
struct recording *recording_open_fd(int fd, const char *name, bool stream, char **ret_error);
