// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests for source lines of frames: first request, retry, and no further requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/stacks/frames.h"
#include "bpf/stacks/lines.h"
#include "symbolizer/symbolizer.h"

#define OF_FILE 5

static const char texts[] = "\0work\0inner\0a.c";
enum { WORK = 1, INNER = 6, A_C = 12 };

/* Takes one frame out of the list of those without a name, as the profiler does. */
static u32 take_one(u64 want_addr)
{
	u64 addr;
	u32 id = frames_next_unnamed(OF_FILE, &addr);

	assert_true(id);
	assert_int_equal(addr, want_addr);
	frames_set_lines(id, LINES_ASKED);
	return id;
}

static struct symbolizer_answer answer_of(const u64 *addrs, u32 n, const struct symbolizer_line *l, u32 n_l)
{
	return (struct symbolizer_answer){
		.kind = ANSWER_LINES, .file = OF_FILE, .addrs = addrs, .n_names = n, .n_done = n,
		.lines = l, .n_lines = n_l, .names = texts, .names_size = sizeof(texts),
	};
}

static const struct frames_row *row_of(const struct snapshot *s, u64 id)
{
	for (u32 i = 0; i < s->tables[TABLE_frames].n; i++) {
		const struct frames_row *r = (const struct frames_row *)s->tables[TABLE_frames].rows[i];

		if (r->id == id)
			return r;
	}
	fail_msg("no frame %llu", (unsigned long long)id);
	return NULL;
}

static const struct snapshot *seal(void);

/* A number identifies a frame for ever: a graph since the start shows old samples. */
static void no_number_is_given_twice(void **state)
{
	u32 first = frames_intern(OF_FILE, 0x10, 0), second = frames_intern(OF_FILE, 0x20, 0), again;

	(void)state;
	frames_clear();
	assert_false(frames_has_name(first));
	assert_int_equal(frames_find(OF_FILE, 0x10, 0), 0);
	again = frames_intern(OF_FILE, 0x30, 0);
	assert_true(again > second);
	assert_int_equal(take_one(0x30), again);
	assert_int_equal(frames_next(0), again);
	frames_clear();
}

/* Frames in no stack for long are evicted; those inlined in a kept one are kept. */
static void old_frames_make_room(void **state)
{
	u64 n_evicted = frames_evicted();
	const struct snapshot *s;
	u32 kept, inner, text_id;
	char text[16];

	(void)state;
	kept = frames_intern(OF_FILE, 1, 0);
	inner = frames_inlined(&(struct frames_inlined){ .in = OF_FILE, .name = str_new("inner"),
							 .kind = str_new("user"), .line = 7, .start_line = 1 });
	snprintf(text, sizeof(text), "%u", inner);
	frames_source(kept, str_new("a.c"), 3, 1, str_new(text), NULL);
	for (u32 i = 0; i < 100; i++)
		frames_intern(OF_FILE, 1000 + i, 0);
	text_id = frames_find(OF_FILE, 1042, 0);
	frames_room(50);
	for (u32 tick = 0; tick < 40; tick++) {
		assert_int_equal(frames_find(OF_FILE, 1, 0), kept);
		snapshot_put(seal());
	}
	s = seal();
	assert_int_equal(s->tables[TABLE_frames].n, 2);
	assert_string_equal(row_of(s, kept)->file, "a.c");
	assert_string_equal(row_of(s, inner)->name, "inner");
	snapshot_put(s);
	assert_int_equal(frames_evicted() - n_evicted, 100);
	assert_int_equal(frames_find(OF_FILE, 1042, 0), 0);
	assert_int_equal(frames_lines(text_id), LINES_NONE);
	assert_int_equal(take_one(1), kept);	/* the list of those without a name has no others */
	assert_false(frames_has_unnamed(OF_FILE));
	text_id = frames_intern(OF_FILE, 1042, 0);
	assert_true(text_id > inner + 100);
	frames_room(0);
	frames_clear();
}

