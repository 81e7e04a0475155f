// SPDX-License-Identifier: GPL-2.0-or-later
/* test_fair.c: fair selection: shares of groups within groups, the heaviest of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/fair.h"

static struct fair all[4096];
static u32 n;

static void add(u32 a, u32 b, u32 c, u32 members)
{
	for (u32 i = 0; i < members; i++, n++)
		all[n] = (struct fair){ .group = { a, b, c }, .place = n, .weight = i * 7919 % members };
}

/* How many stay of a group; ~0: of all. */
static u32 stay(u32 kept, u32 a, u32 b, u32 c)
{
	const u32 want[] = { a, b, c };
	u32 sum = 0;

	for (u32 i = 0; i < kept; i++) {
		bool is = true;

		for (u32 k = 0; k < FAIR_LEVELS; k++)
			is = is && (want[k] == ~0u || want[k] == all[i].group[k]);
		sum += is;
	}
	return sum;
}

static void shares(void **state)
{
	u32 kept;

	n = 0;
	add(1, 1, 1, 500);
	add(1, 2, 1, 3);
	add(1, 2, 2, 500);
	add(1, 2, 3, 500);
	add(2, 9, 9, 20);
	add(3, 3, 3, 1000);
	kept = fair_choose(all, n, 540);
	assert_int_equal(kept, 540);
	assert_int_equal(stay(kept, 2, ~0u, ~0u), 20);		/* less than its share: all of it */
	assert_true(stay(kept, 1, ~0u, ~0u) == 125);		/* of 270, and nothing of the other half */
	assert_in_range(stay(kept, 1, 1, ~0u), 62, 63);
	assert_int_equal(stay(kept, 1, 2, 1), 3);
	assert_in_range(stay(kept, 1, 2, 2), 29, 30);
	assert_in_range(stay(kept, 1, 2, 3), 29, 30);
	assert_int_equal(stay(kept, 3, ~0u, ~0u), 395);
	for (u32 i = 0; i < kept; i++)
		if (all[i].group[2] == 3)
			assert_true(all[i].weight >= (all[i].group[0] == 3 ? 1000 - 395 : 500 - 30));
}

/* Those not selected follow the others, and none is lost. */
static void everybody_is_there(void **state)
{
	bool seen[4096] = { false };

	n = 0;
	for (u32 i = 0; i < 1000; i++)
		add(i % 3, i % 50, i, 1);
	assert_int_equal(fair_choose(all, n, 777), 777);
	for (u32 i = 0; i < n; i++) {
		assert_false(seen[all[i].place]);
		seen[all[i].place] = true;
	}
	assert_int_equal(fair_choose(all, n, n), n);
	assert_int_equal(fair_choose(all, n, 0), 0);
	assert_int_equal(fair_choose(all, 0, 5), 0);
}

/* More groups than there is room for: the heaviest, of any group. */
static void many_groups(void **state)
{
	u32 kept;

	n = 0;
	for (u32 i = 0; i < 100; i++)
		add(1, i, 1, 3);
	kept = fair_choose(all, n, 40);
	assert_int_equal(kept, 40);
	for (u32 i = 0; i < kept; i++)
		assert_int_equal(all[i].weight, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares),
		cmocka_unit_test(everybody_is_there),
		cmocka_unit_test(many_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
