// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * run.c: screen tests. A .test file has a readable screen for each step:
 *
 *	# what must hold
 *	fixture shop.snap
 *	size 80x24
 *	ascii			(optional: the ASCII glyphs)
 *	ticks 2			shows the fixture's next 2 ticks (all of them: "ticks all")
 *	keys t Down Enter "\ comm:x" Enter
 *	play Enter		of the view that these keys lead to, each key of its help does something,
 *				and no other one does (play.h)
 *	screen <<		what must be seen now; "lines 5-8 <<" for a part
 *	...
 *	<<
 *
 * A word of `keys` is a key of keys.def, or a text in quotes typed as it is.
 * "run --bless FILE..." writes what is seen into the files; look at the diff.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/screen/fixture.h"
#include "tests/screen/play.h"
#include "tui/app/app.h"

struct test {
	const char *path;
	char *dir;
	FILE *in, *out;		/* out: the corrected file */
	struct fixture *fixture;
	struct history *history;
	struct app *app;
	struct canvas *canvas;
	int rows, cols;
	bool ascii, replay;
	char view[32];
	u32 next_tick;
	u64 now_ns;
	int line, bad;
};

static int fail(struct test *t, const char *what)
{
	printf("not ok %s:%d: %s\n", t->path, t->line, what);
	t->bad++;
	return -1;
}

/* ---- commands ------------------------------------------------------------------------- */

static void stop_console(struct test *t)
{
	app_free(t->app);
	canvas_free(t->canvas);
	history_free(t->history);
	t->app = NULL;
	t->canvas = NULL;
	t->history = NULL;
	t->next_tick = 0;
}

static void stop(struct test *t)
{
	stop_console(t);
	fixture_free(t->fixture);
	t->fixture = NULL;
}

static int load(struct test *t, const char *name)
{
	char path[512];

	stop(t);
	snprintf(path, sizeof(path), "%s/%s", t->dir, name);
	t->fixture = fixture_load(path);
	t->rows = 24;
	t->cols = 80;
	t->ascii = t->replay = false;
	t->view[0] = '\0';
	return t->fixture ? 0 : fail(t, "no fixture");
}

static int start(struct test *t)
{
	struct app_config config = { 0 };

	if (t->app)
		return 0;
	if (!t->fixture)
		return fail(t, "fixture NAME comes first");
	t->history = history_new(HISTORY_CAP_BYTES);
	config.history = t->history;
	config.session = &t->fixture->session;
	config.interval_ns = NSEC_PER_SEC;
	config.replay = t->replay;
	config.view = *t->view ? t->view : NULL;
	t->canvas = canvas_new(t->rows, t->cols, t->ascii, false);
	t->app = app_new(&config, t->rows, t->cols);
	return 0;
}

static int ticks(struct test *t, const char *arg)
{
	u32 n = !strcmp(arg, "all") ? FIXTURE_MAX : (u32)atoi(arg);

	if (start(t))
		return -1;
	while (n-- && t->next_tick < t->fixture->n) {
		const struct snapshot *s = t->fixture->ticks[t->next_tick++];

		history_append(t->history, s);
		t->now_ns += NSEC_PER_SEC;
		if (!t->replay)
			app_tick(t->app, snapshot_get(s));
		app_time(t->app, t->now_ns);
	}
	if (t->replay)
		app_history_grew(t->app);
	return 0;
}

static void type_text(struct test *t, const char *s, const char *end)
{
	while (s < end) {
		u32 ch, n = text_decode(s, &ch);

		app_key(t->app, ch);
		s += n ? n : 1;
	}
}

static int keys(struct test *t, char *p)
{
	if (start(t))
		return -1;
	while (*(p += strspn(p, " "))) {
		char *end = *p == '"' ? strchr(p + 1, '"') : p + strcspn(p, " ");

		if (!end)
			return fail(t, "a quote without end");
		if (*p == '"') {
			type_text(t, p + 1, end);
			p = end + 1;
			continue;
		}
		if (*end)
			*end++ = '\0';
		if (key_code(p) == K_NONE)
			return fail(t, p);
		app_key(t->app, key_code(p));
		p = end;
	}
	return 0;
}

static int resize(struct test *t, const char *arg)
{
	if (sscanf(arg, "%dx%d", &t->cols, &t->rows) != 2)
		return fail(t, "size COLSxROWS");
	if (t->app) {
		canvas_resize(t->canvas, t->rows, t->cols);
		app_resize(t->app, t->rows, t->cols);
	}
	return 0;
}

/* ---- screens ---------------------------------------------------------------------------- */

static const char *nth_line(const char *s, int n)
{
	while (n-- > 0 && s)
		s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL;
	return s;
}

