// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A collector that is not needed any more runs on for minutes, and for seconds while ottop is over
 * its budget.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/kernel/linger.h"
#include "bpf/model/snapshot.h"

#define S NSEC_PER_SEC

static void tell(u32 ticks, float cpu_pct, float bpf_pct, u64 memory_bytes)
{
	const struct linger_cost c = {
		.cpu_pct = cpu_pct, .bpf_pct = bpf_pct, .budget_pct = 1,
		.memory_bytes = memory_bytes, .interval_ns = S,
	};

	while (ticks--)
		linger_report(&c);
}

static void test_within(void **state)
{
	(void)state;
	linger_forget();
	tell(30, 0.5f, 0.4f, 30 << 20);
	assert_false(linger_is_dear());
	assert_false(linger_ends(300 * S, 300 * S, 20 * S));
	assert_true(linger_ends(301 * S, 300 * S, 20 * S));
}

static void test_over(void **state)
{
	(void)state;
	linger_forget();
	tell(30, 0.7f, 0.4f, 30 << 20);
	assert_true(linger_is_dear());
	assert_false(linger_ends(20 * S, 300 * S, 20 * S));
	assert_true(linger_ends(21 * S, 300 * S, 20 * S));
	tell(30, 0.2f, 0.1f, 30 << 20);
	assert_false(linger_ends(21 * S, 300 * S, 20 * S));
}

static void test_one_tick(void **state)
{
	(void)state;
	linger_forget();
	tell(30, 0.3f, F32_UNKNOWN, 30 << 20);
	tell(1, 3, F32_UNKNOWN, 30 << 20);	/* 0.3 + 2.7 / 5 */
	assert_false(linger_is_dear());
	tell(3, 3, F32_UNKNOWN, 30 << 20);
	assert_true(linger_is_dear());
}

static void test_memory(void **state)
{
	(void)state;
	linger_forget();
	tell(1, F32_UNKNOWN, F32_UNKNOWN, 51000000);
	assert_true(linger_is_dear());
	tell(1, F32_UNKNOWN, F32_UNKNOWN, 49000000);
	assert_false(linger_is_dear());
	tell(1, F32_UNKNOWN, F32_UNKNOWN, U64_UNKNOWN);
	assert_false(linger_is_dear());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_within), cmocka_unit_test(test_over),
		cmocka_unit_test(test_one_tick), cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
