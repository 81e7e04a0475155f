// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_lost_bpf.c: profiler_lost.bpf.h: the time of lost samples is summed by process and kind, whoever loses
 * how many of them at the same time.
 */
#include "bpf_on_host.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define bpf_core_read_str(to, size, from) memcpy(to, from, size)

#include "bpf/kernel/kernel.h"
#include "bpf/stacks/stack_wire.h"
#include "bpf/collectors/profiler/profiler_lost.bpf.h"

#define PROCESSES 60
#define ROUNDS 5000

static struct task_struct leaders[2000];

static struct task_struct thread_of(u32 i)
{
	struct task_struct *l = &leaders[i];

	l->pid = l->tgid = (int)(i + 1);
	l->start_boottime = 1000000 + i / 2;	/* two may begin at the same time */
	l->group_leader = l;
	memcpy(l->comm, "worker", 7);
	return (struct task_struct){ .pid = 100000, .tgid = l->tgid, .group_leader = l };
}

static void begin(void)
{
	memset(lost_times, 0, sizeof(lost_times));
	memset(lost_others, 0, sizeof(lost_others));
	lost_set = 0;
}

static void *lose_all(void *arg)
{
	for (u32 n = 0; n < ROUNDS; n++)
		for (u32 i = 0; i < PROCESSES; i++) {
			struct task_struct t = { .pid = 100000, .tgid = (int)(i + 1), .group_leader = &leaders[i] };

			lose_time(&t, SAMPLE_OFFCPU, 10 + i);
			lose_time(&t, SAMPLE_CPU, 1);
		}
	return arg;
}

/* Sums of a process of that kind in that set, whose entries must be its only ones. */
static struct lost_time sum_of(u32 set, u32 tgid, u32 kind)
{
	struct lost_time sum = { 0 };
	u32 n = 0;

	for (u32 i = 0; i < LOST_PROCESSES; i++) {
		struct lost_time *l = &lost_times[set][i];

		if (!l->key || l->tgid != tgid || l->kind != kind)
			continue;
		assert_int_equal(l->start_ns, leaders[tgid - 1].start_boottime);
		assert_string_equal(l->comm, "worker");
		sum = *l;
		n++;
	}
	assert_int_equal(n, 1);
	return sum;
}

static void each_process_has_its_time(void **state)
{
	pthread_t other;

	(void)state;
	begin();
	for (u32 i = 0; i < PROCESSES; i++)
		thread_of(i);
	pthread_create(&other, NULL, lose_all, NULL);
	lose_all(NULL);
	pthread_join(other, NULL);
	assert_int_equal(lost_others[0][SAMPLE_CPU].samples, 0);
	assert_int_equal(lost_others[0][SAMPLE_OFFCPU].samples, 0);
	for (u32 i = 0; i < PROCESSES; i++) {
		assert_int_equal(sum_of(0, i + 1, SAMPLE_OFFCPU).value, 2 * ROUNDS * (10 + i));
		assert_int_equal(sum_of(0, i + 1, SAMPLE_CPU).value, 2 * ROUNDS);
		assert_int_equal(sum_of(0, i + 1, SAMPLE_CPU).samples, 2 * ROUNDS);
	}
}

/* Without room for their processes, times are in one sum. */
static void more_processes_than_places(void **state)
{
	u64 value = 0, samples = 0;

	(void)state;
	begin();
	for (u32 i = 0; i < 2000; i++) {
		struct task_struct t = thread_of(i);

		lose_time(&t, SAMPLE_OFFCPU, 1000);
	}
	for (u32 i = 0; i < LOST_PROCESSES; i++) {
		value += lost_times[0][i].value;
		samples += lost_times[0][i].samples;
	}
	assert_true(samples > LOST_PROCESSES / 2);
	assert_true(lost_others[0][SAMPLE_OFFCPU].samples > 0);
	assert_int_equal(lost_others[0][SAMPLE_OFFCPU].kind, SAMPLE_OFFCPU);
	assert_int_equal(lost_others[0][SAMPLE_OFFCPU].tgid, 0);
	assert_int_equal(samples + lost_others[0][SAMPLE_OFFCPU].samples, 2000);
	assert_int_equal(value + lost_others[0][SAMPLE_OFFCPU].value, 2000 * 1000);
}

static void the_other_set_is_left_alone(void **state)
{
	struct task_struct t = thread_of(3);

	(void)state;
	begin();
	lose_time(&t, SAMPLE_OFFCPU, 5);
	lost_set = 1;
	lose_time(&t, SAMPLE_OFFCPU, 7);
	assert_int_equal(sum_of(0, 4, SAMPLE_OFFCPU).value, 5);
	assert_int_equal(sum_of(1, 4, SAMPLE_OFFCPU).value, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_process_has_its_time),
		cmocka_unit_test(more_processes_than_places),
		cmocka_unit_test(the_other_set_is_left_alone),
	};

	return cmocka_run_group_tests_name("lost_bpf", tests, NULL, NULL);
}
