// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_waits_bpf.c: profiler_waits.bpf.h under real concurrency: one thread plays a
 * task that waits again and again, another one the passes, and each nanosecond of its
 * waits is reported once, whoever does it and whatever finds no room.
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

#define bpf_core_field_exists(member) 1
#define bpf_core_read_str(to, size, from) memcpy(to, from, size)

#include "bpf/host/syscall_id.h"
#include "bpf/kernel/tasks.bpf.h"
#include "bpf/kernel/scope.bpf.h"
#include "bpf/stacks/stack_wire.h"

long bpf_seq_write(struct seq_file *seq, const void *data, u32 size);
long bpf_get_task_stack(struct task_struct *t, void *buf, u32 size, u64 flags);
void *bpf_map_lookup_elem(void *map, const void *key);
static bool walk_registers(struct walk_regs *r, struct task_struct *t);
static void read_call(struct wire_call *c, struct task_struct *t);
static u32 outside_now(struct task_struct *t);

#include "bpf/collectors/profiler/profiler_waits.bpf.h"

#define WAITS 200000

static struct mm_struct mm;
static struct task_struct leader, task;
static struct task_state task_own;
static struct wire_new_wait scratch;
static u64 now_ns = 1000, reported_ns;	/* reported_ns: by passes */
static u32 n_reported, n_new, fail_every, n_written;

static void read_call(struct wire_call *c, struct task_struct *t)
{
	(void)t;
	c->call = CALL_NONE;
}

static u32 outside_now(struct task_struct *t)
{
	(void)t;
	return 0;
}

unsigned long long bpf_ktime_get_ns(void)
{
	return __atomic_load_n(&now_ns, __ATOMIC_SEQ_CST);
}

void *bpf_task_storage_get(void *map, struct task_struct *t, void *value, unsigned long long flags)
{
	(void)map, (void)t, (void)value, (void)flags;
	return &task_own;
}

struct task_struct *bpf_get_current_task_btf(void)
{
	return NULL;
}

long bpf_get_task_stack(struct task_struct *t, void *buf, u32 size, u64 flags)
{
	(void)t, (void)buf, (void)size, (void)flags;
	return 8;
}

void *bpf_map_lookup_elem(void *map, const void *key)
{
	(void)map, (void)key;
	return &scratch;
}

static bool walk_registers(struct walk_regs *r, struct task_struct *t)
{
	(void)r, (void)t;
	return true;
}

/* As the kernel's: full now and then, and then the pass comes again to the same thread. */
long bpf_seq_write(struct seq_file *seq, const void *data, u32 size)
{
	const struct wire_wait *w = data;

	(void)seq;
	if (fail_every && ++n_written % fail_every == 0)
		return -75;
	if (size != (w->ns ? sizeof(*w) : sizeof(struct wire_new_wait)))
		abort();
	n_reported += w->ns != 0;
	n_new += !w->ns;
	reported_ns += w->ns;
	return 0;
}

static void pass(u64 until_ns, u64 tell)
{
	struct bpf_iter_meta meta = { 0 };
	struct bpf_iter__task ctx = { .meta = &meta, .task = &task };

	look = (struct wire_look){ .until_ns = until_ns, .adopt_ns = bpf_ktime_get_ns(), .report_described = tell };
	waits_iter(&ctx);
}

static void begin(void)
{
	memset(&task, 0, sizeof(task));
	memset(&task_own, 0, sizeof(task_own));
	task = (struct task_struct){ .pid = 7, .tgid = 7, .group_leader = &leader, .mm = &mm };
	off_began_ns = 500;
	reported_ns = n_reported = n_new = fail_every = n_written = 0;
}

static void advance(u64 ns)
{
	__atomic_fetch_add(&now_ns, ns, __ATOMIC_SEQ_CST);
}

static void leave(u64 *ret_at)
{
	*ret_at = bpf_ktime_get_ns();
	wait_begins(&task_own, *ret_at, 0, 0);
	__atomic_store_n(&task.__state, 1, __ATOMIC_SEQ_CST);
}

static u64 come_back(u64 *ret_at)
{
	__atomic_store_n(&task.__state, 0, __ATOMIC_SEQ_CST);
	*ret_at = bpf_ktime_get_ns();
	return task_own.off_reported_ns ? wait_ends(&task_own, *ret_at) : 0;
}

static bool over;

static void *run_passes(void *arg)
{
	for (u64 n = 0; !__atomic_load_n(&over, __ATOMIC_SEQ_CST); n++)
		pass(UINT64_MAX, n & 1);
	return arg;
}

static void each_nanosecond_counts_once(void **state)
{
	u64 waited = 0, by_ends = 0, from, to;
	pthread_t passes;

	(void)state;
	begin();
	pthread_create(&passes, NULL, run_passes, NULL);
	for (u32 i = 0; i < WAITS || __atomic_load_n(&n_reported, __ATOMIC_SEQ_CST) < 1000; i++) {
		leave(&from);
		for (u32 k = 0; k < i % 64; k++)
			advance(1 + i % 7);
		by_ends += come_back(&to);
		waited += to - from;
		advance(1);
	}
	over = true;
	pthread_join(passes, NULL);
	/* all of it was on the clock that only this thread moves: to the nanosecond */
	assert_int_equal(by_ends + reported_ns, waited);
	assert_true(by_ends > 0);
}

