// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The console without a terminal: replay, and sparklines after a jump in time.
 */
#include <malloc.h>

#include "app_source.h"

static void replaying(void **state)
{
	int wait_ms;

	assert_int_equal(app_time(app, 1), -1);	/* nothing is there yet */
	for (u64 n = 1; n <= 4; n++)
		history_append(history, make_tick(n));
	app_history_grew(app);
	assert_int_equal(app_snapshot(app)->seq, 2);	/* the first tick has no rates */
	assert_true(sees("REPLAY"));
	wait_ms = app_time(app, NSEC_PER_SEC / 2);
	assert_in_range(wait_ms, 1, 1001);
	app_time(app, 2 * NSEC_PER_SEC);
	assert_int_equal(app_snapshot(app)->seq, 3);
	keys("p");
	app_time(app, 90 * NSEC_PER_SEC);
	assert_int_equal(app_snapshot(app)->seq, 3);	/* paused */
	keys("p");
	app_time(app, 92 * NSEC_PER_SEC);
	assert_int_equal(app_snapshot(app)->seq, 4);
	assert_int_equal(app_time(app, 99 * NSEC_PER_SEC), -1);
	assert_true(sees("end of the recording"));
	keys("p");
	assert_int_equal(app_snapshot(app)->seq, 1);	/* once more from the start */
	asked.problem = "the recording is cut short";
	assert_true(sees("! the recording is cut short"));
	keys("R");
	assert_true(sees("a replay cannot be recorded"));
	keys(":delay 2\n");
	assert_true(sees("! a replay has the interval"));
}

static void following_a_pipe(void **state)
{
	end(NULL);
	begin((struct app_config){ .replay = true, .follow_end = true });
	history_append(history, make_tick(1));
	app_history_grew(app);
	history_append(history, make_tick(2));
	app_history_grew(app);
	assert_int_equal(app_snapshot(app)->seq, 2);
	keys("p");
	history_append(history, make_tick(3));
	app_history_grew(app);
	assert_int_equal(app_snapshot(app)->seq, 2);
}

/* After any jump a sparkline is the same as one fed tick by tick. */
static void series_after_jumps(void **state)
{
	static const int jumps[] = { 0, 70, 71, 72, 30, 29, 28, 199, 5, 150, 149, 100, 0 };
	struct series s = { 0 };

	for (u64 n = 1; n <= 200; n++)
		tick(n);
	for (u32 i = 0; i < ARRAY_SIZE(jumps); i++) {
		const struct snapshot *at = history_snapshot(history, (u32)jumps[i]);

		series_update(&s, history, at, "cpu_pct");
		assert_true(s.n > 0 && s.n <= SERIES_MAX);
		assert_true(s.n >= min(jumps[i] + 1, 40));
		for (int k = 0; k < s.n; k++)
			assert_float_equal(s.values[s.n - 1 - k], 2.0f * (float)(jumps[i] + 1 - k), 0.01);
		snapshot_put(at);
	}
}

static void trails_after_jumps(void **state)
{
	struct trails *t = series_trails_new(TABLE_processes, table_field(TABLE_processes, "cpu_pct"), 16);
	static const int jumps[] = { 0, 1, 2, 15, 14, 3, 0, 12 };

	for (u64 n = 1; n <= 16; n++)
		tick(n);
	for (u32 i = 0; i < ARRAY_SIZE(jumps); i++) {
		const struct snapshot *at = history_snapshot(history, (u32)jumps[i]);
		const u8 *levels;

		series_trails_update(t, history, at);
		levels = series_trails_levels(t, 10, 5);
		assert_non_null(levels);
		for (int k = 0; k < TRAIL_LEN; k++) {
			int n = jumps[i] + 1 - (TRAIL_LEN - 1 - k);

			assert_int_equal(levels[k], n < 1 ? 0 : (n + 1) / 2);
		}
		snapshot_put(at);
	}
	assert_null(series_trails_levels(t, 11, 6));	/* not in the last tick */
	assert_null(series_trails_levels(t, 999, 1));
	series_trails_free(t);
}

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Processes that come and go for hours: only those of the last ticks take memory. */
static void trails_of_the_ended_go(void **state)
{
	struct trails *t = series_trails_new(TABLE_processes, table_field(TABLE_processes, "cpu_pct"), 16);
	size_t early = 0;

	for (u64 n = 1; n <= 1000; n++) {
		struct builder *b = builder_new(NULL, &session);
		const struct snapshot *s;

		builder_time(b, n, (1000 + n) * NSEC_PER_SEC, 0, NSEC_PER_SEC);
		for (u64 i = 0; i < 50; i++)
			add(b, 100 + i, n * 50 + i, "short", 1);
		s = builder_seal(b);
		series_trails_update(t, NULL, s);
		snapshot_put(s);
		if (n == 100)
			early = in_use();
	}
	assert_true(in_use() <= early + 100000);
	series_trails_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(replaying, start_replay, end),
		TEST(following_a_pipe),
		TEST(series_after_jumps),
		TEST(trails_after_jumps),
		TEST(trails_of_the_ended_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
