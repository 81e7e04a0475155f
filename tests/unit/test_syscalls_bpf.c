// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_syscalls_bpf.c: the tables of syscalls.bpf.c under real concurrency: threads act as tasks on
 * many CPUs, and no call may be lost or counted twice.
 */
#include "bpf_on_host.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *bpf_map_lookup_elem(const void *map, const void *key);
#include "bpf/collectors/syscalls/syscalls.bpf.c"

#define TASKS 8
#define CALLS 20000
#define N_NRS 50

static struct sc_set test_sets[2];
static struct counted test_counted[COUNTED_MAX];
static __thread struct task_struct *me;
static __thread struct task_state my_state;
static __thread bool have_state;
static __thread u64 my_clock;

struct task_struct *bpf_get_current_task_btf(void)
{
	return me;
}

unsigned long long bpf_ktime_get_ns(void)
{
	return my_clock;
}

unsigned long long bpf_ktime_get_boot_ns(void)
{
	return my_clock + 1000000;
}

void *bpf_task_storage_get(void *map, struct task_struct *t, void *value, unsigned long long flags)
{
	(void)map;
	(void)t;
	(void)value;
	if (!have_state && !(flags & BPF_LOCAL_STORAGE_GET_F_CREATE))
		return NULL;
	have_state = true;
	return &my_state;
}

/* The map of sets has each set as a map, which is here the set itself. */
static void *bpf_map_lookup_elem(const void *map, const void *key)
{
	if (map == &counted)
		return &test_counted[*(const u32 *)key];
	return map == &sets ? &test_sets[*(const u32 *)key] : (void *)map;
}

/* Task i is of process i / 2: two threads share every slot. */
static void *task_main(void *arg)
{
	long i = (long)arg;
	struct task_struct leader = { .start_boottime = 1000 + i / 2 };
	struct task_struct task = { .pid = 200 + (int)i, .tgid = 100 + (int)i / 2, .group_leader = &leader };

	me = &task;
	my_clock = 1;
	for (long n = 0; n < CALLS; n++) {
		on_enter(NULL, n % N_NRS);
		my_clock += 100 << (n % 20);
		on_return(NULL, n % 7 ? 0 : -2);
	}
	on_enter(NULL, 231);
	on_thread_end(&task);
	return NULL;
}

static void run_tasks(void)
{
	pthread_t threads[TASKS];

	memset(test_sets, 0, sizeof(test_sets));
	lost_slots = lost_cells = 0;
	generation = 1;
	current_set = 0;
	for (long i = 0; i < TASKS; i++)
		pthread_create(&threads[i], NULL, task_main, (void *)i);
	for (long i = 0; i < TASKS; i++)
		pthread_join(threads[i], NULL);
}

static u64 sum_slots(u32 tgid, u32 call, u64 *ret_errors, u64 *ret_died)
{
	u64 n = 0;

	for (u32 i = 0; i < N_SLOTS; i++) {
		struct sc_slot *s = &test_sets[0].slots[i];

		if (!s->ready || s->tgid != tgid || s->call != call)
			continue;
		n += s->count;
		*ret_errors += s->errors;
		*ret_died += s->died;
	}
	return n;
}

static void no_call_is_lost_or_doubled(void **state)
{
	u64 all = 0, errors = 0, died = 0, nothing = 0;

	(void)state;
	run_tasks();
	for (u32 p = 0; p < TASKS / 2; p++) {
		for (u32 nr = 0; nr < N_NRS; nr++) {
			u64 n = sum_slots(100 + p, nr, &errors, &nothing);

			assert_int_equal(n, 2 * CALLS / N_NRS);
			all += n;
		}
		sum_slots(100 + p, 231, &nothing, &died);
	}
	assert_int_equal(all, (u64)TASKS * CALLS);
	assert_int_equal(errors, (u64)TASKS * ((CALLS + 6) / 7));
	assert_int_equal(died, TASKS);
	assert_int_equal(lost_slots + lost_cells, 0);
}

/*
 * A call denied by seccomp has only a return: counted, without a latency, after a thread's first.
 */
static void denied_calls(void **state)
{
	struct task_struct leader = { .start_boottime = 77 };
	struct task_struct task = { .pid = 501, .tgid = 500, .group_leader = &leader };
	struct pt_regs regs = { .orig_ax = 39 };
	u64 errors = 0, died = 0;

	(void)state;
	memset(test_sets, 0, sizeof(test_sets));
	generation = 9;
	have_state = false;
	memset(&my_state, 0, sizeof(my_state));
	me = &task;
	my_clock = 1;
	on_return(&regs, -1);			/* no entry was seen: the thread is unknown */
	assert_int_equal(sum_slots(500, 39, &errors, &died), 0);
	on_enter(NULL, 1);
	on_return(&regs, 0);
	for (int i = 0; i < 1000; i++)
		on_return(&regs, -1);
	assert_int_equal(sum_slots(500, 39, &errors, &died), 0);
	assert_int_equal(died, 1000);
	assert_int_equal(errors, 1000);
	assert_int_equal(calls_of(501, &my_state), 1001);
	generation = 10;			/* another measurement: the next may have begun before it */
	on_return(&regs, -1);
	on_return(&regs, -1);
	died = 0;
	sum_slots(500, 39, &errors, &died);
	assert_int_equal(died, 1001);
}

