// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The console without a terminal: its requests to the source, levels and the way back, any size and
 * any key.
 */
#include "app_source.h"

/* The processes on the screen are reported when they change, and only then. */
static void looks(void **state)
{
	tick(1);
	assert_true(sees("steady"));
	assert_int_equal(asked.looks, 1);
	assert_int_equal(asked.n_looked, 2);
	assert_int_equal(asked.looked[0], 10);
	assert_int_equal(asked.looked[1], 12);
	assert_true(sees("steady"));
	assert_int_equal(asked.looks, 1);
	tick(2);
	assert_true(sees("short"));
	assert_int_equal(asked.looks, 2);
	assert_int_equal(asked.n_looked, 3);
	assert_int_equal(asked.looked[0], 11);	/* 50 percent: the first */
	keys("!");	/* no row of a process there */
	assert_true(sees(""));
	assert_int_equal(asked.n_looked, 0);
}

static void wants(void **state)
{
	u64 always = TABLE_BIT(TABLE_host) | TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_self);

	assert_int_equal(asked.wants, 1);
	assert_true((asked.tables & always) == always);
	assert_false(asked.tables & WANT_NO_CALLS);	/* SYSC/s is there */
	tick(1);
	keys("9");
	assert_true(asked.tables & WANT_NO_CALLS);
	assert_true(asked.tables & TABLE_BIT(TABLE_events));
	assert_int_equal(asked.pid, 0);
	keys("1\n");	/* into the first process */
	assert_int_equal(asked.pid, 10);
	assert_int_equal(asked.start_ns, 5);
	assert_false(asked.tables & (TABLE_BIT(TABLE_events) | WANT_NO_CALLS));
	int before = asked.wants;
	tick(2);
	assert_int_equal(asked.wants, before);	/* said once, not at every tick */
	keys("7");
	assert_int_equal(asked.scoped, !!(syscalls_view.flags & VIEW_SCOPED));
	keys("\b");
	assert_false(asked.scoped);
	assert_int_equal(asked.pid, 0);
}

static void levels(void **state)
{
	tick(1);
	keys("j");
	assert_true(sees(">     12"));
	keys("\n");
	assert_true(sees("host > old 12"));
	keys("9");
	assert_true(sees("host > old 12"));	/* another tab keeps the context */
	keys("\b");
	assert_true(sees(">     12"));		/* the same row */
	keys("9\b");
	assert_true(sees("[1Proc]"));		/* from any view of the host: home */
	for (int i = 0; i < 3 * MAX_LEVELS; i++)
		app_enter_process(app, 10 + 2 * (u64)(i & 1), i & 1 ? 7 : 5, "syscalls");
	assert_in_range(app->n_levels, 2, MAX_LEVELS);
	while (app_up(app))
		;
	assert_true(sees(">     12"));
}

static void ends_and_is_replaced(void **state)
{
	for (u64 n = 1; n <= 3; n++)
		tick(n);
	app_enter_process(app, 11, 6, NULL);
	tick(4);
	assert_true(sees("(ended"));
	tick(5);
	assert_non_null(app_process(app));
	assert_true(app_process(app)->row.closed);
	assert_true(sees("(ended"));		/* the last row is kept */
	app_up(app);
	app_enter_process(app, 12, 7, NULL);
	tick(6);
	assert_true(sees("12 is another process now (new): showing the old one"));
	app_up(app);
	app_enter_process(app, 11, 6, NULL);	/* long gone, found in the history */
	assert_non_null(app_process(app));
	assert_string_equal(app_process(app)->comm, "short");
}

static void first_context(void **state)
{
	end(NULL);
	begin((struct app_config){ .source = source, .pid = 12 });
	tick(1);
	assert_int_equal(app_context(app)->start_time_ns, 7);
	assert_true(sees("host > old 12"));
	assert_int_equal(asked.pid, 12);
	tick(6);
	assert_int_equal(app_context(app)->start_time_ns, 7);
}

