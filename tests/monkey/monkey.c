// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * monkey.c: random keys over every view, many sizes, and snapshots in which rows of
 * every table come and go: made-up ones, or what became of those of the screen tests.
 * In half of its lives nobody but the console holds the snapshots, so that a pointer
 * that outlives one is found (best under ASan). Every eighth frame is read: no control
 * byte, and as many lines as there are.
 *
 *	monkey [-t SECONDS] [--seed N] [--lives N] [--size COLSxROWS] [FILE.snap...]
 *
 * A life is one console of random keys; its seed (and size) alone makes it again. What
 * kills one prints that seed and what was done; "--seed N --lives 1" repeats it.
 */
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/monkey/monkey.h"
#include "tests/screen/fixture.h"
#include "tests/unit/gen.h"
#include "tui/app/app_state.h"

#define STEPS 400		/* per life */
#define HANGS_SECONDS 120	/* of operations that take milliseconds */
#define LOG_MAX 4096
#define LOG_TICK 0x200000u	/* log entries that are no keys */
#define LOG_SIZE 0x400000u

struct monkey {
	struct chance c;
	u64 seed;
	const char *path;	/* of the recording; NULL: made-up snapshots */
	struct fixture *fixture;
	struct gen gen;
	u32 next_tick;
	struct history *history;
	const struct snapshot *last;	/* NULL: only in the history */
	struct app *app;
	struct canvas *canvas;
	struct app_config config;
	int rows, cols;
	bool hides;		/* only the console holds snapshots */
	u64 now_ns;
	u32 log[LOG_MAX];
	u32 n_log;
};

static struct monkey *now_running;
static int fixed_rows, fixed_cols;
static u64 all_keys, all_ticks, all_frames;

/* ---- log of actions ------------------------------------------ */

static void note(struct monkey *m, u32 what)
{
	m->log[m->n_log++ % LOG_MAX] = what;
}

static void key_text(char *buf, size_t cap, u32 key)
{
	static const char *const names[] = {
		"Enter", "Esc", "Backspace", "Tab", "Backtab", "Del", "Insert", "Up", "Down", "Left", "Right",
		"PgUp", "PgDn", "Home", "End",
	};

	if (key & LOG_SIZE)
		snprintf(buf, cap, "\nsize %ux%u\n", key >> 8 & 0x1ff, key & 0xff);
	else if (key & LOG_TICK)
		snprintf(buf, cap, "\ntick\n");
	else if (key > K_CTRL)
		snprintf(buf, cap, "C-%c ", (char)(key - K_CTRL));
	else if (key >= K_F1 && key <= K_F12)
		snprintf(buf, cap, "F%u ", key - K_F1 + 1);
	else if (key > K_NONE && key - K_ENTER < ARRAY_SIZE(names))
		snprintf(buf, cap, "%s ", names[key - K_ENTER]);
	else if (key == ' ')
		snprintf(buf, cap, "Space ");
	else if (key > ' ' && key < 0x7f)
		snprintf(buf, cap, "%c ", (char)key);
	else
		snprintf(buf, cap, "U+%04X ", key);
}

/* While the program dies: the output may be incomplete, so the seed comes first. */
static void last_words(void)
{
	struct monkey *m = now_running;
	char buf[32];

	if (!m)
		return;
	now_running = NULL;
	printf("\nnot ok - monkey: died in %s at %dx%d; again: monkey --seed %llu --lives 1%s and the same files\n",
	       m->path ? m->path : "made-up snapshots", m->cols, m->rows, (unsigned long long)m->seed,
	       fixed_rows ? ", the same --size" : "");
	printf("# what was done (%u steps):\n", m->n_log);
	for (u32 i = m->n_log > LOG_MAX ? m->n_log - LOG_MAX : 0; i < m->n_log; i++) {
		key_text(buf, sizeof(buf), m->log[i % LOG_MAX]);
		fputs(buf, stdout);
	}
	printf("\n");
	fflush(stdout);
}

