// SPDX-License-Identifier: GPL-2.0-or-later
/* test_heatmap.c: the heat map over a history with merged old ticks; any keys at any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <locale.h>

#include "bpf/record/history.h"
#include "bpf/model/snapshot_build.h"
#include "tui/app/app.h"

#define CALLS 7		/* in each tick */

static const struct session session = { .host_name = "test" };

struct screen {
	struct history *history;
	const struct snapshot *last;
	struct app *app;
	struct canvas *canvas;
	u64 seq;
};

static void add_row(struct builder *b, u64 seq)
{
	struct syscalls_row *r = builder_row(b, TABLE_syscalls);
	struct hist_acc *acc = xcalloc(1, sizeof(*acc));

	for (u64 i = 0; i < CALLS; i++)
		hist_acc_value(acc, (1 + seq % 50 + i) * 100000);
	r->pid = 4711;
	r->start_time_ns = 1;
	r->nr = 0;
	r->abi = str_new("x86_64");
	r->comm = str_new("cat");
	r->syscall = str_new("read");
	r->rate = CALLS;
	r->time_rate = (float)acc->sum_ns;
	r->waits = 0;
	r->hist_tick = hist_seal(acc);
	r->hist = hist_seal(acc);
	free(acc);
}

static void screen_tick(struct screen *s)
{
	struct builder *b = builder_new(s->last, &session);
	struct processes_row *p;

	s->seq++;
	builder_time(b, s->seq, (1000 + s->seq) * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	add_row(b, s->seq);
	p = builder_row(b, TABLE_processes);
	p->pid = 4711;
	p->start_time_ns = 1;
	p->comm = str_new("cat");
	p->cpu_pct = 1;
	builder_status(b, TABLE_syscalls, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	snapshot_put(s->last);
	s->last = builder_seal(b);
	history_append(s->history, s->last);
	app_tick(s->app, snapshot_get(s->last));
}

static void screen_start(struct screen *s, size_t cap_bytes, int rows, int cols, bool fills)
{
	struct app_config config = { .session = &session, .interval_ns = NSEC_PER_SEC };

	*s = (struct screen){ .history = history_new(cap_bytes) };
	config.history = s->history;
	config.view = "heatmap";
	s->canvas = canvas_new(rows, cols, false, fills);
	s->app = app_new(&config, rows, cols);
}

static void screen_end(struct screen *s)
{
	app_free(s->app);
	canvas_free(s->canvas);
	snapshot_put(s->last);
	history_free(s->history);
}

/* The text on the screen; an incomplete frame is drawn again, as the console does. */
static char *screen_text(struct screen *s)
{
	int frames = 0;

	do {
		app_draw(s->app, s->canvas);
		assert_true(++frames < 1000);
	} while (app_dirty(s->app));
	return canvas_dump(s->canvas);
}

/* "... of 14 calls ...": the calls of the ticks under the cursor. */
static unsigned long calls_at_cursor(struct screen *s)
{
	char *text = screen_text(s), *of = strstr(text, " of "), *calls = strstr(text, " call");
	unsigned long n = 0;

	assert_non_null(calls);
	while (of && of < calls && strstr(of + 1, " of ") && strstr(of + 1, " of ") < calls)
		of = strstr(of + 1, " of ");
	assert_int_equal(sscanf(of, " of %lu call", &n), 1);
	free(text);
	return n;
}

static void merged_ticks_are_wide_marked_and_whole(void **state)
{
	struct screen s;
	unsigned long n, most = 0;
	char *text;

	(void)state;
	screen_start(&s, 16 << 10, 24, 80, false);
	for (int i = 0; i < 900; i++)
		screen_tick(&s);
	assert_true(history_merged(s.history) > 0);
	text = screen_text(&s);
	free(text);
	app_key(s.app, K_HOME);
	text = screen_text(&s);
	assert_non_null(strstr(text, "scrolled"));
	assert_non_null(strstr(text, "= merged"));
	assert_non_null(strstr(text, "=="));
	free(text);
	for (u32 i = 0; i < history_len(s.history); i++) {
		n = calls_at_cursor(&s);
		assert_int_equal(n % CALLS, 0);
		assert_int_equal(n / CALLS, history_interval_ns(s.history, i) / NSEC_PER_SEC);
		most = max(most, n);
		app_key(s.app, K_RIGHT);
	}
	assert_true(most > CALLS);
	screen_end(&s);
}

/* The cursor stays with its tick as time goes on. */
static void cursor_holds_its_tick(void **state)
{
	struct screen s;
	char *text;

	(void)state;
	setenv("TZ", "UTC", 1);
	screen_start(&s, 1 << 20, 24, 80, false);
	for (int i = 0; i < 20; i++)
		screen_tick(&s);
	free(screen_text(&s));
	for (int i = 0; i < 5; i++)
		app_key(s.app, K_LEFT);
	text = screen_text(&s);
	assert_non_null(strstr(text, "at 00:16:55"));	/* 1000 + 15 s */
	free(text);
	for (int i = 0; i < 200; i++)
		screen_tick(&s);
	text = screen_text(&s);
	assert_non_null(strstr(text, "at 00:16:55"));
	assert_non_null(strstr(text, "scrolled"));
	free(text);
	app_key(s.app, K_ESC);
	text = screen_text(&s);
	assert_non_null(strstr(text, "at 00:20:20"));
	assert_null(strstr(text, "scrolled"));
	free(text);
	screen_end(&s);
}

/* Any key at any size at any time: no drawing outside, no use of freed data. */
static void any_keys_at_any_size(void **state)
{
	static const char keys[] = "77711bbWWVVVcx++--hjklhjkliIFLnNp[]{}gG?tS<>!";
	static const u32 special[] = {
		K_ENTER, K_ENTER, K_ESC, K_BACKSPACE, K_LEFT, K_RIGHT, K_UP, K_DOWN, K_PGUP,
		K_PGDN, K_HOME, K_END, K_TAB,
	};

	(void)state;
	for (unsigned seed = 1; seed <= 12; seed++) {
		struct screen s;

		srand(seed);
		screen_start(&s, seed % 2 ? 1 << 20 : 16 << 10, 24, 80, seed % 3);
		for (int i = 0; i < 600; i++) {
			int what = rand() % 100, rows = 6 + rand() % 60, cols = 30 + rand() % 190;

			if (what < 20) {
				screen_tick(&s);
			} else if (what < 24) {
				canvas_resize(s.canvas, rows, cols);
				app_resize(s.app, rows, cols);
			} else if (what < 55) {
				app_key(s.app, special[(u32)rand() % ARRAY_SIZE(special)]);
			} else {
				app_key(s.app, (u8)keys[(u32)rand() % (sizeof(keys) - 1)]);
			}
			if (i % 3 == 0)
				free(screen_text(&s));
		}
		screen_end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merged_ticks_are_wide_marked_and_whole),
		cmocka_unit_test(cursor_holds_its_tick),
		cmocka_unit_test(any_keys_at_any_size),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
