// SPDX-License-Identifier: GPL-2.0-or-later
/* Labels of waited-for objects: a limited number a process; unused ones are evicted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/collectors/profiler/profiler_labels.h"
#include "bpf/host/proctab.h"
#include "bpf/stacks/frames.h"

static const struct snapshot *last;

/* A tick, with what the table frames says in it. */
static void next_tick(void)
{
	static const struct session session;
	struct builder *b = builder_new(last, &session);

	labels_tick();
	frames_rows(b);
	snapshot_put(last);
	last = builder_seal(b);
}

static const char *name_of(u32 id)
{
	for (u32 i = 0; i < last->tables[TABLE_frames].n; i++) {
		const struct frames_row *r = (const struct frames_row *)last->tables[TABLE_frames].rows[i];

		if (r->id == id)
			return r->name;
	}
	return NULL;
}

/* A stack of this tick ends in it: its frame. */
static u32 meet(u32 pid, u32 i)
{
	char text[32];
	struct label *l;
	u32 id;

	snprintf(text, sizeof(text), "fd %u: a pipe", i);
	l = labels_of(pid, text);
	id = labels_frame(l);
	labels_put(l);
	return id;
}

static void begin(void)
{
	bool is_new;

	proctab_get(100, 1, &is_new);
	proctab_get(200, 1, &is_new);
	for (u32 i = 0; i < LABELS_OF_PROCESS; i++)
		meet(100, i);
}

static void end(void)
{
	labels_clear();
	frames_clear();
	proctab_clear();
	snapshot_put(last);
	last = NULL;
}

static void one_too_many_is_one_of_many(void **state)
{
	u32 rest;

	(void)state;
	begin();
	rest = meet(100, 1000);
	next_tick();
	assert_string_equal(name_of(rest), "→ one of very many things");
	assert_int_equal(meet(100, 1001), rest);
	assert_int_not_equal(meet(100, 5), rest);	/* what has one keeps it */
	assert_int_not_equal(meet(200, 1001), rest);	/* others have room of their own */
	end();
}

/* Labels in no stack for long are evicted, others are not. */
static void room_is_given_back(void **state)
{
	u32 rest, kept, id;

	(void)state;
	begin();
	rest = meet(100, 1000);
	for (u32 i = 0; i < LABEL_TICKS; i++) {
		next_tick();
		kept = meet(100, 7);
	}
	for (u32 i = 0; i < LABELS_OF_PROCESS - 1; i++) {
		id = meet(100, 2000 + i);
		assert_int_not_equal(id, rest);
		assert_int_not_equal(id, kept);
	}
	assert_int_equal(meet(100, 7), kept);
	assert_int_equal(meet(100, 3000), rest);
	next_tick();
	assert_string_equal(name_of(kept), "→ fd 7: a pipe");
	assert_string_equal(name_of(id), "→ fd 2126: a pipe");
	end();
}

/* A referenced label is kept. */
static void what_is_held_stays(void **state)
{
	struct label *held;
	u32 id;

	(void)state;
	begin();
	held = labels_of(100, "fd 3: a pipe");
	id = labels_frame(held);
	for (u32 i = 0; i < LABEL_TICKS; i++)
		next_tick();
	for (u32 i = 0; i < LABELS_OF_PROCESS; i++)
		meet(100, 2000 + i);
	next_tick();
	assert_int_equal(labels_frame(held), id);
	assert_string_equal(name_of(id), "→ fd 3: a pipe");
	labels_put(held);
	end();
}

/*
 * Evicted labels leave the table frames, so that a server with a new socket for each request does
 * not fill it.
 */
static void frames_go_too(void **state)
{
	u32 most = 0;

	(void)state;
	begin();
	for (u32 round = 0; round < 20; round++) {
		for (u32 i = 0; i < LABELS_OF_PROCESS; i++)
			meet(100, 1000 * round + i);
		for (u32 i = 0; i < LABEL_TICKS; i++)
			next_tick();
		most = max(most, last->tables[TABLE_frames].n);
	}
	assert_true(most > LABELS_OF_PROCESS);
	assert_true(most < 1024);
	end();
}

/*
 * A thread that waits on several, or on one with a number that merely has the same prefix, gets no
 * waker.
 */
static void whose_other_end_it_is(void **state)
{
	static const struct { const char *text; bool is; } of[] = {
		{ "fd 3: tcp 127.0.0.1:5432 (postgres 4821)", true },
		{ "fd 3: tcp 127.0.0.1:5432 (a (b) 4821)", true },
		{ "fd 3: tcp 127.0.0.1:5432 (postgres 14821)", false },
		{ "fd 3: tcp 127.0.0.1:5432 (postgres 4821, 4822)", false },
		{ "fd 3: tcp 10.0.0.5:4821", false },
	};

	(void)state;
	begin();
	for (u32 i = 0; i < ARRAY_SIZE(of); i++) {
		struct label *l = labels_of(200, of[i].text);

		if (labels_is_of(l, 4821) != of[i].is)
			fail_msg("%s", of[i].text);
		assert_false(labels_is_of(l, 0));
		labels_put(l);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_other_end_it_is),
		cmocka_unit_test(one_too_many_is_one_of_many), cmocka_unit_test(room_is_given_back),
		cmocka_unit_test(what_is_held_stays), cmocka_unit_test(frames_go_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
