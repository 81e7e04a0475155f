// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_text.c: what text_clean() promises, for any bytes, room and mode: whole
 * valid characters, nothing that moves a terminal, and cleaning again changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/base.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void must(bool yes)
{
	if (!yes)
		abort();
}

static bool harmless(u32 c, enum text_mode mode)
{
	if (mode == TEXT_UTF8)
		return true;
	if (mode == TEXT_SCREEN_ASCII)
		return c >= 0x20 && c < 0x7f;
	return c >= 0x20 && !(c >= 0x7f && c < 0xa0) && c != 0x61c &&
	       !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
	       !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff;
}

static void check(const char *src, size_t cap, enum text_mode mode)
{
	char *dst = xmalloc(cap), *again;	/* exact room: ASan sees one byte too many */
	size_t n = text_clean(dst, cap, src, mode), at = 0;
	u32 c, len;

	must(n < cap && strlen(dst) == n);
	while (at < n) {
		len = text_decode(dst + at, &c);
		must(len && harmless(c, mode));
		at += len;
	}
	must(at == n);
	again = xmalloc(n + 1);
	must(text_clean(again, n + 1, dst, mode) == n && !strcmp(again, dst));
	free(again);
	free(dst);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t cap = 1 + (size ? data[0] : 0);
	char *src;

	if (size)
		data++, size--;
	src = xmalloc(size + 1);
	memcpy(src, data, size);
	src[size] = '\0';
	for (int mode = TEXT_SCREEN; mode <= TEXT_UTF8; mode++) {
		check(src, cap, mode);
		check(src, 3 * size + 1, mode);	/* room for all of it */
	}
	free(src);
	return 0;
}
