/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sent.h: bytes not read yet by the other end, on this host, whose records refer to them
 * (http_same).
 */
#pragma once

#include "bpf/model/base.h"
#include "bpf/protocols/wire.h"

struct sent_piece {
	u64 from;		/* its stream position */
	u32 len, n, at;		/* the first n of its bytes are at `bytes` + at */
	bool tailed;
	u8 tail[HTTP_TAIL];
};

struct sent {
	struct sent *next;	/* in the free list */
	struct sent_piece *pieces;
	u8 *bytes;
	u32 n_pieces, cap_pieces, n_bytes, cap_bytes;
};

/* *s NULL: empty. Bounded to a few heads: beyond that only the end is kept. */
void sent_add(struct sent **s, const struct http_record *r);
/* Fills len, n, data, tail and its flag from the piece at `from`, up to `end`. No piece: a gap. */
void sent_read(const struct sent *s, u64 from, u64 end, struct http_record *r);
/* What was before position `end` has been read. */
void sent_drop(struct sent **s, u64 end);
void sent_forget(struct sent **s);
