// SPDX-License-Identifier: GPL-2.0-or-later
/* test_losses.c: every cause of a loss is kept, however many there are. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
