// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * monkey.c: random keys over every view, many sizes, and snapshots in which rows of
 * every table come and go, or those of the screen tests. Nobody but the console holds
 * the snapshots, so that a pointer that outlives one is found (best under ASan).
 *
 *	monkey [-t SECONDS] [--seed N] [--lives N] [FILE.snap...]
 *
 * A life is one console of random keys; its seed alone makes it again. What kills
 * one prints the seed of that life and its last keys; "--seed N --lives 1" repeats it.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/screen/fixture.h"
#include "tests/unit/gen.h"
#include "tui/app/app.h"

#define LAST_KEYS 64
#define MAX_STEPS 1500

static const struct { int cols, rows; } sizes[] = {
	{ 80, 24 }, { 120, 40 }, { 200, 60 }, { 40, 10 }, { 38, 9 }, { 300, 80 }, { 1, 1 }, { 100, 12 },
};

/* Keys that walk lists and open things come more often than the others. */
static const char walking[] = "jjjjjjjjjjkkkkkkllhhgG1235779!?pp[]{}/\\:<>ISMPTtFbKOLWwviVcx#mD+-*nNuCrsEdRR";

static const u32 special[] = {
	K_ENTER, K_ENTER, K_ENTER, K_ENTER, K_ESC, K_ESC, K_BACKSPACE, K_BACKSPACE, K_TAB, K_BACKTAB, K_DEL, K_UP,
	K_DOWN, K_DOWN, K_LEFT, K_RIGHT, K_PGUP, K_PGDN, K_HOME, K_END, K_F1, K_F1 + 4, K_F1 + 8, K_F12,
};

static const char *const words[] = { "comm:a", "pid:>1", "user:", "x", "view ", "sort ", "(", "delay 2", "filter .*" };

struct life {
	u64 seed;
	struct gen gen;
	struct fixture *fixture;	/* NULL: made-up snapshots */
	u32 next_tick;
	struct history *history;
	struct app *app;
	struct canvas *canvas;
	int rows, cols;
	u64 now_ns;
	u32 keys[LAST_KEYS], n_keys;
};

static struct life *living;	/* for the one who reports a death */

/* ---- what the last words are ------------------------------------------------------------ */

static void last_words(void)
{
	if (!living)
		return;
	dprintf(STDERR_FILENO, "monkey: died in the life of seed %llu at %dx%d; its last keys:",
		(unsigned long long)living->seed, living->cols, living->rows);
	for (u32 i = living->n_keys - min(living->n_keys, (u32)LAST_KEYS); i < living->n_keys; i++) {
		u32 key = living->keys[i % LAST_KEYS];

		dprintf(STDERR_FILENO, key > ' ' && key < 0x7f ? " %c" : " 0x%x", key);
	}
	dprintf(STDERR_FILENO, "\n");
	living = NULL;
}

static void died(int sig)
{
	last_words();
	signal(sig, SIG_DFL);
	raise(sig);
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch_over_deaths(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM };

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], died);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(last_words);
}

/* ---- one life ----------------------------------------------------------------------------- */

static void tick(struct life *l)
{
	const struct snapshot *s;

	if (l->fixture && l->next_tick < l->fixture->n) {
		s = l->fixture->ticks[l->next_tick];
		l->fixture->ticks[l->next_tick++] = NULL;
	} else if (l->fixture) {
		return;
	} else {
		s = gen_random(&l->gen);
		snapshot_get(s);
	}
	history_append(l->history, s);
	app_tick(l->app, s);
	l->now_ns += NSEC_PER_SEC;
	app_time(l->app, l->now_ns);
}

static void press(struct life *l, u32 key)
{
	l->keys[l->n_keys++ % LAST_KEYS] = key;
	app_key(l->app, key);
}

static void type(struct life *l, const char *text)
{
	while (*text)
		press(l, (u8)*text++);
}

static void resize(struct life *l)
{
	u32 i = gen_rand(&l->gen, ARRAY_SIZE(sizes));

	l->rows = sizes[i].rows;
	l->cols = sizes[i].cols;
	canvas_resize(l->canvas, l->rows, l->cols);
	app_resize(l->app, l->rows, l->cols);
}

static void step(struct life *l)
{
	u32 what = gen_rand(&l->gen, 100);

	if (what < 60)
		press(l, (u8)walking[gen_rand(&l->gen, sizeof(walking) - 1)]);
	else if (what < 80)
		press(l, special[gen_rand(&l->gen, ARRAY_SIZE(special))]);
	else if (what < 83)
		press(l, ' ' + gen_rand(&l->gen, 95));
	else if (what < 85)
		type(l, words[gen_rand(&l->gen, ARRAY_SIZE(words))]);
	else if (what < 96)
		tick(l);
	else if (what < 97)
		resize(l);
	else
		app_time(l->app, l->now_ns += 4 * NSEC_PER_SEC);
	if (gen_rand(&l->gen, 3))
		app_draw(l->app, l->canvas);
}

static void live(u64 seed, char **files, u32 n_files)
{
	struct life l = { .seed = seed, .rows = 24, .cols = 80, .now_ns = NSEC_PER_SEC };
	struct app_config config = { .interval_ns = NSEC_PER_SEC };
	u32 file, steps;

	living = &l;
	alarm(120);	/* a life that hangs is a dead one */
	gen_init(&l.gen, seed, 12);
	file = gen_rand(&l.gen, 2 * n_files + 1);
	if (file < n_files)
		l.fixture = fixture_load(files[file]);
	l.history = history_new(gen_rand(&l.gen, 2) ? HISTORY_CAP_BYTES : 1 << 16);
	config.history = l.history;
	config.session = l.fixture ? &l.fixture->session : &l.gen.session;
	l.canvas = canvas_new(l.rows, l.cols, gen_rand(&l.gen, 4) == 0, gen_rand(&l.gen, 4) == 0);
	l.app = app_new(&config, l.rows, l.cols);
	resize(&l);
	steps = gen_rand(&l.gen, MAX_STEPS);
	for (u32 i = 0; i < steps; i++)
		step(&l);
	app_free(l.app);
	canvas_free(l.canvas);
	history_free(l.history);
	if (l.fixture)
		fixture_free(l.fixture);
	gen_end(&l.gen);
	living = NULL;
}

int main(int argc, char **argv)
{
	u64 seed = clock_ns(CLOCK_REALTIME), lives = UINT64_MAX, seconds = 10, n = 0, until;
	int at = 1;

	for (; at + 1 < argc && *argv[at] == '-'; at += 2) {
		if (!strcmp(argv[at], "-t"))
			seconds = strtoull(argv[at + 1], NULL, 10);
		else if (!strcmp(argv[at], "--seed"))
			seed = strtoull(argv[at + 1], NULL, 10);
		else if (!strcmp(argv[at], "--lives"))
			lives = strtoull(argv[at + 1], NULL, 10);
		else
			return fprintf(stderr, "monkey: no option %s\n", argv[at]), 2;
	}
	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	watch_over_deaths();
	printf("# monkey: seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	until = clock_ns(CLOCK_MONOTONIC) + seconds * NSEC_PER_SEC;
	for (; n < lives && clock_ns(CLOCK_MONOTONIC) < until; n++)
		live(seed + n, argv + at, (u32)(argc - at));
	printf("ok 1 - monkey: %llu lives from seed %llu on\n", (unsigned long long)n, (unsigned long long)seed);
	return 0;
}
