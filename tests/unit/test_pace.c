// SPDX-License-Identifier: GPL-2.0-or-later
/* The share of CPU allowed for names and lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf/stacks/pace.h"

#define MS NSEC_PER_MSEC
#define S NSEC_PER_SEC

/* Questions of cost_ns each, asked as soon as may be, for some seconds; what they took. */
static u64 spend(enum pace what, u64 from_ns, u64 seconds, u64 cost_ns)
{
	u64 spent = 0;

	for (u64 t = from_ns; t < from_ns + seconds * S; t += 10 * MS) {
		if (!pace_may(what, t))
			continue;
		pace_asked(what, t);
		pace_answered(cost_ns);
		spent += cost_ns;
	}
	return spent;
}

/* A budget of 1 % of 2 CPUs: a quarter of it is 5 ms a second, whatever a question costs. */
static void a_quarter_of_the_budget(void **state)
{
	static const u64 costs[] = { MS, 20 * MS, 400 * MS };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(costs); i++) {
		u64 spent;

		pace_open(1, 2);
		spend(PACE_LINES, S, 100, costs[i]);	/* what was saved is gone */
		spent = spend(PACE_LINES, 101 * S, 400, costs[i]);
		assert_true(spent <= 2000 * MS + costs[i] && spent + costs[i] >= 2000 * MS);
	}
}

static void names_go_before_lines(void **state)
{
	(void)state;
	pace_open(1, 2);
	assert_true(pace_may(PACE_LINES, S));
	pace_asked(PACE_LINES, S);
	pace_answered(150 * MS);	/* 50 ms of debt */
	assert_false(pace_may(PACE_LINES, S));
	assert_true(pace_may(PACE_NAMES, S));
	pace_asked(PACE_NAMES, S);
	pace_answered(200 * MS);
	assert_false(pace_may(PACE_NAMES, S));
	assert_true(pace_may(PACE_NAMES, 12 * S));
	assert_false(pace_may(PACE_LINES, 12 * S));
	assert_true(pace_may(PACE_LINES, 52 * S));
}

/* The cost of a request is known late: only a few are in flight. */
static void few_are_on_the_way(void **state)
{
	u32 n = 0;

	(void)state;
	pace_open(100, 64);
	for (; pace_may(PACE_NAMES, S) && n < 100; n++)
		pace_asked(PACE_NAMES, S);
	assert_int_equal(n, 3);
	pace_hurry(true);
	assert_true(pace_may(PACE_LINES, S));
	pace_hurry(false);
	pace_answered(0);
	assert_true(pace_may(PACE_LINES, S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quarter_of_the_budget),
		cmocka_unit_test(names_go_before_lines),
		cmocka_unit_test(few_are_on_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
