// SPDX-License-Identifier: GPL-2.0-or-later
/* A ring that fills up wakes its reader in time, and not for each record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/kernel/wake.h"

#define RING (512ul << 10)
#define LARGEST 2208ul		/* bytes of one record */

/* Writes until the ring is full. How many records woke the reader, who never comes; *ret_first: what waited then. */
static unsigned fill(unsigned seed, unsigned long *ret_first)
{
	unsigned long full = 0, size;
	unsigned woken = 0;

	srand(seed);
	for (;; full += size) {
		size = rand() % 3 ? 160 : 160 + (unsigned long)rand() % (LARGEST - 159);
		if (full + size > RING)
			return woken;
		if (!wakes_reader(full, RING / 2, 2 * LARGEST))
			continue;
		if (!woken++)
			*ret_first = full;
	}
}

static void at_the_mark(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed < 200; seed++) {
		unsigned long first = 0;
		unsigned woken = fill(seed, &first);

		assert_in_range(woken, 1, 2 * LARGEST / 160 + 1);
		assert_in_range(first, RING / 2, RING / 2 + LARGEST);
	}
}

static void below_and_beyond(void **state)
{
	(void)state;
	assert_false(wakes_reader(0, RING / 2, LARGEST));
	assert_false(wakes_reader(RING / 2 - 1, RING / 2, LARGEST));
	assert_true(wakes_reader(RING / 2, RING / 2, LARGEST));
	assert_false(wakes_reader(RING / 2 + LARGEST, RING / 2, LARGEST));
	assert_false(wakes_reader(RING, RING / 2, LARGEST));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(at_the_mark), cmocka_unit_test(below_and_beyond) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