static void on_fatal(int sig)
{
	signal(sig, SIG_DFL);
	if (sig == SIGALRM)
		printf("\nmonkey: it hangs\n");
	last_words();
	raise(sig == SIGALRM ? SIGABRT : sig);
}

extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* UBSan ignores the death callback: it aborts, which is caught. */
const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1:halt_on_error=1:abort_on_error=1";
}

static void catch_death(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL };

	signal(SIGALRM, on_fatal);
	signal(SIGABRT, on_fatal);
	if (__sanitizer_set_death_callback) {
		__sanitizer_set_death_callback(last_words);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(fatal); i++)
		signal(fatal[i], on_fatal);
}

/* ---- the program as seen by the console -------------------------------- */

static char *fake_record(void *arg, bool on, const char *path, bool *ret_on)
{
	*ret_on = on;
	return xstrdup(on ? "recording" : "recorded");
}

static u64 fake_record_bytes(void *arg)
{
	return 12345;
}

static char *fake_write(void *arg, const struct snapshot *s, u64 tables, u64 from_ns, const char *path)
{
	return xstrdup("written");
}

static void fake_want(void *arg, u64 tables, u64 pid, u64 start_time_ns)
{
}

static void fake_scope(void *arg, bool to_the_wanted_process)
{
}

static void fake_interval(void *arg, u64 interval_ns)
{
}

static void fake_name(void *arg, const char *addr)
{
}

static void set_config(struct monkey *m)
{
	struct app_config *c = &m->config;

	c->history = m->history;
	c->session = m->fixture ? &m->fixture->session : &m->gen.session;
	c->interval_ns = NSEC_PER_SEC;
	c->replay = chance_of(&m->c, 5);
	c->follow_end = c->replay && chance_of(&m->c, 2);
	c->view = app_views[chance(&m->c, N_VIEWS)]->name;
	c->pid = chance_of(&m->c, 6) ? chance(&m->c, 5000) : 0;
	if (c->replay)
		return;
	c->source.want = fake_want;
	c->source.scope = fake_scope;
	c->source.interval = fake_interval;
	c->source.record = fake_record;
	c->source.record_bytes = fake_record_bytes;
	c->source.write = fake_write;
	c->source.ask_name = fake_name;
}

/* ---- ticks ---------------------------------------------------------------------------------- */

static const struct snapshot *next_snapshot(struct monkey *m)
{
	const struct snapshot *s, *last;

	if (!m->fixture)
		return snapshot_get(gen_random(&m->gen));
	if (m->next_tick < m->fixture->n) {	/* takes over the reader's reference */
		s = m->fixture->ticks[m->next_tick];
		m->fixture->ticks[m->next_tick++] = NULL;
		return s;
	}
	last = m->last ? snapshot_get(m->last) :
		history_len(m->history) ? history_snapshot(m->history, history_len(m->history) - 1) : NULL;
	if (!last)
		return NULL;
	s = churn_tick(&m->c, last);
	snapshot_put(last);
	return s;
}