static void what_finds_no_room_is_told_the_next_time(void **state)
{
	u64 from, to, rest;

	(void)state;
	begin();
	leave(&from);
	advance(1000);
	pass(UINT64_MAX, 0);
	assert_int_equal(n_new, 1);
	fail_every = 1;
	pass(UINT64_MAX, 1);
	assert_int_equal(n_reported, 0);
	fail_every = 0;
	advance(10);
	pass(UINT64_MAX, 1);
	assert_int_equal(reported_ns, 1010);
	advance(5);
	rest = come_back(&to);
	assert_int_equal(rest, 5);
}

/* Short waits are only reported at their end. */
static void young_waits_are_not_told(void **state)
{
	u64 from;

	(void)state;
	begin();
	leave(&from);
	advance(10);
	pass(from, 0);
	pass(from, 1);
	assert_int_equal(n_new + n_reported, 0);
	pass(from + 1, 0);
	pass(from + 1, 1);
	assert_int_equal(reported_ns, 10);
}

/* A thread that was woken waits on until it gets a CPU, and all passes until then tell its time. */
static void a_thread_that_waits_for_a_cpu_is_told(void **state)
{
	u64 from, to;

	(void)state;
	begin();
	leave(&from);
	advance(10);
	task.__state = 0;
	task.on_rq = 1;
	pass(UINT64_MAX, 0);
	pass(UINT64_MAX, 1);
	assert_int_equal(reported_ns, 10);
	advance(20);
	pass(UINT64_MAX, 0);
	assert_int_equal(reported_ns, 30);
	/* it runs, and the switch was not seen: when it came is found later */
	task.on_cpu = 1;
	advance(40);
	pass(UINT64_MAX, 0);
	assert_int_equal(reported_ns, 30);
	assert_int_equal(come_back(&to), 40);
}

/* The switch saw a wait that a pass took for one, and took back before the switch came to it. */
static void a_wait_that_was_taken_back_has_no_time(void **state)
{
	(void)state;
	begin();
	task_own.off_since_ns = 900;
	assert_int_equal(wait_ends(&task_own, 100000), 0);
}

/* What was reported when this was last on does not count, however late the thread is seen. */
static void old_marks_have_no_time(void **state)
{
	(void)state;
	begin();
	task_own.off_since_ns = task_own.off_reported_ns = 100;
	assert_int_equal(wait_ends(&task_own, 100000), 0);
	task_own.off_since_ns = 900;	/* a pass adopts it, and is not done */
	task_own.off_reported_ns = 100;
	assert_int_equal(wait_ends(&task_own, 100000), 0);
}

static void a_wait_that_was_not_seen_to_begin(void **state)
{
	u64 to, at = bpf_ktime_get_ns();

	(void)state;
	begin();
	task.__state = 1;
	pass(at, 0);		/* adopted now, and young */
	advance(30);
	pass(UINT64_MAX, 0);
	pass(UINT64_MAX, 1);
	assert_int_equal(reported_ns, 30);
	advance(3);
	assert_int_equal(come_back(&to), 3);
}

/* A dead thread left the CPU without waiting; a thread about to run does not wait either. */
static void the_dead_do_not_wait(void **state)
{
	u64 from;

	(void)state;
	begin();
	leave(&from);
	task.__state = TASK_DEAD;
	task.exit_state = 0x20;
	advance(1000);
	pass(UINT64_MAX, 0);
	pass(UINT64_MAX, 1);
	assert_int_equal(n_new + n_reported, 0);

	begin();
	task.__state = 1;
	task.on_rq = 1;
	pass(UINT64_MAX, 0);
	assert_int_equal(task_own.off_reported_ns, 0);
}

/* While only requests are watched, other threads cost nothing and report nothing. */
static void others_than_those_of_requests_are_left_alone(void **state)
{
	u64 at = bpf_ktime_get_ns();

	(void)state;
	begin();
	only_http = true;
	task.__state = 1;
	pass(at, 0);
	advance(30);
	pass(UINT64_MAX, 0);
	pass(UINT64_MAX, 1);
	assert_int_equal(task_own.off_reported_ns, 0);
	assert_int_equal(n_new + n_reported, 0);
	task_own.for_http = WAKES_HTTP;
	pass(UINT64_MAX, 0);	/* adopted */
	advance(20);
	pass(UINT64_MAX, 0);
	pass(UINT64_MAX, 1);
	assert_int_equal(reported_ns, 20);
	only_http = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_nanosecond_counts_once),
		cmocka_unit_test(what_finds_no_room_is_told_the_next_time),
		cmocka_unit_test(young_waits_are_not_told),
		cmocka_unit_test(a_thread_that_waits_for_a_cpu_is_told),
		cmocka_unit_test(a_wait_that_was_taken_back_has_no_time),
		cmocka_unit_test(old_marks_have_no_time),
		cmocka_unit_test(a_wait_that_was_not_seen_to_begin),
		cmocka_unit_test(the_dead_do_not_wait),
		cmocka_unit_test(others_than_those_of_requests_are_left_alone),
	};

	return cmocka_run_group_tests_name("waits_bpf", tests, NULL, NULL);
}
