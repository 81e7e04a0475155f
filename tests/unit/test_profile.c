// SPDX-License-Identifier: GPL-2.0-or-later
/* Profiles: merging, late names, folded text. */
#include "profile_data.h"

/* ---- collecting ------------------------------------------------------------------ */

static void equal_stacks_of_ticks_add_up(void **state)
{
	struct profile *p = cpu_profile();

	for (u64 i = 1; i <= 3; i++) {
		struct builder *b = tick(i);

		add_frames(b);
		add_stack(b, 7, 7, "2 1", i);
		add_stack(b, 7, 8, "2 1", 1);
		add(p, b);
	}
	assert_int_equal(p->n_stacks, 2);	/* two threads */
	assert_int_equal(p->samples, 9);
	assert_int_equal(p->value, 90 * MS);
	assert_int_equal(p->whole, 9);
	assert_int_equal(p->duration_ns, 3 * NSEC_PER_SEC);
	assert_int_equal(p->start_unix_ns, 1700000000 * NSEC_PER_SEC);
	expect_folded(p, "shop;main;work 90000000\n");
	profile_free(p);
}

static void only_the_kind_and_the_processes_asked_for(void **state)
{
	static const u32 pids[] = { 8, 9 };
	struct profile *p = profile_new("offcpu", pids, 2);
	struct builder *b = tick(1);
	struct stacks_row *r;

	add_frames(b);
	add_stack(b, 8, 8, "1", 5);
	r = add_stack(b, 7, 7, "1", 5);
	str_put(r->kind);
	r->kind = str_new("offcpu");
	r = add_stack(b, 9, 9, "4 3 1", 2);
	str_put(r->kind);
	r->kind = str_new("offcpu");
	add(p, b);
	expect_folded(p, "shop;main;read;vfs_read_[k] 20000000\n");
	profile_free(p);
}

static void time_that_was_not_observed_is_not_counted(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	const struct snapshot *s;

	add_frames(b);
	add_stack(b, 7, 7, "1", 5);
	builder_status(b, TABLE_stacks, TS_OK, NULL, 0);	/* before the first interval */
	s = builder_seal(b);
	assert_false(profile_add(p, s));
	snapshot_put(s);
	b = tick(2);
	builder_status(b, TABLE_stacks, TS_BLOCKED, "no perf events", 0);
	s = builder_seal(b);
	assert_false(profile_add(p, s));
	assert_int_equal(p->status, TS_BLOCKED);
	assert_string_equal(p->reason, "no perf events");
	snapshot_put(s);
	assert_int_equal(p->samples + p->duration_ns, 0);
	profile_free(p);
}

static void a_name_that_comes_late_counts(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	const struct snapshot *s;

	add_frame(b, 1, NULL, "/opt/shop", "user");
	add_frame(b, 2, NULL, "/opt/shop", "user")->reason = str_new("stripped");
	add_frame(b, 3, NULL, "/opt/shop", "user");	/* in no stack */
	add_stack(b, 7, 7, "2 1", 1);
	add(p, b);
	assert_int_equal(profile_pending(p), 1);
	expect_folded(p, "shop;[shop+0x1001];[shop+0x1002] 10000000\n");
	b = tick(2);
	add_frame(b, 1, "main", "/opt/shop", "user");
	add_stack(b, 7, 7, "1", 1);	/* later than the profile */
	s = builder_seal(b);
	profile_learn(p, s);
	snapshot_put(s);
	assert_int_equal(profile_pending(p), 0);
	expect_folded(p, "shop;main;[shop+0x1002] 10000000\n");
	profile_free(p);
}

static void numbers_that_are_given_anew_are_other_frames(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);

	add_frame(b, 1, "old", "/opt/shop", "user");
	add_stack(b, 7, 7, "1", 1);
	add(p, b);
	b = tick(2);
	add_frame(b, 1, "new", "/opt/other", "user")->addr = 5;
	add_stack(b, 7, 7, "1", 2);
	add(p, b);
	expect_folded(p, "shop;new 20000000\nshop;old 10000000\n");
	profile_free(p);
}

static void many_stacks(void **state)
{
	struct profile *p = cpu_profile();
	char frames[32];

	for (u64 t = 1; t <= 2; t++) {
		struct builder *b = tick(t);

		for (u32 i = 1; i <= 3000; i++) {
			snprintf(frames, sizeof(frames), "f%u", i);
			add_frame(b, i, frames, "/opt/shop", "user");
			snprintf(frames, sizeof(frames), "%u 1", i);
			add_stack(b, 7, 7, frames, i);
		}
		add(p, b);
	}
	assert_int_equal(p->n_stacks, 3000);
	assert_int_equal(p->samples, 3000u * 3001);
	profile_free(p);
}

/* ---- folded ---------------------------------------------------------------------- */

static void names_are_safe_and_separators_stay_separators(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	struct stacks_row *r;

	add_frame(b, 1, "L;java/lang;\n\x1b[31m", NULL, "jit");
	add_frame(b, 2, NULL, "/opt/a;b\n", "user");
	add_frame(b, 3, NULL, NULL, "unknown");
	add_frame(b, 4, NULL, "[kernel]", "kernel")->reason = str_new("hidden");
	add_frame(b, 5, "std::get<0>", "/opt/shop", "c++")->inlined = 1;
	r = add_stack(b, 7, 7, "4 5 99 3 2 1", 1);
	str_put(r->comm);
	r->comm = str_new("a;b");
	add(p, b);
	expect_folded(p, "a:b;L:java/lang: \xc2\xb7[31m;[a:b +0x1002];[0x1003];[unknown];"
		      "std::get<0>_[i];[kernel+0x1004]_[k] 10000000\n");
	profile_free(p);
}

static void a_cut_stack_says_so(void **state)
{
	struct profile *p = cpu_profile();
	struct builder *b = tick(1);
	struct stacks_row *r;

	add_frames(b);
	r = add_stack(b, 7, 7, "3", 1);
	str_put(r->whole);
	r->whole = str_new("no CFI");
	add(p, b);
	assert_int_equal(p->whole, 0);
	expect_folded(p, "shop;[cut: no CFI];read 10000000\n");
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_stacks_of_ticks_add_up),
		cmocka_unit_test(only_the_kind_and_the_processes_asked_for),
		cmocka_unit_test(time_that_was_not_observed_is_not_counted),
		cmocka_unit_test(a_name_that_comes_late_counts),
		cmocka_unit_test(numbers_that_are_given_anew_are_other_frames),
		cmocka_unit_test(many_stacks),
		cmocka_unit_test(names_are_safe_and_separators_stay_separators),
		cmocka_unit_test(a_cut_stack_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, free_written);
}
