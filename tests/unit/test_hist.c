// SPDX-License-Identifier: GPL-2.0-or-later
/* test_hist.c: the bucket index against the exact formula, merging, quantiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "bpf/model/hist.h"

/* The definition, in long double: i = ceil(8 log2(v)) - 1 for v in units of 2^-30 s. */
static int exact_index(u64 ns)
{
	u64 u = (u64)((unsigned __int128)ns * (1u << 30) / 1000000000u);

	if (u <= 1)
		return -1;
	return (int)min(ceill(8 * log2l((long double)u)) - 1, 335.0L);
}

static void index_matches_formula(void **state)
{
	(void)state;
	for (u64 ns = 0; ns < 200000; ns++)
		assert_int_equal(hist_bucket(ns), exact_index(ns));
	for (u64 ns = 200000; ns < 30 * NSEC_PER_SEC; ns += ns / 997 + 1)
		assert_true(abs(hist_bucket(ns) - exact_index(ns)) == 0);
	/* beyond 36 bits the unit is coarser: at most one bucket off, and only at an edge */
	for (u64 ns = 60 * NSEC_PER_SEC; ns < 5000 * NSEC_PER_SEC; ns += ns / 997 + 1)
		assert_true(abs(hist_bucket(ns) - exact_index(ns)) <= 1);
	assert_int_equal(hist_bucket(UINT64_MAX / 2), HIST_BUCKETS - 1);
}

static void value_lies_in_its_bucket(void **state)
{
	(void)state;
	for (u64 ns = 100; ns < 10 * NSEC_PER_SEC; ns += ns / 13 + 1) {
		int j = hist_bucket(ns);

		assert_true(hist_lower_ns(j) <= (double)ns + 1);
		assert_true(hist_upper_ns(j) >= (double)ns - 1);
	}
}

static void sum_is_exact(void **state)
{
	struct hist_acc all = {}, a = {}, b = {};
	const struct hist *ha, *hb, *hs, *hall;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		u64 ns = (u64)i * i * 37;

		hist_acc_value(&all, ns);
		hist_acc_value(i % 3 ? &a : &b, ns);
	}
	ha = hist_seal(&a);
	hb = hist_seal(&b);
	hs = hist_sum(ha, hb);
	hall = hist_seal(&all);
	assert_int_equal(hs->count, 1000);
	assert_int_equal(hs->sum_ns, hall->sum_ns);
	assert_int_equal(hs->max_ns, 999ull * 999 * 37);
	assert_int_equal(hs->n, hall->n);
	assert_memory_equal(hs->counts, hall->counts, hs->n * sizeof(u64));
	hist_put(ha);
	hist_put(hb);
	hist_put(hs);
	hist_put(hall);
}

static void quantiles_are_within_half_a_bucket(void **state)
{
	struct hist_acc a = {};
	const struct hist *h;

	(void)state;
	for (u64 i = 1; i <= 1000; i++)
		hist_acc_value(&a, i * 1000);
	h = hist_seal(&a);
	assert_true(fabs((double)hist_quantile(h, 0.5) / 500000 - 1) < 0.045);
	assert_true(fabs((double)hist_quantile(h, 0.99) / 990000 - 1) < 0.045);
	assert_true(hist_quantile(h, 1.0) <= 1000000);
	assert_int_equal(hist_quantile(NULL, 0.5), 0);
	hist_put(h);
}

static void one_value_is_its_own_quantile(void **state)
{
	struct hist_acc a = {};
	const struct hist *h;

	(void)state;
	hist_acc_value(&a, 50);
	h = hist_seal(&a);
	assert_true(hist_quantile(h, 0.01) <= 50);
	assert_int_equal(h->max_ns, 50);
	assert_int_equal(h->min_ns, 50);
	assert_int_equal(h->n, 1);
	hist_put(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_matches_formula),
		cmocka_unit_test(value_lies_in_its_bucket),
		cmocka_unit_test(sum_is_exact),
		cmocka_unit_test(quantiles_are_within_half_a_bucket),
		cmocka_unit_test(one_value_is_its_own_quantile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
