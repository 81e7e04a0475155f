// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables in part: what is taken says what the whole table says; what is not is said to be left out. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/stacks/parts.h"
#include "symbolizer/ehframe.h"

static struct unwind_table *whole;
static u16 same_numbers[UNW_MAX_INFOS];

static int read_whole(void **state)
{
	int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);

	(void)state;
	whole = fd < 0 ? NULL : unwind_table_read(fd, NULL);
	for (u32 i = 0; i < UNW_MAX_INFOS; i++)
		same_numbers[i] = (u16)i;
	return fd < 0 ? 0 : close(fd);
}

static int free_whole(void **state)
{
	(void)state;
	unwind_table_free(whole);
	return 0;
}

static u32 pages(void)
{
	return (u32)whole->words[0];
}

/* A table of at most so many words; how many pages it has. */
static u32 part_of(u32 max_words, const u32 *hits, struct unwind_table *ret, u8 *take)
{
	u32 n = parts_choose(whole->words, hits, hits ? pages() : 0, max_words, take), taken = 0;

	assert_true(n <= max_words);
	*ret = *whole;
	ret->words = calloc(n, sizeof(u64));
	ret->n_words = n;
	parts_copy(ret->words, whole->words, take, same_numbers);
	for (u32 i = 0; i < pages(); i++)
		taken += take[i];
	return taken;
}

static void expect_same(const struct unwind_table *part, const u8 *take)
{
	for (u32 page = 0; page < pages(); page++) {
		u64 from = whole->base + ((u64)page << UNW_PAGE_BITS);

		assert_int_equal(part->words[1 + page] == UNW_LEFT_OUT, !take[page]);
		for (u64 at = from; take[page] && at < from + (1 << UNW_PAGE_BITS); at += 37)
			assert_memory_equal(unwind_table_find(part, at), unwind_table_find(whole, at),
					    sizeof(struct unw_info));
	}
}

static void test_all(void **state)
{
	u8 take[4096];
	struct unwind_table part;

	(void)state;
	if (!whole)
		skip();
	assert_int_equal(part_of(whole->n_words, NULL, &part, take), pages());
	assert_int_equal(part.n_words, whole->n_words);
	assert_memory_equal(part.words, whole->words, whole->n_words * sizeof(u64));
	free(part.words);
}

static void test_hits_come_first(void **state)
{
	u32 hits[4096] = {}, n;
	u8 take[4096];
	struct unwind_table part;

	(void)state;
	if (!whole)
		skip();
	hits[pages() / 2] = 1;
	hits[pages() - 2] = 700;
	n = part_of(whole->n_words / 3, hits, &part, take);
	assert_true(n > 2 && n < pages() / 2);
	assert_true(take[pages() / 2] && take[pages() - 2]);
	assert_true(take[pages() / 2 + 1] && !take[1]);	/* neighbours, not what is far */
	expect_same(&part, take);
	free(part.words);
}

/* Nothing but the list of pages: all are left out. */
static void test_empty(void **state)
{
	u8 take[4096];
	struct unwind_table part;

	(void)state;
	if (!whole)
		skip();
	assert_int_equal(part_of(1 + pages(), NULL, &part, take), 0);
	expect_same(&part, take);
	assert_true(parts_choose(whole->words, NULL, 0, 3, take) > 3);
	free(part.words);
}

/* Made of some pages only: these say what the whole table says, the others are left out. */
static void test_asked_for(void **state)
{
	int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	u64 bits[64], checked = 0, known = 0;
	struct unwind_pages wanted = { .bits = bits };
	struct unwind_table *part;

	(void)state;
	if (!whole)
		skip();
	wanted.base = whole->base;
	wanted.n = pages();
	for (u32 step = 1; step < 9; step++) {
		memset(bits, 0, sizeof(bits));
		for (u32 i = step % 3; i < pages(); i += step)
			bits[i / 64] |= 1ull << i % 64;
		part = unwind_table_read(fd, &wanted);
		assert_non_null(part);
		assert_int_equal(part->base, whole->base);
		assert_int_equal(part->words[0], whole->words[0]);
		for (u32 i = 0; i < pages(); i++) {
			u64 from = whole->base + ((u64)i << UNW_PAGE_BITS);

			assert_int_equal(part->words[1 + i] == UNW_LEFT_OUT, !unwind_page_wanted(&wanted, i));
			for (u64 at = from; unwind_page_wanted(&wanted, i) && at < from + (1 << UNW_PAGE_BITS); at += 13) {
				struct unw_info a = *unwind_table_find(part, at), b = *unwind_table_find(whole, at);

				a.bx = b.bx = 0;	/* kept where it is the way to a CFA somewhere in what was read */
				a.bx_off = b.bx_off = 0;
				if (a.cfa != UNW_CFA_NONE)	/* else only its code tells, which is read for whole tables */
					assert_memory_equal(&a, &b, sizeof(a));
				known += a.cfa != UNW_CFA_NONE;
				checked += b.cfa != UNW_CFA_NONE;
			}
		}
		unwind_table_free(part);
	}
	assert_true(checked > 100000 && known > checked / 1000 * 999);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all), cmocka_unit_test(test_hits_come_first), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_asked_for),
	};

	return cmocka_run_group_tests(tests, read_whole, free_whole);
}
