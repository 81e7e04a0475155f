// SPDX-License-Identifier: GPL-2.0-or-later
/* The sink thread: order, the cost of slow and failing sinks, and its end. */
#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/exporter.h"
#include "tests/unit/patience.h"

#define LARGE_BYTES (100 << 10)

static struct session session;

/* Remembers what it got; waits for `go` before each write when it is slow. */
struct test_sink {
	struct sink sink;
	sem_t begun, go;
	bool slow;
	u64 fail_at;	/* seq of the snapshot that cannot be written, or 0 */
	int close_error;
	u64 seq[64];
	u32 n;
};

static int test_write(struct sink *sink, const struct snapshot *s)
{
	struct test_sink *t = (struct test_sink *)sink;

	sem_post(&t->begun);
	if (t->slow)
		sem_wait(&t->go);
	if (s->seq == t->fail_at)
		return -ENOSPC;
	t->seq[t->n++] = s->seq;
	return 0;
}

static int test_close(struct sink *sink)
{
	return ((struct test_sink *)sink)->close_error;
}

static void init(struct test_sink *t, bool slow)
{
	*t = (struct test_sink){ .sink = { .name = "test", .write = test_write,
					   .close = test_close }, .slow = slow };
	sem_init(&t->begun, 0, 0);
	sem_init(&t->go, 0, 0);
}

static void push(struct exporter *e, u64 seq)
{
	struct builder *b = builder_new(NULL, &session);
	const struct snapshot *s;

	builder_time(b, seq, seq, 0, 1);
	s = builder_seal(b);
	exporter_push(e, s);
	snapshot_put(s);
}

/* A snapshot after `prev` (may be NULL) with one row and a text of n such characters. */
static const struct snapshot *with_text(const struct snapshot *prev, u64 seq, char c, size_t n)
{
	struct builder *b = builder_new(prev, &session);
	struct processes_row *r = builder_row(b, TABLE_processes);
	char *text = xmalloc(n);

	memset(text, c, n);
	r->pid = 1;
	r->cmdline = str_newn(text, n);
	builder_time(b, seq, seq, 0, 1);
	free(text);
	return builder_seal(b);
}

static void push_large(struct exporter *e, u64 seq, size_t n)
{
	const struct snapshot *s = with_text(NULL, seq, (char)('a' + seq), n);

	exporter_push(e, s);
	snapshot_put(s);
}

static void wait_closed(struct test_sink *t)
{
	wait_until(atomic_load(&t->sink.closed));
	assert_true(atomic_load(&t->sink.closed));
}

static void everything_arrives_in_order(void **state)
{
	struct exporter *e = exporter_start(64, 1 << 30);
	struct test_sink t;

	init(&t, false);
	assert_int_equal(exporter_add(e, &t.sink), 0);
	for (u64 i = 1; i <= 50; i++)
		push(e, i);
	exporter_stop(e);	/* writes what is queued first */
	assert_int_equal(t.n, 50);
	for (u32 i = 0; i < 50; i++)
		assert_int_equal(t.seq[i], i + 1);
	assert_int_equal(t.sink.written, 50);
	assert_int_equal(t.sink.dropped, 0);
	assert_int_equal(t.sink.error, 0);
	assert_true(t.sink.closed);
}

/* The snapshot being written counts: of a queue of 4, 3 more fit. */
static void a_slow_sink_costs_snapshots_and_no_time(void **state)
{
	struct exporter *e = exporter_start(4, 1 << 30);
	struct test_sink t;

	init(&t, true);
	exporter_add(e, &t.sink);
	push(e, 1);
	sem_wait(&t.begun);
	for (u64 i = 2; i <= 10; i++)
		push(e, i);	/* would hang here if it waited */
	assert_int_equal(atomic_load(&t.sink.dropped), 6);
	for (int i = 0; i < 4; i++)
		sem_post(&t.go);
	exporter_stop(e);
	assert_int_equal(t.n, 4);
	assert_int_equal(t.seq[0], 1);
	assert_int_equal(t.seq[1], 8);	/* the oldest went */
	assert_int_equal(t.seq[3], 10);
	assert_int_equal(t.sink.written, 4);
}

/* The limit in bytes includes the snapshot being written, but a single one is always accepted. */
static void the_queue_is_bounded_in_bytes(void **state)
{
	struct exporter *e = exporter_start(64, 3 * LARGE_BYTES);
	struct test_sink t;

	init(&t, true);
	exporter_add(e, &t.sink);
	push_large(e, 1, LARGE_BYTES - 4000);
	sem_wait(&t.begun);
	for (u64 i = 2; i <= 10; i++) {
		push_large(e, i, LARGE_BYTES - 4000);
		assert_int_equal(atomic_load(&t.sink.dropped), i < 4 ? 0 : i - 3);
	}
	push_large(e, 11, 5 * LARGE_BYTES);
	push_large(e, 12, 5 * LARGE_BYTES);
	push(e, 13);	/* the large one makes room for it */
	assert_int_equal(atomic_load(&t.sink.dropped), 11);
	for (int i = 0; i < 2; i++)
		sem_post(&t.go);
	exporter_stop(e);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.seq[1], 13);
}

/* Rows and texts shared with the previous snapshot count only once. */
static void what_is_shared_is_not_counted_again(void **state)
{
	const struct snapshot *first = with_text(NULL, 1, 'a', 100000), *same = with_text(first, 2, 'a', 100000),
			      *other = with_text(same, 3, 'b', 50000);

	assert_in_range(first->own_bytes, 100000, 110000);
	assert_in_range(same->own_bytes, 1, 10000);
	assert_in_range(other->own_bytes, 50000, 60000);
	snapshot_put(first);
	snapshot_put(same);
	snapshot_put(other);
}

