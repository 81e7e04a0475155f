/* SPDX-License-Identifier: GPL-2.0-or-later */
/* protobuf.h: parses untrusted protocol buffers without allocating; every length is checked. */
#pragma once

#include "bpf/model/base.h"

struct protobuf {
	const u8 *p, *end;
};

struct protobuf_field {
	u32 number, type;	/* type: the wire type, 0 varint, 2 bytes */
	u64 varint;
	struct protobuf bytes;
};

/* Reads the next field; false at the end, or with *bad set (initialize to false) if malformed. */
bool protobuf_next(struct protobuf *b, struct protobuf_field *f, bool *bad);
/* Untrusted bytes as one printable line. */
void protobuf_show(char *buf, size_t cap, struct protobuf b);
/* Parses an Export...ServiceResponse (partial_success = 1; absent: unchanged). False: malformed. */
bool protobuf_response(struct protobuf b, u64 *ret_rejected, char *message, size_t cap);