static void tick(struct monkey *m)
{
	const struct snapshot *s = next_snapshot(m);

	if (!s)
		return;
	note(m, LOG_TICK);
	all_ticks++;
	m->now_ns += s->interval_ns;
	history_append(m->history, s);
	snapshot_put(m->last);
	m->last = m->hides ? NULL : snapshot_get(s);
	if (m->config.replay) {
		snapshot_put(s);
		app_history_grew(m->app);
	} else {
		app_tick(m->app, s);
	}
	app_time(m->app, m->now_ns);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void start_console(struct monkey *m)
{
	m->app = app_new(&m->config, m->rows, m->cols);
	if (m->config.replay)
		app_history_grew(m->app);
	else if (m->last)
		app_tick(m->app, snapshot_get(m->last));
}

static void key(struct monkey *m, u32 code)
{
	note(m, code);
	all_keys++;
	if (app_key(m->app, code))
		return;
	app_free(m->app);	/* the user quits and returns */
	start_console(m);
}

static void type(struct monkey *m, const char *text)
{
	while (*text) {
		u32 ch, n = text_decode(text, &ch);

		key(m, ch);
		text += n ? n : 1;
	}
}

static void type_some_field(struct monkey *m)
{
	const struct table_desc *d = &table_descs[chance(&m->c, N_TABLES)];
	const struct field *f = &d->fields[chance(&m->c, d->n_fields)];

	type(m, chance_of(&m->c, 2) ? f->name : f->title);
}

static void type_words(struct monkey *m)
{
	static const char *const words[] = {
		"pid:", "comm:", "user:root", "state:R", "port:443", "src:10.", "dst:", "path:", " ", ":", "^n", "x$", ".*",
		"(", "[", "\\", "a|b", "{", "1", "42", "view ", "sort ", "delay 0.5", "filter ", "write x", "record", "quit",
		"pid 1", "nginx", "read", "e", "日", "!", "-", ">", "CPU%", "main",
	};

	for (u32 n = 1 + chance(&m->c, 3); n > 0; n--) {
		if (chance_of(&m->c, 4))
			type_some_field(m);
		else if (chance_of(&m->c, 6))
			type(m, app_views[chance(&m->c, N_VIEWS)]->name);
		else
			type(m, words[chance(&m->c, ARRAY_SIZE(words))]);
	}
	if (chance_of(&m->c, 10))
		return;
	key(m, chance_of(&m->c, 5) ? K_ESC : K_ENTER);
}

/* Any key of keys.def; rarely one that ends the console. */
static u32 some_action_key(struct monkey *m)
{
	const struct key_desc *k = &key_descs[1 + chance(&m->c, N_ACTIONS - 1)];
	char name[16];
	u32 n = 0, code;

	for (const char *p = k->keys; *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (chance_of(&m->c, ++n))
			snprintf(name, sizeof(name), "%.*s", (int)min(strcspn(p, " "), sizeof(name) - 1), p);
	code = key_code(name);
	if ((!strcmp(k->action, "quit") || code == K_CTRL + 'c') && !chance_of(&m->c, 8))
		return K_ENTER;
	return code;
}

static void some_key(struct monkey *m)
{
	static const u32 moves[] = {
		K_UP, K_DOWN, K_DOWN, K_DOWN, 'j', 'k', K_LEFT, K_RIGHT, K_RIGHT, K_PGUP, K_PGDN, K_HOME, K_END, 'G', 'g',
	};
	u32 what = chance(&m->c, 100);

	if (what < 38)
		key(m, moves[chance(&m->c, ARRAY_SIZE(moves))]);
	else if (what < 50)
		key(m, '0' + chance(&m->c, 10));
	else if (what < 62)
		key(m, K_ENTER);
	else if (what < 68)
		key(m, K_BACKSPACE);
	else if (what < 95)
		key(m, some_action_key(m));
	else if (what < 99)
		key(m, "/\\:"[chance(&m->c, 3)]), type_words(m);
	else
		key(m, chance_of(&m->c, 2) ? chance(&m->c, 0x3000) : K_NONE + chance(&m->c, 60));
}

/* ---- the screen ------------------------------------------------------------------------------ */

static void choose_size(struct monkey *m)
{
	static const int sizes[][2] = {
		{ 80, 24 }, { 120, 40 }, { 200, 60 }, { 40, 10 }, { 60, 18 }, { 300, 100 }, { 80, 12 }, { 39, 9 }, { 1, 1 },
	};
	u32 i = chance(&m->c, ARRAY_SIZE(sizes) + 3);

	m->cols = i < ARRAY_SIZE(sizes) ? sizes[i][0] : 40 + (int)chance(&m->c, 200);
	m->rows = i < ARRAY_SIZE(sizes) ? sizes[i][1] : 10 + (int)chance(&m->c, 70);
	if (fixed_rows) {
		m->rows = fixed_rows;
		m->cols = fixed_cols;
	}
}

static void resize(struct monkey *m)
{
	choose_size(m);
	note(m, LOG_SIZE | (u32)m->cols << 8 | (u32)m->rows);
	canvas_resize(m->canvas, m->rows, m->cols);
	app_resize(m->app, m->rows, m->cols);
}

/* No byte of the data reaches the terminal as a command; lines are valid text. */
static void check_screen(struct monkey *m)
{
	char *text = canvas_dump(m->canvas);
	int lines = 0;

	for (const char *p = text; *p;) {
		u32 ch, n = text_decode(p, &ch);

		if (!n || ch == 0x7f || (ch < 0x20 && ch != '\n') || (ch >= 0x80 && ch < 0xa0)) {
			printf("monkey: byte %02x on the screen\n", (u8)*p);
			abort();
		}
		lines += ch == '\n';
		p += n;
	}
	if (lines != m->rows) {
		printf("monkey: %d lines of %d\n", lines, m->rows);
		abort();
	}
	free(text);
}

static void draw(struct monkey *m)
{
	all_frames++;
	app_draw(m->app, m->canvas);
	if (chance_of(&m->c, 8))
		check_screen(m);
}

/* ---- lives ------------------------------------------------------------------------------------- */

static void live(u64 seed, char **recordings, u32 n)
{
	struct monkey m = { .c = { seed }, .seed = seed, .now_ns = NSEC_PER_SEC };

	now_running = &m;
	alarm(HANGS_SECONDS);
	gen_init(&m.gen, seed, 12);
	if (n && !chance_of(&m.c, 4)) {
		m.path = recordings[chance(&m.c, n)];
		m.fixture = fixture_load(m.path);
		if (!m.fixture)
			exit(1);
	}
	m.hides = chance_of(&m.c, 2);
	m.history = history_new(chance_of(&m.c, 3) ? 64 << 10 : HISTORY_CAP_BYTES);
	choose_size(&m);
	set_config(&m);
	m.canvas = canvas_new(m.rows, m.cols, chance_of(&m.c, 4), chance_of(&m.c, 2));
	m.app = app_new(&m.config, m.rows, m.cols);
	for (u32 i = 0; i < STEPS; i++) {
		u32 what = chance(&m.c, 100);

		if (what < 14 || !i)
			tick(&m);
		else if (what < 16)
			resize(&m);
		else if (what < 18)
			app_time(m.app, m.now_ns += NSEC_PER_SEC / 3);
		else
			some_key(&m);
		if (!chance_of(&m.c, 3))
			draw(&m);
	}
	app_free(m.app);
	canvas_free(m.canvas);
	snapshot_put(m.last);
	history_free(m.history);
	if (m.fixture)
		fixture_free(m.fixture);
	gen_end(&m.gen);
	now_running = NULL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", 1, NULL, 's' }, { "lives", 1, NULL, 'l' }, { "size", 1, NULL, 'z' }, { 0 },
	};
	u64 seed = clock_ns(CLOCK_REALTIME), lives = UINT64_MAX, seconds = 10, n = 0, until;
	int opt;

	while ((opt = getopt_long(argc, argv, "t:", options, NULL)) != -1) {
		if (opt == 't')
			seconds = strtoull(optarg, NULL, 10);
		else if (opt == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (opt == 'l')
			lives = strtoull(optarg, NULL, 10);
		else if (opt != 'z' || sscanf(optarg, "%dx%d", &fixed_cols, &fixed_rows) != 2)
			return 2;
	}
	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	catch_death();
	printf("# monkey: seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	until = clock_ns(CLOCK_MONOTONIC) + seconds * NSEC_PER_SEC;
	for (; n < lives && clock_ns(CLOCK_MONOTONIC) < until; n++)
		live(seed + n, argv + optind, (u32)(argc - optind));
	printf("ok 1 - monkey: %llu lives from seed %llu on: %llu keys, %llu ticks, %llu frames\n",
	       (unsigned long long)n, (unsigned long long)seed, (unsigned long long)all_keys,
	       (unsigned long long)all_ticks, (unsigned long long)all_frames);
	return 0;
}
