// SPDX-License-Identifier: GPL-2.0-or-later
/* test_losses.c: any number of loss causes is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bpf/kernel/probes.h"

#define CAUSES 100

static void every_cause(void **state)
{
	static char names[CAUSES][16];

	for (u32 i = 0; i < CAUSES; i++) {
		snprintf(names[i], sizeof(names[i]), "cause %u", i);
		loss_set(names[i], 1000);
		loss_set(names[i], i);
	}
	assert_int_equal(loss_total(), CAUSES * (CAUSES - 1) / 2);
}

/* Losses that are a small part of the total are counted without an alarm. */
static void minor_ones(void **state)
{
	u64 total = loss_total(), alarming = loss_alarming();

	loss_set_of("few", 1, 9);
	loss_set_of("few", 9, 80);	/* of so few a share says nothing */
	loss_set_of("few", 9, 1000);
	assert_int_equal(loss_total() - total, 9);
	assert_int_equal(loss_alarming(), alarming);
	loss_set_of("few", 21, 2000);
	assert_int_equal(loss_total() - total, 21);
	assert_int_equal(loss_alarming() - alarming, 12);
	loss_set_of("few", 22, 2300);
	loss_set("any", 1);
	assert_int_equal(loss_alarming() - alarming, 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cause),
		cmocka_unit_test(minor_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