static void cells_add_up_to_the_calls(void **state)
{
	u64 latencies = 0, errnos = 0;

	(void)state;
	run_tasks();
	for (u32 i = 0; i < N_CELLS; i++) {
		struct sc_cell *c = &test_sets[0].cells[i];

		if (!c->key)
			continue;
		assert_true(CELL_SLOT(c->key) < N_SLOTS);
		if (CELL_WHAT(c->key) >= CELL_ERRNO) {
			assert_int_equal(CELL_WHAT(c->key) - CELL_ERRNO, 2);
			errnos += c->n;
		} else {
			assert_true(CELL_WHAT(c->key) <= HIST_INDEX_MAX);
			latencies += c->n;
		}
	}
	assert_int_equal(latencies, (u64)TASKS * CALLS);
	assert_int_equal(errnos, (u64)TASKS * ((CALLS + 6) / 7));
}

static void full_table_goes_to_other(void **state)
{
	u64 n = 0;

	(void)state;
	memset(test_sets, 0, sizeof(test_sets));
	lost_slots = 0;
	for (u32 i = 0; i < 2 * N_SLOTS; i++)
		test_sets[0].slots[find_slot(0, 1, i, i)].count++;
	for (u32 i = 0; i < N_SLOTS; i++)
		n += test_sets[0].slots[i].count;
	assert_int_equal(n, 2 * N_SLOTS);
	assert_int_equal(test_sets[0].slots[OTHER_SLOT].count, lost_slots);
	assert_true(lost_slots >= N_SLOTS);
}

static void stale_entry_is_not_measured(void **state)
{
	struct task_struct leader = { .start_boottime = 9 };
	struct task_struct task = { .pid = 9, .tgid = 9, .group_leader = &leader };
	u64 nothing = 0;

	(void)state;
	memset(test_sets, 0, sizeof(test_sets));
	me = &task;
	my_clock = 1;
	generation = 5;
	on_enter(NULL, 3);
	generation = 6;		/* switched off and on again in between */
	on_return(NULL, 0);
	assert_int_equal(sum_slots(9, 3, &nothing, &nothing), 0);
	on_return(NULL, 0);	/* and a return without entry: a fork's child */
	assert_int_equal(sum_slots(9, 3, &nothing, &nothing), 0);
}

static void scope_leaves_others_out(void **state)
{
	struct task_struct leader = { .start_boottime = 9 };
	struct task_struct task = { .pid = 9, .tgid = 9, .group_leader = &leader };
	u64 nothing = 0, calls;

	(void)state;
	memset(test_sets, 0, sizeof(test_sets));
	me = &task;
	my_clock = 1;
	generation = 7;
	scope_n = 1;
	scope_tgids[0] = 8;
	calls = calls_of(9, &my_state);
	on_enter(NULL, 4);
	on_return(NULL, 0);
	assert_int_equal(sum_slots(9, 4, &nothing, &nothing), 0);
	assert_int_equal(calls_of(9, &my_state), calls + 1);	/* but it is counted */
	scope_tgids[0] = 9;
	on_enter(NULL, 4);
	on_return(NULL, 0);
	assert_int_equal(sum_slots(9, 4, &nothing, &nothing), 1);
	scope_n = 0;
}

/* Two threads with colliding numbers are counted separately, also after one has ended. */
static void places_are_shared_by_nobody(void **state)
{
	struct task_struct leader = { .start_boottime = 9 };
	struct task_struct first = { .pid = 30, .tgid = 30, .group_leader = &leader };
	struct task_struct second = { .pid = 30 + COUNTED_MAX, .tgid = 30, .group_leader = &leader };
	struct task_state states[2] = {};

	(void)state;
	generation = 0;
	memset(test_counted, 0, sizeof(test_counted));
	for (int i = 0; i < 10; i++) {
		me = i % 2 ? &second : &first;
		my_state = states[i % 2];
		have_state = true;
		on_enter(NULL, 1);
		states[i % 2] = my_state;
	}
	assert_int_equal(states[0].calls, 0);		/* in its place */
	assert_int_equal(calls_of(first.pid, &states[0]), 5);
	assert_int_equal(calls_of(second.pid, &states[1]), 5);
	counted_leave(second.pid, &states[1]);		/* it has none */
	assert_int_equal(calls_of(first.pid, &states[0]), 5);
	counted_leave(first.pid, &states[0]);
	assert_int_equal(states[0].calls, 5);
	assert_int_equal(calls_of(first.pid, &states[0]), 5);
	me = &second;
	my_state = states[1];
	on_enter(NULL, 1);
	states[1] = my_state;
	assert_int_equal(states[1].calls, 5);		/* it has the place now, with what it had counted before */
	assert_int_equal(calls_of(second.pid, &states[1]), 6);
	assert_int_equal(calls_of(first.pid, &states[0]), 5);
}

static void odd_numbers_are_invalid_calls(void **state)
{
	struct task_struct task = {};

	(void)state;
	assert_int_equal(CALL_NR(call_of(&task, 0xfff)), 0xfff);
	assert_int_equal(CALL_NR(call_of(&task, 0x1000)), CALL_INVALID);
	assert_int_equal(CALL_NR(call_of(&task, -1)), CALL_INVALID);
#ifdef __x86_64__
	assert_int_equal(CALL_ABI(call_of(&task, 0x40000000 + 1)), ABI_X32);
	task.thread_info.status = TS_COMPAT;
	assert_int_equal(CALL_ABI(call_of(&task, 1)), ABI_COMPAT);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_call_is_lost_or_doubled),
		cmocka_unit_test(denied_calls),
		cmocka_unit_test(cells_add_up_to_the_calls),
		cmocka_unit_test(full_table_goes_to_other),
		cmocka_unit_test(stale_entry_is_not_measured),
		cmocka_unit_test(scope_leaves_others_out),
		cmocka_unit_test(places_are_shared_by_nobody),
		cmocka_unit_test(odd_numbers_are_invalid_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