static const struct snapshot *seal(void)
{
	static struct session session;
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, 1, NSEC_PER_SEC, 0, NSEC_PER_SEC);
	frames_rows(b);
	builder_status(b, TABLE_frames, TS_OK, NULL, NSEC_PER_SEC);
	return builder_seal(b);
}

static int empty(void **state)
{
	(void)state;
	lines_switch(true);
	lines_close();
	frames_clear();
	return 0;
}

static void an_address_becomes_several_frames(void **state)
{
	const struct symbolizer_line l[] = {
		{ .of = 0, .name = INNER, .file = A_C, .line = 3, .start = 1 },
		{ .of = 0, .name = WORK, .file = A_C, .line = 9, .start = 7 },
		{ .of = 1, .name = INNER, .file = A_C, .line = 3, .start = 1 },
		{ .of = 1, .name = WORK, .file = A_C, .line = 9, .start = 7 },
	};
	u64 addrs[] = { 0x1000, 0x1008 };
	u32 id = frames_intern(OF_FILE, addrs[0], 0), other = frames_intern(OF_FILE, addrs[1], 0);
	struct symbolizer_answer a = answer_of(addrs, 2, l, 4);
	const struct snapshot *before, *s;
	const struct frames_row *r;

	(void)state;
	take_one(addrs[1]);
	take_one(addrs[0]);
	before = seal();
	lines_take(&a);
	assert_int_equal(frames_lines(id), LINES_DONE);
	frames_name(id, str_new("work"), str_new("user"), NULL);
	frames_name(other, NULL, str_new("user"), str_new("no symbol covers it (stripped?)"));
	s = seal();
	r = row_of(s, id);
	assert_string_equal(r->name, "work");
	assert_string_equal(r->file, "a.c");
	assert_int_equal(r->line, 9);
	assert_int_equal(r->start_line, 7);
	assert_string_equal(row_of(s, other)->name, "work");	/* DWARF knows what no symbol says */
	assert_null(row_of(s, other)->reason);
	assert_ptr_equal(row_of(s, other)->inlines, r->inlines);	/* one frame for the same line */
	r = row_of(s, strtoul(r->inlines, NULL, 10));
	assert_string_equal(r->name, "inner");
	assert_int_equal(r->line, 3);
	assert_int_equal(r->inlined, 1);
	assert_false(u64_known(r->addr));
	assert_null(row_of(before, id)->file);	/* what was sealed is as it was */
	assert_null(row_of(before, id)->inlines);
	snapshot_put(before);
	snapshot_put(s);
}

/* A compromised symbolizer may answer anything. */
static void an_answer_that_repeats_itself_counts_once(void **state)
{
	const struct symbolizer_line l[] = {
		{ .of = 0, .name = WORK, .file = A_C, .line = 9 }, { .of = 1, .name = WORK, .file = A_C, .line = 7 },
	};
	u64 addrs[] = { 0x1000, 0x1000, 0x3000 };
	u32 id = frames_intern(OF_FILE, addrs[0], 0);
	struct symbolizer_answer a = answer_of(addrs, 3, l, 2);
	const struct snapshot *s;

	(void)state;
	take_one(addrs[0]);
	lines_take(&a);
	s = seal();
	assert_int_equal(row_of(s, id)->line, 9);
	assert_string_equal(row_of(s, id)->lines, "known");
	snapshot_put(s);
}

static void what_was_not_reached_is_asked_again(void **state)
{
	const struct symbolizer_line l = { .of = 0, .name = WORK, .file = A_C, .line = 9 };
	u64 addrs[] = { 0x1000, 0x1008 };
	u32 id = frames_intern(OF_FILE, addrs[0], 0), other = frames_intern(OF_FILE, addrs[1], 0);
	struct symbolizer_answer a = answer_of(addrs, 2, &l, 1);

	(void)state;
	take_one(addrs[1]);
	take_one(addrs[0]);
	a.n_done = 1;
	lines_take(&a);
	assert_int_equal(frames_lines(id), LINES_DONE);
	assert_int_equal(frames_lines(other), LINES_WANTED);
}

