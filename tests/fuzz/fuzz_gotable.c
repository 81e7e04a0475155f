// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_gotable.c: bytes as Go's function table (.gopclntab).
 *
 * sources: symbolizer/gotable.c symbolizer/source.c bpf/model/log.c
 */
#include "symbolizer/gotable.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct gotable *t = gotable_of((struct source){ .mem = data, .fd = -1, .size = size }, 0x1000);
	char text[256];
	u32 line;

	for (u64 addr = 0xff0; t && addr < 0x2000; addr += 0x35) {
		gotable_find(t, addr, text, sizeof(text));
		gotable_line(t, addr, text, sizeof(text), &line);
	}
	gotable_free(t);
	return 0;
}
