// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * text.c: the only sanitizer. Processes choose their names: escape sequences, half characters, bidi
 * controls. All output to a terminal or file has passed text_clean().
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bpf/model/base.h"

#define MIDDLE_DOT "\xc2\xb7"
#define REPLACEMENT "\xef\xbf\xbd"

static bool is_continuation(u8 byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Length of a character by its lead byte; 0: invalid. */
static u32 lead_length(u8 lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2)	/* continuation or overlong ASCII */
		return 0;
	if (lead < 0xe0)
		return 2;
	if (lead < 0xf0)
		return 3;
	return lead < 0xf5 ? 4 : 0;
}

/* The second byte tells overlong forms, surrogates and > U+10FFFF. */
static bool second_fits(u8 lead, u8 second)
{
	if (!is_continuation(second))
		return false;
	switch (lead) {
	case 0xe0: return second >= 0xa0;
	case 0xed: return second < 0xa0;
	case 0xf0: return second >= 0x90;
	case 0xf4: return second < 0x90;
	default: return true;
	}
}

/*
 * Bytes of the valid character at src, or 0; then *ret_skip bytes are one error (Unicode 15, 3.9: a
 * valid beginning is one, as in Python and browsers). Never looks beyond a NUL.
 */
static u32 decode(const u8 *src, u32 *ret_char, u32 *ret_skip)
{
	u32 n = lead_length(src[0]), c, i;

	*ret_skip = 1;
	if (!n || !src[0])
		return 0;
	c = n == 1 ? src[0] : src[0] & (0x7f >> n);
	for (i = 1; i < n; i++) {
		if (i == 1 ? !second_fits(src[0], src[1]) : !is_continuation(src[i])) {
			*ret_skip = i;
			return 0;
		}
		c = c << 6 | (src[i] & 0x3f);
	}
	*ret_char = c;
	return n;
}

u32 text_decode(const char *src, u32 *ret_char)
{
	u32 skip;

	return decode((const u8 *)src, ret_char, &skip);
}

char *text_thousands(char buf[THOUSANDS_MAX], u64 v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v), out = 0;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			buf[out++] = ',';
		buf[out++] = digits[i];
	}
	buf[out] = '\0';
	return buf;
}

const char *text_plural(u64 n, const char *ending)
{
	return n == 1 ? "" : ending;
}

/* Characters that draw nothing but affect others. */
static bool is_invisible(u32 c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) ||	/* C0, DEL, C1 */
	       c == 0xad ||				/* soft hyphen */
	       c == 0x034f || c == 0x061c || c == 0x180e ||
	       c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0 || /* Hangul fillers */
	       (c >= 0x200b && c <= 0x200f) ||		/* zero width, direction marks */
	       (c >= 0x2028 && c <= 0x202e) ||		/* separators, embeddings, overrides */
	       (c >= 0x2060 && c <= 0x206f) ||		/* joiners, isolates, deprecated formats */
	       c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c >= 0x1bca0 && c <= 0x1bca3) || (c >= 0x1d173 && c <= 0x1d17a) ||
	       (c >= 0xe0000 && c <= 0xe0fff);		/* tags */
}

/* Replacement of the n bytes of c (0: invalid) on a screen. */
static const char *screen_substitute(u32 n, u32 c, bool ascii)
{
	if (n && (c == '\n' || c == '\t'))
		return " ";
	if (!n || is_invisible(c))
		return ascii ? "." : MIDDLE_DOT;
	return ascii && n > 1 ? "?" : NULL;
}

/* The same for other programs, where line ends stay. */
static const char *export_substitute(u32 n, u32 c, bool visible)
{
	if (!n || (visible && is_invisible(c) && c != '\n' && c != '\t'))
		return REPLACEMENT;
	return NULL;
}

size_t text_clean(char *dst, size_t cap, const char *src, enum text_mode mode)
{
	size_t used = 0;

	if (!cap)
		return 0;
	while (*src) {
		u32 c = 0, skip, n = decode((const u8 *)src, &c, &skip);
		u32 taken = n ? n : skip;
		const char *out;
		size_t len;

		/* a run of whitespace is one space */
		if (mode < TEXT_UTF8 && (c == '\n' || c == '\t'))
			taken = strspn(src, "\n\t");
		if (mode >= TEXT_UTF8)
			out = export_substitute(n, c, mode == TEXT_EXPORT);
		else
			out = screen_substitute(n, c, mode == TEXT_SCREEN_ASCII);
		len = out ? strlen(out) : n;
		if (used + len >= cap)
			break;
		memcpy(dst + used, out ? out : src, len);
		used += len;
		src += taken;
	}
	dst[used] = '\0';
	return used;
}

void text_add(char *buf, size_t cap, const char *between, const char *fmt, ...)
{
	size_t n = strlen(buf);
	va_list ap;

	if (n)
		n = min(n + (size_t)snprintf(buf + n, cap - n, "%s", between), cap - 1);
	va_start(ap, fmt);
	vsnprintf(buf + n, cap - n, fmt, ap);
	va_end(ap);
}