static void a_file_that_killed_is_not_asked_again(void **state)
{
	struct symbolizer_answer a = { .kind = ANSWER_LINES, .file = OF_FILE, .err = -EFAULT };
	u32 id = frames_intern(OF_FILE, 0x1000, 0), later = frames_intern(OF_FILE, 0x2000, 0);
	const struct snapshot *s;

	(void)state;
	frames_set_lines(id, LINES_ASKED);
	lines_take(&a);
	lines_want(later);
	assert_int_equal(frames_lines(later), LINES_DONE);
	s = seal();
	assert_string_equal(row_of(s, id)->lines, "the symbolizer died of its debug information");
	assert_string_equal(row_of(s, later)->lines, "the symbolizer died of its debug information");
	snapshot_put(s);
	id = frames_intern(OF_FILE + 1, 0x1000, 0);
	lines_want(id);
	assert_int_equal(frames_lines(id), LINES_WANTED);
}

static void name(u32 id)
{
	frames_name(id, str_new("work"), str_new("user"), NULL);
}

static void only_what_is_seen_is_wanted(void **state)
{
	u32 first = frames_intern(OF_FILE, 0x1000, 0), second = frames_intern(OF_FILE, 0x2000, 0);
	u32 kernel = frames_intern(FRAMES_KERNEL, 0x3000, 0), unnamed = frames_intern(OF_FILE, 0x4000, 0);
	const struct snapshot *s, *later;

	(void)state;
	name(first);
	name(second);
	lines_want(unnamed);
	lines_see((u32[]){ first, kernel, 0, 77 }, 4);
	assert_int_equal(frames_lines(first), LINES_WANTED);
	assert_int_equal(frames_lines(second), LINES_NEW);
	assert_int_equal(frames_lines(kernel), LINES_NONE);
	assert_int_equal(frames_lines(unnamed), LINES_WANTED);	/* DWARF may have its name */
	s = seal();
	assert_true(frame_lines_pending(row_of(s, first)));
	assert_string_equal(row_of(s, first)->lines, "asked");
	assert_string_equal(row_of(s, second)->lines, "not asked");
	assert_null(row_of(s, kernel)->lines);
	lines_see((u32[]){ first, kernel }, 2);	/* still: nothing is made anew */
	later = seal();
	assert_ptr_equal(row_of(later, first), row_of(s, first));
	assert_ptr_equal(row_of(later, unnamed), row_of(s, unnamed));
	snapshot_put(later);
	snapshot_put(s);
	lines_see((u32[]){ second }, 1);	/* the other one is out of sight */
	assert_int_equal(frames_lines(first), LINES_NEW);
	assert_int_equal(frames_lines(second), LINES_WANTED);
	assert_int_equal(frames_lines(unnamed), LINES_WANTED);
	lines_want_all();
	assert_int_equal(frames_lines(first), LINES_WANTED);
	assert_int_equal(frames_pending(NULL, 0, true), 4);
	assert_int_equal(frames_pending(NULL, 0, false), 2);	/* those without a name */
	assert_int_equal(frames_pending((u32[]){ first, 99 }, 2, true), 1);
}

static void switched_off_wants_nothing(void **state)
{
	u32 id = frames_intern(OF_FILE, 0x1000, 0);

	(void)state;
	lines_switch(false);
	lines_see(&id, 1);
	lines_want_all();
	assert_int_equal(frames_lines(id), LINES_NEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_number_is_given_twice), cmocka_unit_test(old_frames_make_room),
		cmocka_unit_test_teardown(an_address_becomes_several_frames, empty),
		cmocka_unit_test_teardown(an_answer_that_repeats_itself_counts_once, empty),
		cmocka_unit_test_teardown(what_was_not_reached_is_asked_again, empty),
		cmocka_unit_test_teardown(a_file_that_killed_is_not_asked_again, empty),
		cmocka_unit_test_teardown(only_what_is_seen_is_wanted, empty),
		cmocka_unit_test_teardown(switched_off_wants_nothing, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
