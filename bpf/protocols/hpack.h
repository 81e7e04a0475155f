/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hpack.h: header blocks of HTTP/2 (RFC 7541), one direction of a connection.
 *
 * Decoding may start in the middle of a connection: indexes count from the newest
 * entry, so entries inserted since then are exact, and older ones are unknown. Nor
 * does the table size of the two peers matter: keeping more entries than they do is
 * harmless, as they never refer to evicted ones. Values are kept only for the names
 * below.
 */
#pragma once

#include "bpf/protocols/huffman.h"
#include "bpf/protocols/protocol.h"

enum hpack_name {
	HPACK_UNKNOWN,		/* an entry from before we joined */
	HPACK_OTHER,
	HPACK_METHOD, HPACK_PATH, HPACK_SCHEME, HPACK_STATUS,
	HPACK_CONTENT_TYPE, HPACK_GRPC_STATUS, HPACK_TRACEPARENT
};

struct hpack_entry;

/* The table; all zero at first. */
struct hpack {
	const struct hpack_entry **ring;
	u32 cap, newest, n;
	u32 bytes;		/* of the values */
};

/* A block that is being read; all zero at first. */
struct hpack_block {
	u32 number;		/* that is being read */
	u32 left;		/* bytes of the string */
	u32 n_text;
	struct huffman huffman;
	u8 state, kind, shift, name;
	bool more;		/* bytes of the number will come */
	bool coded, cut;
	char text[PATH_MAX_KEPT];
};

/* value: NULL where it is unknown, or of no interest. Lives until it returns. */
typedef void hpack_field(void *arg, enum hpack_name name, const char *value);

/* Reads a part of a block, cut anywhere. False: invalid. */
bool hpack_read(struct hpack *h, struct hpack_block *b, const u8 *data, u64 n, hpack_field *field, void *arg);
/* Whether the block may end here. */
bool hpack_may_end(const struct hpack_block *b);
/* Blocks are missing: the indexes of all entries so far are unknown. */
void hpack_forget(struct hpack *h);