static void messages_go_away(void **state)
{
	tick(1);
	keys("w");
	assert_int_equal(asked.writes, 1);
	assert_true(sees("written to x.json"));
	app_time(app, 2 * NSEC_PER_SEC);
	assert_true(sees("written to x.json"));
	app_time(app, 4 * NSEC_PER_SEC);
	assert_false(sees("written to x.json"));
	app_say(app, ROLE_bad, "failed");
	app_time(app, 90 * NSEC_PER_SEC);
	assert_true(sees("! failed"));		/* an error stays until a key */
	keys("j");
	assert_false(sees("! failed"));
}

static void commands(void **state)
{
	tick(1);
	keys("R");
	assert_true(sees("recording to x.otr"));
	assert_true(sees("REC 12.0M"));
	keys("R");
	assert_true(sees("saved 5m02s"));
	assert_false(sees("REC"));
	keys(":record /tmp/a.otr\n");
	assert_string_equal(asked.path, "/tmp/a.otr");
	keys(":write /tmp/b\n");
	assert_string_equal(asked.path, "/tmp/b");
	keys(":delay 0.5\n");
	assert_int_equal(asked.interval_ns, NSEC_PER_SEC / 2);
	assert_true(sees("LIVE .5s"));
	keys(":delay 500\n");
	assert_int_equal(asked.interval_ns, NSEC_PER_SEC / 2);
	keys(":delay x\n");
	assert_true(sees("! the delay is"));
	keys(":filter comm:steady\n");
	assert_true(sees("1 of 2 processes"));
	keys(":sort nothing\n");
	assert_true(sees("! no column nothing here"));
	keys(":view nothing\n");
	assert_true(sees("! no view nothing"));
	keys(":view card\n");
	assert_true(sees("needs a process"));
}

static void pausing(void **state)
{
	for (u64 n = 1; n <= 5; n++)
		tick(n);
	keys("p");
	tick(6);
	assert_int_equal(app_snapshot(app)->seq, 5);
	assert_false(app_live(app));
	assert_true(sees("-00:01"));
	keys("]");
	assert_int_equal(app_snapshot(app)->seq, 6);
	keys("]");
	assert_true(sees("newest moment"));
	keys("{");
	assert_int_equal(app_snapshot(app)->seq, 1);
	keys("[");
	assert_true(sees("oldest moment"));
	keys("p");
	assert_int_equal(app_snapshot(app)->seq, 6);
	assert_true(app_live(app));
}

/* Absence is claimed only after observing, not before. */
static void absence_needs_evidence(void **state)
{
	char said[96];

	tick(1);
	assert_true(app_too_early(app, TABLE_processes, said, sizeof(said)));
	assert_string_equal(said, "not known yet: looked at for 1 s");
	assert_true(app_too_early(app, TABLE_events, said, sizeof(said)));
	assert_string_equal(said, "not known yet: the first interval is not over");
	tick(2);
	assert_true(app_too_early(app, TABLE_processes, said, sizeof(said)));
	tick(3);
	assert_false(app_too_early(app, TABLE_processes, said, sizeof(said)));
	assert_true(app_too_early(app, TABLE_events, said, sizeof(said)));
	keys("[");	/* past ticks do not change any more */
	assert_false(app_too_early(app, TABLE_events, said, sizeof(said)));
}

/* If no tick comes the screen gets old: it must not go on showing LIVE. */
static void late(void **state)
{
	tick(1);
	tick(2);
	assert_true(sees("LIVE 1s"));
	assert_in_range(app_time(app, 2 * NSEC_PER_SEC), 2990, 3001);
	app_time(app, 5 * NSEC_PER_SEC - 1);
	assert_true(sees("LIVE 1s"));
	assert_false(app_dirty(app));
	assert_in_range(app_time(app, 5 * NSEC_PER_SEC), 1, 1000);
	assert_true(app_dirty(app));
	assert_true(sees("LATE 3s"));
	app_time(app, 5 * NSEC_PER_SEC + 1);
	assert_false(app_dirty(app));	/* drawn once a second */
	app_time(app, 65 * NSEC_PER_SEC);
	assert_true(sees("LATE 63s"));
	app_time(app, 1202 * NSEC_PER_SEC);
	assert_true(sees("LATE 20m"));
	keys("p");	/* paused: nothing is to come */
	assert_false(sees("LATE"));
	keys("p");
	tick(1203);
	assert_true(sees("LIVE 1s"));
}