/* Lines first..last (from 1) of the screen; free() it. */
static char *screen_part(struct test *t, int first, int last)
{
	char *whole, *part;
	const char *from, *to;

	whole = play_screen(t->app, t->canvas);
	from = nth_line(whole, first - 1);
	to = nth_line(whole, last);
	if (!from)
		from = whole + strlen(whole);
	part = strndup(from, to ? (size_t)(to - from) : strlen(from));
	free(whole);
	return part;
}

static void report(struct test *t, const char *want, const char *got)
{
	fail(t, "the screen differs (- expected, + seen)");
	while (*want || *got) {
		size_t a = strcspn(want, "\n"), b = strcspn(got, "\n");

		if (a == b && !strncmp(want, got, a)) {
			printf("   %.*s\n", (int)a, want);
		} else {
			printf("  -%.*s\n  +%.*s\n", (int)a, want, (int)b, got);
		}
		want += a + (want[a] == '\n');
		got += b + (got[b] == '\n');
	}
}

static int screen(struct test *t, int first, int last)
{
	char *want = xcalloc(1, 1), *line = NULL, *got;
	size_t cap = 0, n = 0;
	ssize_t len;

	if (start(t))
		return -1;
	while ((len = getline(&line, &cap, t->in)) > 0 && strcmp(line, "<<\n")) {
		want = xrealloc(want, n + (size_t)len + 1);
		memcpy(want + n, line, (size_t)len + 1);
		n += (size_t)len;
		t->line++;
	}
	t->line++;
	got = screen_part(t, first, last);
	if (strcmp(want, got))
		report(t, want, got);
	fprintf(t->out, "%s<<\n", got);
	free(want);
	free(got);
	free(line);
	return 0;
}

/* ---- the help, played ---------------------------------------------------------------------- */

static struct app *open_console(void *arg, struct canvas **ret_c)
{
	struct test *t = arg;

	stop_console(t);
	start(t);
	ticks(t, "all");
	*ret_c = t->canvas;
	return t->app;
}

static void close_console(void *arg, struct app *a, struct canvas *c)
{
	stop_console(arg);
}

static int play(struct test *t, const char *keys)
{
	struct play p = { keys, open_console, close_console, t };

	if (!t->fixture)
		return fail(t, "fixture NAME comes first");
	return play_view(&p) ? (fail(t, keys), 0) : 0;
}

/* ---- files --------------------------------------------------------------------------------- */

static int command(struct test *t, char *line)
{
	int first = 1, last = 1000;

	if (!strncmp(line, "fixture ", 8))
		return load(t, line + 8);
	if (!strncmp(line, "size ", 5))
		return resize(t, line + 5);
	if (!strcmp(line, "ascii"))
		return t->ascii = true, 0;
	if (!strcmp(line, "replay"))
		return t->replay = true, 0;
	if (!strncmp(line, "view ", 5))
		return snprintf(t->view, sizeof(t->view), "%s", line + 5), 0;
	if (!strncmp(line, "ticks ", 6))
		return ticks(t, line + 6);
	if (!strncmp(line, "keys ", 5))
		return keys(t, line + 5);
	if (!strncmp(line, "play", 4))
		return play(t, line + 4 + strspn(line + 4, " "));
	if (!strcmp(line, "screen <<") || sscanf(line, "lines %d-%d <<", &first, &last) == 2)
		return screen(t, first, last);
	return fail(t, line);
}

static bool run_lines(struct test *t)
{
	char *line = NULL;
	size_t cap = 0;
	bool ok = true;

	while (ok && getline(&line, &cap, t->in) > 0) {
		t->line++;
		fputs(line, t->out);
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			ok = !command(t, line);
	}
	free(line);
	return ok;
}

static int run_file(const char *path, bool bless)
{
	struct test t = { .path = path, .now_ns = NSEC_PER_SEC };
	const char *slash = strrchr(path, '/');
	char *text = NULL;
	size_t n = 0;
	FILE *f;

	t.dir = slash ? strndup(path, (size_t)(slash - path)) : xstrdup(".");
	t.in = fopen(path, "r");
	if (!t.in)
		return fail(&t, "cannot be read"), 1;
	t.out = open_memstream(&text, &n);
	if (run_lines(&t) && !t.bad)
		printf("ok %s\n", path);
	stop(&t);
	fclose(t.in);
	fclose(t.out);
	if (bless && t.bad && (f = fopen(path, "w"))) {
		fwrite(text, 1, n, f);
		fclose(f);
		printf("# blessed %s\n", path);
	}
	free(text);
	free(t.dir);
	return t.bad > 0;
}

int main(int argc, char **argv)
{
	bool bless = argc > 1 && !strcmp(argv[1], "--bless");
	int bad = 0;

	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	for (int i = 1 + bless; i < argc; i++)
		bad += run_file(argv[i], bless);
	return bad && !bless;
}
