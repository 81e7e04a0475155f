// SPDX-License-Identifier: GPL-2.0-or-later
/* huffman.c: RFC 7541, appendix B, a canonical code: codes of each length, symbols by code. */
#include "bpf/protocols/huffman.h"

#define MIN_BITS 5
#define MAX_BITS 30

/* Codes of so many bits. */
static const u8 n_codes[MAX_BITS + 1] = {
	0, 0, 0, 0, 0, 10, 26, 32, 6, 0, 5, 3, 2, 6, 2, 3,
	0, 0, 0, 3, 8, 13, 26, 29, 12, 4, 15, 19, 29, 0, 4,
};

static const u8 symbols[] = {
	48, 49, 50, 97, 99, 101, 105, 111, 115, 116, 32, 37, 45, 46, 47, 51, 52, 53, 54, 55, 56,
	57, 61, 65, 95, 98, 100, 102, 103, 104, 108, 109, 110, 112, 114, 117, 58, 66, 67, 68, 69,
	70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107,
	113, 118, 119, 120, 121, 122, 38, 42, 44, 59, 88, 90, 33, 34, 40, 41, 63, 39, 43, 124,
	35, 62, 0, 36, 64, 91, 93, 126, 94, 125, 60, 96, 123, 92, 195, 208, 128, 130, 131, 162,
	184, 194, 224, 226, 153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230, 129,
	132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187,
	189, 190, 196, 198, 228, 232, 233, 1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150,
	151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239,
	9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237, 199, 207, 234, 235, 192, 193,
	200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255, 203, 204, 211, 212, 214,
	221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254, 2, 3, 4, 5, 6, 7,
	8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220,
	249, 10, 13, 22,
};

/* The symbol whose code is at the top of 32 bits, and its length. Values below `first` are shorter codes. */
static u32 symbol_at(u32 top, u32 *ret_len)
{
	u32 first = 0, index = 0;

	for (u32 len = MIN_BITS; len <= MAX_BITS; len++) {
		u32 at = (top >> (32 - len)) - first;

		*ret_len = len;
		if (at < n_codes[len])
			return index + at;
		index += n_codes[len];
		first = (first + n_codes[len]) << 1;
	}
	return sizeof(symbols);
}

int huffman_byte(struct huffman *h, u8 c, u8 ret_symbols[2])
{
	u32 symbol, len;
	int n = 0;

	h->code = h->code << 8 | c;
	h->bits += 8;
	while (h->bits >= MIN_BITS) {
		symbol = symbol_at((u32)(h->code << (64 - h->bits) >> 32), &len);
		if (len > h->bits)
			break;
		if (symbol >= sizeof(symbols))
			return -1;
		ret_symbols[n++ & 1] = symbols[symbol];
		h->bits -= (u8)len;
		h->code &= (1ull << h->bits) - 1;
	}
	return n;
}

/* The padding of the last byte must be the beginning of EOS: all ones. */
bool huffman_may_end(const struct huffman *h)
{
	return h->bits < 8 && h->code == (1ull << h->bits) - 1;
}
