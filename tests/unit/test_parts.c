// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_parts.c: partial tables: included pages equal those of the whole table; others are marked as
 * left out.
 */
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
static u16 numbers[UNW_MAX_INFOS];	/* [1] is taken in the map that all share */

static int read_whole(void **state)
{
	int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);

	(void)state;
	whole = fd < 0 ? NULL : unwind_table_read(fd, NULL);
	for (u32 i = 0; i < UNW_MAX_INFOS; i++)
		numbers[i] = (u16)(i ? i + 1 : 0);
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

static u32 grains(void)
{
	return pages() * PART_GRAINS;
}

#define MAX_GRAINS (256 * PART_GRAINS)

static u64 taken[MAX_GRAINS / 64];
static u8 hits[MAX_GRAINS];

static struct part_from from_whole(void)
{
	return (struct part_from){ .words = whole->words, .numbers = numbers };
}

/* The table of what is taken, of rules as in the whole one; [UNW_INFO_LEFT_OUT] is what says so. */
static struct unwind_table copy_of(const struct part_from *from, u32 n_from)
{
	static struct unw_info infos[UNW_MAX_INFOS + 1];
	struct unwind_table part = *whole;
	u32 n = parts_copy(NULL, from, n_from, taken);

	part.words = calloc(n, sizeof(u64));
	part.n_words = n;
	part.infos = infos;
	assert_int_equal(parts_copy(part.words, from, n_from, taken), n);
	for (u32 i = 0; i < whole->n_infos; i++)
		infos[numbers[i]] = whole->infos[i];
	infos[UNW_INFO_LEFT_OUT].cfa = UNW_CFA_LEFT_OUT;
	return part;
}

/* How many are taken, in at most so many words. */
static u32 choose(const struct part_from *from, u32 n_from, bool near, u32 max_words)
{
	u32 n = 0;

	assert_true(pages() <= 256);
	assert_true(parts_choose(from, n_from, hits, near, max_words, taken) <= max_words);
	for (u32 i = 0; i < grains(); i++)
		n += part_bit(taken, i);
	return n;
}

static void expect_same(const struct unwind_table *part)
{
	for (u32 grain = 0; grain < grains(); grain++) {
		u64 from = whole->base + ((u64)grain << PART_BITS);
		bool none = part->words[1 + grain / PART_GRAINS] == UNW_LEFT_OUT;

		for (u64 at = from; at < from + (1 << PART_BITS); at += 13)
			if (part_bit(taken, grain))
				assert_memory_equal(unwind_table_find(part, at), unwind_table_find(whole, at),
						    sizeof(struct unw_info));
			else
				assert_int_equal(none ? UNW_CFA_LEFT_OUT : unwind_table_find(part, at)->cfa,
						 UNW_CFA_LEFT_OUT);
	}
}

static void test_all(void **state)
{
	struct part_from from;
	struct unwind_table part;

	(void)state;
	if (!whole)
		skip();
	from = from_whole();
	memset(hits, 1, sizeof(hits));
	assert_int_equal(choose(&from, 1, false, 2 * whole->n_words), grains());
	part = copy_of(&from, 1);
	assert_true(part.n_words <= whole->n_words);
	expect_same(&part);
	free(part.words);
}

static void test_hits_come_first(void **state)
{
	u32 some = 1 + pages() + 60, n, mid = grains() / 2, late = grains() - 200;
	struct part_from from;
	struct unwind_table part;

	(void)state;
	if (!whole)
		skip();
	from = from_whole();
	memset(hits, 0, sizeof(hits));
	for (u32 i = 0; i < 100; i++)
		hits[i] = 1;
	hits[mid] = 2;
	hits[late] = 255;
	n = choose(&from, 1, true, some);
	assert_true(n >= 2 && n < 60);
	assert_true(part_bit(taken, mid) && part_bit(taken, late));
	part = copy_of(&from, 1);
	assert_true(part.n_words <= some);
	expect_same(&part);
	free(part.words);

	memset(hits, 0, 100);
	assert_int_equal(choose(&from, 1, false, whole->n_words), 2);
	n = choose(&from, 1, true, whole->n_words);	/* neighbours, not what is far */
	assert_true(n > 10 && n <= 2 + 2 * 32);
	assert_true(part_bit(taken, mid + 1) && part_bit(taken, mid - 1) && !part_bit(taken, 100));
	part = copy_of(&from, 1);
	expect_same(&part);
	free(part.words);
}

/* Merging two tables: each keeps what the other lacks. */
static void test_two(void **state)
{
	struct part_from from[2];
	struct unwind_table old, both;
	static u64 had[MAX_GRAINS / 64];

	(void)state;
	if (!whole)
		skip();
	from[0] = from_whole();
	memset(hits, 0, sizeof(hits));
	for (u32 i = 0; i < grains(); i += 7)
		hits[i] = 1;
	choose(from, 1, false, whole->n_words);
	old = copy_of(from, 1);
	memcpy(had, taken, sizeof(had));
	from[1] = (struct part_from){ .words = old.words, .have = had };
	from[0].have = (u64 [MAX_GRAINS / 64]){ [5] = 0xff00ff };
	for (u32 i = 0; i < 64; i++)
		hits[5 * 64 + i] = 1;
	assert_int_equal(choose(from, 2, false, whole->n_words), (grains() + 6) / 7 + 16 -
			 (u32)__builtin_popcountll(had[5] & 0xff00ff));
	both = copy_of(from, 2);
	expect_same(&both);
	free(old.words);
	free(both.words);
}

/* Nothing but the list of pages: all are left out. */
static void test_empty(void **state)
{
	struct part_from from;
	struct unwind_table part;

	(void)state;
	if (!whole)
		skip();
	from = from_whole();
	assert_int_equal(choose(&from, 1, true, 1 + pages()), 0);
	part = copy_of(&from, 1);
	assert_int_equal(part.n_words, 1 + pages());
	expect_same(&part);
	free(part.words);
	assert_true(parts_choose(&from, 1, hits, true, 3, taken) > 3);
}

/* Made for some pages only: these equal the whole table, the others are left out. */
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
				if (a.cfa != UNW_CFA_NONE)	/* else derived from code, for whole tables */
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
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_asked_for),
	};

	return cmocka_run_group_tests(tests, read_whole, free_whole);
}
