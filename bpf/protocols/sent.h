/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sent.h: what one end of a connection sent, as long as the other end, which is on this host, has not
 * read it: its bytes are not told again there (struct http_same).
 */
#ifndef OTTOP_SENT_H
#define OTTOP_SENT_H

#include "bpf/model/base.h"
#include "bpf/protocols/wire.h"

struct sent_piece {
	u64 from;		/* its position */
	u32 len, n, at;		/* n of its bytes are known: at `bytes` + at */
	bool tailed;
	u8 tail[HTTP_TAIL];
};

struct sent {
	struct sent *next;	/* of those that nobody uses */
	struct sent_piece *pieces;
	u8 *bytes;
	u32 n_pieces, cap_pieces, n_bytes, cap_bytes;
};

/* NULL: nothing. Of what is more than a few heads only the end is kept. */
void sent_add(struct sent **s, const struct http_record *r);
/*
 * Fills len, n, data, tail and its flag of r with what is known from position `from` on, but not beyond
 * `end`: part of a piece. Where nothing is known there, up to where something is.
 */
void sent_read(const struct sent *s, u64 from, u64 end, struct http_record *r);
/* What was before position `end` has been read. */
void sent_drop(struct sent **s, u64 end);
void sent_forget(struct sent **s);

#endif
