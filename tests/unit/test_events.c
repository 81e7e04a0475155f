// SPDX-License-Identifier: GPL-2.0-or-later
/* test_events.c: which events stay in their table, and that each reader gets each of them once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/host/events.h"

static const struct session session;
static u64 tick_ns;

/* A tick of 1,000 ns. */
static const struct snapshot *tick(void)
{
	struct builder *b = builder_new(NULL, &session);

	tick_ns += 1000;
	builder_time(b, tick_ns / 1000, tick_ns, 0, 1000);
	events_rows(b, 1000);
	return builder_seal(b);
}

static u32 count(const struct snapshot *s, const char *kind)
{
	const struct table *t = &s->tables[TABLE_events];
	u32 n = 0;

	for (u32 i = 0; i < t->n; i++)
		n += !strcmp(((const struct events_row *)t->rows[i])->kind, kind);
	return n;
}

static void add(const char *kind, u32 n)
{
	for (u32 i = 0; i < n; i++)
		events_new(kind, tick_ns + 1);
}

static void a_burst_is_kept_whole_once(void **state)
{
	const struct snapshot *s;

	add("exec", 10);
	add("connect", EVENTS_KEPT + 500);
	s = tick();
	assert_int_equal(count(s, "connect"), EVENTS_KEPT + 500);
	assert_int_equal(count(s, "exec"), 10);
	snapshot_put(s);
	add("connect", 1);
	s = tick();
	assert_int_equal(count(s, "connect"), EVENTS_KEPT);
	assert_int_equal(count(s, "exec"), 10);
	snapshot_put(s);
	events_clear();
}

static u32 take(struct event_cursor *c, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_events];
	u32 n = 0;

	for (u32 i = 0; i < t->n; i++)
		n += event_is_due(c, s, t->rows[i]);
	events_taken(c, s, TABLE_events);
	snapshot_put(s);
	return n;
}

/* A late event, with an earlier time, is delivered as well. */
static void each_is_taken_once(void **state)
{
	struct event_cursor fresh = { 0 }, all = { .begun = true };
	const struct snapshot *s;

	add("exec", 3);
	s = tick();
	snapshot_put(s);
	add("exec", 2);
	s = tick();
	assert_int_equal(take(&all, snapshot_get(s)), 5);
	assert_int_equal(take(&fresh, s), 2);
	events_new("exit", 1);
	s = tick();
	assert_int_equal(take(&all, snapshot_get(s)), 1);
	assert_int_equal(take(&fresh, s), 1);
	s = tick();
	assert_int_equal(take(&all, snapshot_get(s)), 0);
	assert_int_equal(take(&fresh, s), 0);
	events_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_kept_whole_once),
		cmocka_unit_test(each_is_taken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
