// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_pclntab.c: bytes as Go's function table (.gopclntab).
 */
#include <stdlib.h>

#include "symbolizer/pclntab.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* What comes out is in order, and a table for the kernel side. */
static void check_rows(const struct pclntab *t)
{
	u32 n = 0;
	struct cfi_row *rows = pclntab_rows(t, &n);

	for (u32 i = 1; i < n; i++)
		if (rows[i].pc <= rows[i - 1].pc)
			abort();
	if (n)
		unwind_table_free(unwind_table_pack(rows, n, NULL));
	free(rows);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct pclntab *t = pclntab_of((struct source){ .mem = data, .fd = -1, .size = size }, 0x1000);
	char text[256];
	u32 line;

	for (u64 addr = 0xff0; t && addr < 0x2000; addr += 0x35) {
		pclntab_find(t, addr, text, sizeof(text));
		pclntab_line(t, addr, text, sizeof(text), &line);
	}
	if (t) {
		static const char *const names[] = { "runtime.memmove", "crypto/tls.(*Conn).Read" };
		struct pclntab_range ranges[ARRAY_SIZE(names)];

		pclntab_ranges(t, names, ARRAY_SIZE(names), ranges);
		check_rows(t);
	}
	pclntab_free(t);
	return 0;
}
