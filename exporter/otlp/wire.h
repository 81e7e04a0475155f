/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.h: protocol buffers from outside, read without allocating; every length is checked. */
#ifndef OTTOP_OTLP_WIRE_H
#define OTTOP_OTLP_WIRE_H

#include "bpf/model/base.h"

struct wire {
	const u8 *p, *end;
};

struct wire_field {
	u32 number, type;	/* type as on the wire: 0 varint, 2 bytes */
	u64 varint;
	struct wire bytes;
};

/* The next field; false at the end, and with *bad (false before the first) where it is no message. */
bool wire_next(struct wire *b, struct wire_field *f, bool *bad);
/* Bytes from outside as one line that is safe to show. */
void wire_show(char *buf, size_t cap, struct wire b);
/*
 * An Export...ServiceResponse: partial_success = 1 has how many were rejected, and why. Neither
 * is changed where it is not there. False: it is no message.
 */
bool wire_response(struct wire b, u64 *ret_rejected, char *message, size_t cap);

/* The value of a hexadecimal digit of either case; -1: it is none. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
