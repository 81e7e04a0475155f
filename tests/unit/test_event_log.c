// SPDX-License-Identifier: GPL-2.0-or-later
/* test_event_log.c: a log with rows in groups: a busy group does not evict the others' rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf/model/event_log.h"

#define KEEP 100

static const struct session session;

static void rank(const struct row *row, struct fair *f)
{
	const struct requests_row *r = (const struct requests_row *)row;

	f->group[0] = (u32)r->pid;
	f->weight = r->seq;
}

static struct event_log events = { .keep = KEEP, .rank = rank };

static void add(u64 pid, u32 n)
{
	while (n--) {
		struct requests_row *r = row_new(TABLE_requests);

		r->pid = pid;
		r->seq = event_log_add(&events, &r->row);
	}
}

/* Rows of that process in a tick, oldest first; the number of the first one. */
static u32 of_tick(u64 pid, u32 *ret_all, u64 *ret_first)
{
	struct builder *b = builder_new(NULL, &session);
	const struct snapshot *s;
	const struct table *t;
	u64 before = 0;
	u32 n = 0;

	builder_time(b, 1, 1000, 0, 1000);
	event_log_rows(&events, b);
	s = builder_seal(b);
	t = &s->tables[TABLE_requests];
	*ret_all = t->n;
	for (u32 i = 0; i < t->n; i++) {
		const struct requests_row *r = (const struct requests_row *)t->rows[i];

		assert_true(r->seq > before);
		before = r->seq;
		if (r->pid == pid && !n++)
			*ret_first = r->seq;
	}
	snapshot_put(s);
	return n;
}

static void the_quiet_stay(void **state)
{
	u64 first = 0;
	u32 all;

	add(1, 10);
	add(2, 5000);
	assert_int_equal(of_tick(1, &all, &first), 10);
	assert_int_equal(all, 5010);	/* all that is new, once */
	for (u32 i = 0; i < 5; i++) {
		add(2, 60);
		assert_int_equal(of_tick(1, &all, &first), 10);
		assert_int_equal(first, 1);
		assert_int_equal(all, KEEP);
	}
	assert_int_equal(of_tick(2, &all, &first), KEEP - 10);
	assert_int_equal(first, events.number - (KEEP - 10) + 1);	/* the newest */
	event_log_clear(&events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_quiet_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
