// SPDX-License-Identifier: GPL-2.0-or-later
/* No file can starve the others of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf/stacks/pace.h"
#include "bpf/stacks/turns.h"

#define MS NSEC_PER_MSEC
#define S NSEC_PER_SEC
#define FILES 5

static u32 left[FILES + 1];	/* questions that each file has */

static bool is_ready(u32 file)
{
	return left[file] != 0;
}

static void the_hottest_is_asked_first(void **state)
{
	(void)state;
	for (u32 file = 1; file <= FILES; file++) {
		left[file] = 1;
		for (u32 i = 0; i < file; i++)
			turns_heat(file);
	}
	left[FILES] = 0;
	assert_int_equal(turns_next(FILES, is_ready, S), FILES - 1);
	turns_asked(FILES - 1);
	left[FILES - 1] = 0;
	assert_int_equal(turns_next(FILES, is_ready, S), FILES - 2);
	turns_close();
}

/* A file that is sampled a thousand times as often as the others and always has new frames. */
static void a_hot_file_does_not_starve_a_cold_one(void **state)
{
	u32 asked[FILES + 1] = { 0 };

	(void)state;
	for (u32 file = 1; file <= FILES; file++)
		left[file] = 1000;
	for (u32 i = 0; i < 100; i++) {
		u32 file;

		for (u32 n = 0; n < 1000; n++)
			turns_heat(FILES);
		file = turns_next(FILES, is_ready, S);
		turns_asked(file);
		turns_answered(file, 0, S);
		asked[file]++;
	}
	for (u32 file = 1; file < FILES; file++)
		assert_in_range(asked[file], 5, 7);
	assert_in_range(asked[FILES], 72, 80);
	turns_close();
}

/*
 * The names of one take 10 s, after which it is given up; the rest wait for seconds, not for an
 * hour.
 */
static void a_file_that_costs_much_waits_itself(void **state)
{
	u64 t = S;
	u32 first;

	(void)state;
	pace_open(1, 2);
	for (u32 file = 1; file <= FILES; file++)
		left[file] = 1;
	turns_heat(3);
	assert_int_equal(turns_next(FILES, is_ready, t), 3);
	turns_asked(3);
	turns_heat(3);
	turns_answered(3, 90 * MS, t);	/* as a file of usual size: at once again */
	assert_int_equal(turns_next(FILES, is_ready, t), 3);
	turns_asked(3);
	pace_asked(PACE_NAMES, t);
	turns_answered(3, 10 * S, t);
	pace_answered(10 * S);
	while (!pace_may(PACE_NAMES, t))
		t += 100 * MS;
	assert_true(t <= 6 * S);
	turns_heat(3);
	first = turns_next(FILES, is_ready, t);
	assert_int_not_equal(first, 3);
	assert_int_not_equal(first, 0);
	left[1] = left[2] = left[4] = left[5] = 0;
	assert_int_equal(turns_next(FILES, is_ready, t), 0);
	assert_int_equal(turns_next(FILES, is_ready, 12 * S), 3);
	turns_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hottest_is_asked_first),
		cmocka_unit_test(a_hot_file_does_not_starve_a_cold_one),
		cmocka_unit_test(a_file_that_costs_much_waits_itself),
	};

	return cmocka_run_group_tests_name("turns", tests, NULL, NULL);
}
