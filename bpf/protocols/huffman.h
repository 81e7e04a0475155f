/* SPDX-License-Identifier: GPL-2.0-or-later */
/* huffman.h: reads strings of HPACK (RFC 7541, 5.2), a bit at a time. */
#ifndef OTTOP_HUFFMAN_H
#define OTTOP_HUFFMAN_H

#include "bpf/model/base.h"

/* All zero between two symbols, and at first. */
struct huffman {
	u32 code, first;
	u16 index;
	u8 bits, zeros;		/* of the code so far */
};

enum { HUFFMAN_MORE = -1, HUFFMAN_BAD = -2 };

/* The symbol that ends with this bit, HUFFMAN_MORE or HUFFMAN_BAD. */
int huffman_bit(struct huffman *h, u32 bit);
/* Whether a string may end here. */
bool huffman_may_end(const struct huffman *h);

#endif
