// SPDX-License-Identifier: GPL-2.0-or-later
/* Waited-for objects: there is room for the current ones, however many there were before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "bpf/collectors/profiler/profiler_things.h"
#include "bpf/host/proctab.h"
#include "bpf/stacks/stack_wire.h"

#define TICKS 100
#define NEW_A_TICK 1000		/* connections, of which each is waited for once */

/* A wait in read() of a file of its own. */
static struct thing *wait_for(u64 ino)
{
	struct wire_sample s = {
		.tgid = 100, .tid = 100, .start_ns = 1, .value = 1000,
		.in = { .call = __NR_read, .since_ns = 1, .end_ns = 2, .ino = ino, .args = { 5 }, .mode = S_IFSOCK },
	};

	return things_of(&s);
}

static void connections_come_and_go(void **state)
{
	const struct thing *lasting = NULL;
	u64 ino = 1000;

	(void)state;
	for (u32 tick = 0; tick < TICKS; tick++) {
		struct thing *t = wait_for(1);

		assert_non_null(t);
		assert_true(!lasting || t == lasting);	/* what is met in each tick stays */
		lasting = t;
		for (u32 i = 0; i < NEW_A_TICK; i++)
			assert_non_null(wait_for(ino++));
		things_forget();
	}
	assert_int_equal(things_refused(), 0);
	things_close();
}

/* More in one tick than there is room for: refused and counted. */
static void too_many_at_once(void **state)
{
	u32 n = 0;

	(void)state;
	for (u64 ino = 1; ino <= 10000; ino++)
		n += wait_for(ino) == NULL;
	assert_in_range(n, 1, 9999);
	assert_int_equal(things_refused(), n);
	things_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_come_and_go), cmocka_unit_test(too_many_at_once),
	};
	bool is_new;

	proctab_get(100, 1, &is_new);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
