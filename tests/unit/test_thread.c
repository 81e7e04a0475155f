// SPDX-License-Identifier: GPL-2.0-or-later
/* When a thread of ottop has priority over others, and when it yields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "bpf/model/thread.h"

#define MS NSEC_PER_MSEC

static void test_long_work_yields(void **state)
{
	struct thread_pace p = {};

	(void)state;
	assert_false(thread_yields(&p, 2 * MS, 0));
	assert_false(thread_yields(&p, 2 * MS, 500 * MS));	/* it waited, and goes before others all the same */
	assert_true(thread_yields(&p, 20 * MS, 0));
	assert_true(thread_yields(&p, 20 * MS, 40 * MS));	/* two others on its CPU */
	assert_false(thread_yields(&p, 3 * MS, 6 * MS));
}

static void test_crowd_ends_it(void **state)
{
	struct thread_pace p = {};
	u32 n = 0;

	(void)state;
	assert_true(thread_yields(&p, 20 * MS, 0));
	assert_false(thread_yields(&p, 20 * MS, 400 * MS));	/* twenty others */
	while (!thread_yields(&p, 20 * MS, 2 * MS))
		n++;
	assert_in_range(n, 10, 100);	/* it is tried again, seldom */
}

/* A short piece of work that waits for one time slice of another is no overload. */
static void test_one_wait_is_no_crowd(void **state)
{
	struct thread_pace p = {};

	(void)state;
	assert_true(thread_yields(&p, 6 * MS, 0));
	assert_true(thread_yields(&p, 6 * MS, 35 * MS));
}

static int raised(int nice)
{
	return setpriority(PRIO_PROCESS, 0, nice);
}

/* Of a real thread: it burns CPU time, and gets back what it gave. */
static void test_priority_follows(void **state)
{
	struct thread_pace p = {};
	u64 until;

	(void)state;
	if (thread_raise()) {
		print_message("not allowed to raise a priority\n");
		skip();
	}
	assert_int_equal(getpriority(PRIO_PROCESS, 0), -10);
	thread_follow_pace(&p);
	for (until = clock_ns(CLOCK_THREAD_CPUTIME_ID) + 2 * THREAD_LONG_NS; clock_ns(CLOCK_THREAD_CPUTIME_ID) < until; )
		;
	thread_follow_pace(&p);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), 0);
	thread_follow_pace(&p);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), -10);
	raised(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_work_yields),
		cmocka_unit_test(test_crowd_ends_it),
		cmocka_unit_test(test_one_wait_is_no_crowd),
		cmocka_unit_test(test_priority_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
