// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_cfi.c: bytes as a .eh_frame or .debug_frame section. Whatever comes out
 * must be a table that the kernel side can bisect: pages and rows in bounds,
 * and every row found again at its address.
 */
#include <stdlib.h>
#include <string.h>

#include "symbolizer/ehframe.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check(const struct unwind_table *t, const struct cfi_row *rows, u32 n)
{
	u32 pages = (u32)t->words[0];

	if (1 + pages + (t->n_rows + 1) / 2 != t->n_words)
		abort();
	for (u32 i = 0; i < n; i++)
		if (memcmp(unwind_table_find(t, rows[i].pc), &rows[i].info, sizeof(rows[i].info)))
			abort();
	unwind_table_find(t, 0);
	unwind_table_find(t, ~0ull);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct cfi_section s = { .addr = 0x1000, .text_addr = 0x400000, .data_addr = 0x600000 };
	struct unwind_table *t;
	struct cfi_row *rows;
	u32 n;

	if (size < 2)
		return 0;
	s.debug_frame = data[0] & 1;
	s.data = data + 1;
	s.size = size - 1;
	rows = cfi_rows(&s, &n);
	if (!rows)
		return 0;
	t = unwind_table_pack(rows, n, NULL);
	if (t)
		check(t, rows, n);
	unwind_table_free(t);
	free(rows);
	return 0;
}
