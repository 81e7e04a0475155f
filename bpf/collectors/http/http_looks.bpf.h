/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_looks.bpf.h: a first filter: is it HTTP/1, HTTP/2 or TLS? User space parses strictly. */
#pragma once

#define SWITCH_MAX 512		/* bytes of a 101 response that are searched */

#define WORD(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

/* A word of capitals, like all registered methods, then a space. 1 yes, 0 too few bytes, -1 no. */
static __always_inline int looks_like_method(u64 first, u32 n)
{
	for (u32 i = 0; i < 8; i++) {
		u8 c = first >> 8 * i;

		if (i >= n)
			return 0;
		if (c == ' ')
			return i >= 3 ? 1 : -1;
		if ((c < 'A' || c > 'Z') && c != '-')
			return -1;
	}
	return 1;
}

/* 2 the preface of HTTP/2, 1 yes, 0 too few bytes to tell, -1 no. */
static __always_inline int looks_like_http(u64 first, u32 n)
{
	if (n < 4 || (u32)first != WORD('H', 'T', 'T', 'P'))
		return n >= 4 && (u32)first == WORD('P', 'R', 'I', ' ') ? 2 : looks_like_method(first, n);
	if (n < 7)
		return 0;
	return (first >> 32 & 0xffffff) == (u64)WORD('/', '1', '.', 0) ? 1 : -1;
}

static __always_inline bool looks_like_tls(u64 word, u32 n)
{
	u8 type = word, major = word >> 8, minor = word >> 16;

	return n >= 3 && type >= 20 && type <= 23 && major == 3 && minor <= 4;
}

/* Of an HTTP/1 message: a response? */
static __always_inline bool is_answer(u64 first)
{
	return (u32)first == WORD('H', 'T', 'T', 'P');
}

/* "HTTP/1.1 101". */
static __always_inline bool is_switch(const u64 first[2])
{
	return (u32)first[0] == WORD('H', 'T', 'T', 'P') && (u32)first[1] == WORD(' ', '1', '0', '1');
}

/* "1f4\r\n": the size of a chunk, or its beginning. */
static __always_inline bool looks_like_chunk(u64 word)
{
	for (u32 i = 0; i < 8; i++) {
		u8 c = word >> 8 * i, letter = c | 0x20;

		if ((c < '0' || c > '9') && (letter < 'a' || letter > 'f'))
			return i && (c == '\r' || c == '\n' || c == ';' || c == ' ');
	}
	return true;
}

struct head_search { u64 base; u32 word, h2c; };

/* Byte i of a head. 1: go on. A global function, so that the verifier need not unroll the loop around it. */
__noinline int switch_step(struct head_search *w, u32 i)
{
	u8 c;

	if (!w || bpf_probe_read_user(&c, 1, (void *)(w->base + i)))
		return 0;
	w->word = w->word >> 8 | (u32)c << 24;
	w->h2c |= w->word == WORD('h', '2', 'c', '\r');
	return w->word != WORD('\r', '\n', '\r', '\n');
}

/* Length of a 101 head that upgrades to h2c (RFC 7540, 3.2), or 0. */
__noinline int switch_head(u64 base, u32 len)
{
	struct head_search w = { .base = base };
	u32 i;

	for (i = 0; i < SWITCH_MAX && i < len; i++)
		if (!switch_step(&w, i))
			return w.h2c && w.word == WORD('\r', '\n', '\r', '\n') ? i + 1 : 0;
	return 0;
}

/* Reads 1 to 8 bytes. The asm keeps the bound of n: clang 14 would drop it, and 6.1 needs to see it. */
static __always_inline bool read_first(u64 *word, u64 addr, u32 n)
{
	if (n >= 8)
		return !bpf_probe_read_user(word, 8, (void *)addr);
	asm volatile("%0 &= 7" : "+r"(n));
	return !bpf_probe_read_user(word, n, (void *)addr);
}

/* Does a message begin here, or may it with the next bytes? */
static __always_inline bool may_begin(u64 first[2], u64 base, u32 len, u32 flags)
{
	if (len >= 16)
		return !bpf_probe_read_user(first, 16, (void *)base) && looks_like_http(*first, 8) > 0;
	if (len >= 8)
		return read_first(first, base, 8) && looks_like_http(*first, 8) > 0;
	return flags & HTTP_BEGINS && len && read_first(first, base, len) && looks_like_http(*first, len) >= 0;
}

/* Classifies the frame at addr, of which `left` bytes are there; *ret_hop: its length if another may follow. */
static __always_inline enum h2_looks looks_like_frame(u64 addr, u64 left, u32 *ret_hop)
{
	u32 n = left < 16 ? left : 16;
	u8 first[16] = {};

	if (n >= 16) {
		if (bpf_probe_read_user(first, 16, (void *)addr))
			return H2_NOTHING;
	} else {
		asm volatile("%0 &= 15" : "+r"(n));
		if (bpf_probe_read_user(first, n, (void *)addr))
			return H2_NOTHING;
	}
	*ret_hop = h2_hop(first);
	return h2_looks_like(first, n);
}

/* Is it an HTTP/2 connection that was open before us? Not inlined, so that it is verified only once. */
__noinline int looks_like_http2(u64 addr, u64 left)
{
	enum h2_looks looks = H2_NOTHING;
	u32 hop = 0, i;

	for (i = 0; i <= H2_HOPS; i++) {
		looks = looks_like_frame(addr, left, &hop);
		if (looks != H2_FRAME || !hop || hop >= left)
			break;
		addr += hop;
		left -= hop;
	}
	return looks;
}