/* A frame is drawn at every size, in every view, without touching cells outside. */
static void any_size(void **state)
{
	static const char views[] = "179!?";

	for (u64 n = 1; n <= 3; n++)
		tick(n);
	for (u32 v = 0; views[v]; v++) {
		app_key(app, (u32)views[v]);
		for (int rows = 1; rows < 70; rows += 3)
			for (int cols = 1; cols < 230; cols += 7) {
				struct canvas *c = canvas_new(rows, cols, false, rows & 1);

				app_resize(app, rows, cols);
				app_draw(app, c);
				canvas_free(c);
			}
	}
	app_enter_process(app, 10, 5, NULL);
	for (int cols = 1; cols < 230; cols += 7) {
		struct canvas *c = canvas_new(30, cols, false, true);

		app_resize(app, 30, cols);
		app_draw(app, c);
		canvas_free(c);
	}
}

/* Any keys in any order: nothing crashes, Esc never quits. */
static void random_keys(void **state)
{
	static const u32 special[] = {
		K_ENTER, K_ESC, K_BACKSPACE, K_TAB, K_BACKTAB, K_DEL, K_UP, K_DOWN, K_LEFT, K_RIGHT,
		K_PGUP, K_PGDN, K_HOME, K_END, K_F1, K_F1 + 4, K_F12,
	};
	struct canvas *c = canvas_new(24, 80, false, false);
	u32 seed = 12345;

	for (u64 n = 1; n <= 3; n++)
		tick(n);
	app_resize(app, 24, 80);
	for (int i = 0; i < 20000; i++) {
		u32 key;

		seed = seed * 1664525 + 1013904223;
		key = (seed >> 16) % 130;
		key = key < 95 ? ' ' + key : special[key % ARRAY_SIZE(special)];
		if (key == 'q' || key == K_F1 + 9)
			continue;
		app_key(app, key);
		app->quit = false;	/* ":quit" may be typed at random */
		if (i % 7 == 0)
			app_draw(app, c);
		if (i % 400 == 0)
			tick(4 + (u64)i / 400);
	}
	canvas_free(c);
}

static bool is_before(const struct tableview *t, const struct table_row *x, const struct table_row *y)
{
	bool x_gone = x->mark == MARK_gone, y_gone = y->mark == MARK_gone;

	if (x->past || x->key != y->key)
		return !x->past && (x->key < y->key) == t->ascending;
	return x_gone == y_gone ? x->order < y->order : y_gone;
}

/* Most rows of a large table are idle: position of that block, for any values of the others. */
static void sorting(void **state)
{
	static const float values[] = { 0, 0, 0, 0, -1, -0.0f, 1, 7.5f, F32_UNKNOWN, F32_PENDING };
	const struct tableview *t;
	u32 seed = 1;

	for (u64 n = 1; n <= 40; n++) {
		struct builder *b = builder_new(last, &session);

		builder_time(b, n, (1000 + n) * NSEC_PER_SEC, 0, NSEC_PER_SEC);
		for (u32 i = 0; i < 60; i++) {
			struct processes_row *p = add(b, 10 + i, 5, "any", 0);

			seed = seed * 1103515245 + 12345;
			p->cpu_pct = values[(seed >> 16) % (n % 2 ? 4 + n / 6 : ARRAY_SIZE(values))];
			p->row.closed = (seed >> 24) % 9 == 0;
		}
		builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
		snapshot_put(last);
		last = builder_seal(b);
		app_tick(app, snapshot_get(last));
		if (n % 5 == 0)
			keys("I");
		t = app_table(app);
		assert_in_range(t->n, 60, 200);
		for (u32 i = 1; i < t->n; i++)
			assert_true(t->rows[i].past || is_before(t, &t->rows[i - 1], &t->rows[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wants),
		TEST(looks),
		TEST(levels),
		TEST(ends_and_is_replaced),
		TEST(first_context),
		TEST(messages_go_away),
		TEST(commands),
		TEST(pausing),
		TEST(absence_needs_evidence),
		TEST(late),
		TEST(sorting),
		TEST(any_size),
		TEST(random_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
