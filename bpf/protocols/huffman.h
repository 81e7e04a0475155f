/* SPDX-License-Identifier: GPL-2.0-or-later */
/* huffman.h: reads strings of HPACK (RFC 7541, 5.2), a byte at a time. */
#pragma once

#include "bpf/model/base.h"

/* All zero at first. */
struct huffman {
	u64 code;		/* the beginning of the next symbol's code */
	u8 bits;		/* of it: less than 30 */
};

/* How many symbols end with this byte: 0 to 2. -1: it is no such string. */
int huffman_byte(struct huffman *h, u8 c, u8 ret_symbols[2]);
/* Whether a string may end here. */
bool huffman_may_end(const struct huffman *h);
