// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_aside.c: unwind tables that are kept packed are unchanged when unpacked, and smaller
 * meanwhile.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/stacks/aside.h"
#include "bpf/stacks/packed.h"
#include "bpf/stacks/parts.h"
#include "symbolizer/ehframe.h"

static struct unwind_table *whole;

static int read_whole(void **state)
{
	int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);

	(void)state;
	whole = fd < 0 ? NULL : unwind_table_read(fd, NULL);
	return fd < 0 ? 0 : close(fd);
}

static int free_whole(void **state)
{
	(void)state;
	aside_close();
	unwind_table_free(whole);
	return 0;
}

/* As walk.h reads a table. */
static u64 word_at(u32 table, u32 i)
{
	const struct arena_line *l = aside_line(table + i / 4);

	assert_non_null(l);
	return l->w[i % 4];
}

static u32 row_at(u32 table, u32 i)
{
	return (u32)(word_at(table, 1 + (u32)whole->words[0] + i / 2) >> (i % 2 * 32));
}

static void compare_page(u32 table, u32 page)
{
	u32 first = (u32)(whole->words[1 + page] >> 32), n = (u32)whole->words[1 + page];
	u64 there = word_at(table, 1 + page);

	assert_int_equal((u32)there, n);
	for (u32 i = 0; i < n; i++)
		assert_int_equal(row_at(table, (u32)(there >> 32) + i), part_row(whole->words, first + i));
}

static void test_lines(void **state)
{
	u32 pages, table;

	(void)state;
	if (!whole)
		skip();
	pages = (u32)whole->words[0];
	aside_put(7, whole->words, whole->n_words);
	table = aside_table(7);
	assert_true(table >= ASIDE_FIRST);
	assert_int_equal((u32)word_at(table, 0), pages);
	for (u32 i = 0; i < 3 * pages; i++)	/* each page more than once, in another order */
		compare_page(table, i * 5 % pages);
	aside_drop(7);
	assert_int_equal(aside_table(7), 0);
	assert_null(aside_line(table));
	assert_int_equal(aside_bytes(), 0);
}

static void test_pages(void **state)
{
	u64 *words, wanted[16] = { 1ull << 3 | 1ull << 4 | 1ull << 9 };
	u32 pages, at = 0;

	(void)state;
	if (!whole)
		skip();
	pages = (u32)whole->words[0];
	assert_in_range(pages, 10, 16 * 64);
	aside_put(7, whole->words, whole->n_words);
	words = aside_pages(7, wanted);
	assert_non_null(words);
	for (u32 i = 0; i < pages; i++) {
		u32 first = (u32)(whole->words[1 + i] >> 32), n = (u32)whole->words[1 + i];

		if (!part_bit(wanted, i)) {
			assert_true(words[1 + i] == UNW_LEFT_OUT);
			continue;
		}
		assert_true(words[1 + i] == ((u64)at << 32 | n));
		for (u32 k = 0; k < n; k++)
			assert_int_equal(part_row(words, at + k), part_row(whole->words, first + k));
		at += n;
	}
	assert_true(at > 0);
	free(words);
	aside_drop(7);
}

/*
 * A packed table takes a fraction of its size; their number is limited, and the least recently used
 * are evicted.
 */
static void test_many(void **state)
{
	u64 one;

	(void)state;
	if (!whole)
		skip();
	aside_put(1, whole->words, whole->n_words);
	one = aside_bytes();
	assert_true(one < whole->n_words * sizeof(u64) / 3);
	for (u32 n = 2; n < 200; n++) {
		aside_put(n, whole->words, whole->n_words);
		assert_true(aside_table(n));
		assert_true(aside_table(1));	/* it is used */
		assert_true(aside_bytes() <= n * one);
	}
	assert_int_equal(aside_table(2), 0);
	aside_close();
	assert_int_equal(aside_bytes(), 0);
}

/* Large ones that hardly compress. */
static void test_large(void **state)
{
	const u32 pages = 8;
	u32 n_words = 1 + pages + pages * PACKED_MAX_ROWS / 2;
	u64 *words = calloc(n_words, sizeof(u64));
	u32 *rows = (u32 *)(words + 1 + pages);

	(void)state;
	words[0] = pages;
	for (u32 i = 0; i < pages; i++)
		words[1 + i] = (u64)i * PACKED_MAX_ROWS << 32 | PACKED_MAX_ROWS;
	for (u32 i = 0, r = 1; i < pages * PACKED_MAX_ROWS; i++)
		rows[i] = UNW_ROW(i, (r = r * 1664525 + 1013904223) >> 18);
	for (u32 n = 1; n < 10; n++) {
		aside_put(n, words, n_words);
		assert_true(aside_table(n));
		assert_true(aside_bytes() <= 3 << 20);
	}
	assert_int_equal(aside_table(1), 0);
	assert_true(aside_table(8));
	free(words);
}

/* A page that is so long, far from row to row, or of one row. */
static void test_odd_rows(void **state)
{
	static u32 rows[PACKED_MAX_ROWS], back[PACKED_MAX_ROWS];
	static u64 words[2 + PACKED_MAX_ROWS / 2];
	struct packing *p = packing_new();
	const u8 *bytes;
	u32 n;

	(void)state;
	for (u32 shape = 0; shape < 3; shape++) {
		u32 n_rows = shape == 2 ? 1 : shape ? 250 : PACKED_MAX_ROWS;

		for (u32 i = 0; i < n_rows; i++)
			rows[i] = UNW_ROW(shape ? i * 261 + 255 : i, i * 2654435761u >> 18);
		words[0] = 1;
		words[1] = n_rows;
		memcpy(words + 2, rows, n_rows * sizeof(*rows));
		n = packing_rows(p, words, 0, n_rows, &bytes);
		assert_true(n > 0);
		assert_true(packed_rows(bytes, n, back, n_rows));
		assert_memory_equal(rows, back, n_rows * sizeof(*rows));
		assert_false(packed_rows(bytes, n, back, n_rows + 1));
		assert_false(packed_rows(bytes, n / 2, back, n_rows));
		assert_false(n_rows > 1 && packed_rows(bytes, n, back, n_rows - 1));
	}
	packing_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines), cmocka_unit_test(test_pages), cmocka_unit_test(test_many),
		cmocka_unit_test(test_large), cmocka_unit_test(test_odd_rows),
	};

	return cmocka_run_group_tests(tests, read_whole, free_whole);
}
