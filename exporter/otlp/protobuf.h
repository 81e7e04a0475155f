/* SPDX-License-Identifier: GPL-2.0-or-later */
/* protobuf.h: protocol buffers from outside, read without allocating; every length is checked. */
#ifndef OTTOP_OTLP_PROTOBUF_H
#define OTTOP_OTLP_PROTOBUF_H

#include "bpf/model/base.h"

struct protobuf {
	const u8 *p, *end;
};

struct protobuf_field {
	u32 number, type;	/* type as on the wire: 0 varint, 2 bytes */
	u64 varint;
	struct protobuf bytes;
};

/* The next field; false at the end, and with *bad (false before the first) where it is no message. */
bool protobuf_next(struct protobuf *b, struct protobuf_field *f, bool *bad);
/* Bytes from outside as one line that is safe to show. */
void protobuf_show(char *buf, size_t cap, struct protobuf b);
/*
 * An Export...ServiceResponse: partial_success = 1 has how many were rejected, and why. Neither
 * is changed where it is not there. False: it is no message.
 */
bool protobuf_response(struct protobuf b, u64 *ret_rejected, char *message, size_t cap);

/* The value of a hexadecimal digit of either case; -1: it is none. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
