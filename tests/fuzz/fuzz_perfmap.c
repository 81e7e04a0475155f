// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_perfmap.c: bytes as a perf map that grows: the first byte says in which
 * steps. What it holds must not overlap, however it was read.
 */
#include <stdlib.h>

#include "symbolizer/perfmap.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct perfmap *m = perfmap_new();
	struct source s = { .mem = data + 1, .fd = -1 };
	size_t step = size ? data[0] + 1u : 1;
	char text[64];

	while (size && s.size < size - 1) {
		s.size = min(s.size + step, (u64)size - 1);
		perfmap_update(m, &s);
	}
	for (u64 addr = 0; addr < 0x3000; addr += 0x101)
		perfmap_find(m, &s, addr, text, sizeof(text));
	if (perfmap_count(m) > size / 5)	/* "1 1 x" is the shortest line */
		abort();
	perfmap_free(m);
	return 0;
}