/* The part of a sink that is being removed may be dropped too: then it is done. */
static void a_sink_whose_part_was_dropped_is_closed(void **state)
{
	struct exporter *e = exporter_start(3, 1 << 30);
	struct test_sink all, part;

	init(&all, true);
	init(&part, false);
	exporter_add(e, &all.sink);
	push(e, 1);
	sem_wait(&all.begun);
	exporter_add(e, &part.sink);
	push(e, 2);
	exporter_remove(e, &part.sink);
	push(e, 3);
	push(e, 4);
	assert_int_equal(atomic_load(&part.sink.dropped), 1);
	assert_int_equal(atomic_load(&all.sink.dropped), 1);
	for (int i = 0; i < 3; i++)
		sem_post(&all.go);
	wait_closed(&part);
	exporter_stop(e);
	assert_int_equal(part.n, 0);
	assert_int_equal(all.n, 3);
}

static void a_failing_sink_is_closed_and_the_others_go_on(void **state)
{
	struct exporter *e = exporter_start(16, 1 << 30);
	struct test_sink bad, good;

	init(&bad, false);
	init(&good, false);
	bad.fail_at = 2;
	bad.close_error = -EIO;	/* the first error is reported */
	exporter_add(e, &bad.sink);
	exporter_add(e, &good.sink);
	for (u64 i = 1; i <= 2; i++)
		push(e, i);
	wait_closed(&bad);
	for (u64 i = 3; i <= 5; i++)
		push(e, i);
	exporter_stop(e);
	assert_int_equal(bad.n, 1);
	assert_int_equal(bad.sink.error, -ENOSPC);
	assert_int_equal(bad.sink.written, 1);
	assert_int_equal(bad.sink.dropped, 0);	/* it is closed: nothing is missing */
	assert_int_equal(good.n, 5);
	assert_int_equal(good.sink.error, 0);
}

static void a_failing_close_is_told(void **state)
{
	struct exporter *e = exporter_start(4, 1 << 30);
	struct test_sink t;

	init(&t, false);
	t.close_error = -EDQUOT;
	exporter_add(e, &t.sink);
	push(e, 1);
	exporter_stop(e);
	assert_int_equal(t.sink.error, -EDQUOT);
	assert_int_equal(t.sink.written, 1);
}

/* A recording started and stopped on the screen gets only its own part. */
static void a_sink_gets_what_is_pushed_between_add_and_remove(void **state)
{
	struct exporter *e = exporter_start(16, 1 << 30);
	struct test_sink all, part;

	init(&all, false);
	init(&part, true);
	exporter_add(e, &all.sink);
	push(e, 1);
	exporter_add(e, &part.sink);
	push(e, 2);
	push(e, 3);
	exporter_remove(e, &part.sink);
	push(e, 4);
	assert_false(atomic_load(&part.sink.closed));	/* 2 waits for us */
	sem_post(&part.go);
	sem_post(&part.go);
	wait_closed(&part);
	exporter_stop(e);
	assert_int_equal(part.n, 2);
	assert_int_equal(part.seq[0], 2);
	assert_int_equal(part.seq[1], 3);
	assert_int_equal(all.n, 4);
}

static void a_removed_sink_closes_without_another_tick(void **state)
{
	struct exporter *e = exporter_start(4, 1 << 30);
	struct test_sink t;

	init(&t, false);
	exporter_add(e, &t.sink);
	exporter_remove(e, &t.sink);
	wait_closed(&t);
	exporter_stop(e);
	assert_int_equal(t.n, 0);
}

static void a_sink_that_hangs_does_not_hang_the_end(void **state)
{
	struct exporter *e = exporter_start(4, 1 << 30);
	struct test_sink t;

	init(&t, true);
	exporter_add(e, &t.sink);
	push(e, 1);
	sem_wait(&t.begun);
	assert_false(exporter_stop_within(e, 50));
	assert_false(atomic_load(&t.sink.closed));
	sem_post(&t.go);
	assert_true(exporter_stop_within(e, PATIENCE_S * 1000));
	assert_int_equal(t.n, 1);
	assert_true(t.sink.closed);
}

static void there_is_room_for_eight(void **state)
{
	struct exporter *e = exporter_start(4, 1 << 30);
	struct test_sink t[EXPORTER_MAX_SINKS + 1];

	for (u32 i = 0; i <= EXPORTER_MAX_SINKS; i++) {
		init(&t[i], false);
		assert_int_equal(exporter_add(e, &t[i].sink),
				 i < EXPORTER_MAX_SINKS ? 0 : -ENOSPC);
	}
	exporter_stop(e);
	exporter_stop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_arrives_in_order),
		cmocka_unit_test(a_slow_sink_costs_snapshots_and_no_time),
		cmocka_unit_test(the_queue_is_bounded_in_bytes),
		cmocka_unit_test(what_is_shared_is_not_counted_again),
		cmocka_unit_test(a_sink_whose_part_was_dropped_is_closed),
		cmocka_unit_test(a_failing_sink_is_closed_and_the_others_go_on),
		cmocka_unit_test(a_failing_close_is_told),
		cmocka_unit_test(a_sink_gets_what_is_pushed_between_add_and_remove),
		cmocka_unit_test(a_removed_sink_closes_without_another_tick),
		cmocka_unit_test(a_sink_that_hangs_does_not_hang_the_end),
		cmocka_unit_test(there_is_room_for_eight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
