// SPDX-License-Identifier: GPL-2.0-or-later
/* term.c: opens, queries and restores the terminal. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tui/term/term_parts.h"
#include "tui/term/terminfo.h"

#define ESCAPE_MS 1	/* the bytes of a sequence arrive together: typeahead.h */

void term_find_size(struct terminal *t)
{
	struct winsize ws = { 0 };

	if (ioctl(t->out_fd, TIOCGWINSZ, &ws) < 0 || !ws.ws_row || !ws.ws_col) {
		ws.ws_row = 24;
		ws.ws_col = 80;
	}
	t->rows = ws.ws_row;
	t->cols = ws.ws_col;
	free(t->shown);
	free(t->line);
	t->shown = xcalloc((size_t)t->rows * (size_t)t->cols, sizeof(*t->shown));
	t->line = xcalloc((size_t)t->cols + 1, sizeof(*t->line));
	t->redraw = true;
}

static const char *capability(const char *name)
{
	char *s = tigetstr((char *)name);

	return s && s != (char *)-1 ? s : "";
}

/* Written on a crash. Sequences with padding ("$<5>") are left out: it would appear as text. */
static char *restore_sequence(void)
{
	static const char *const names[] = { "sgr0", "cnorm", "rmkx", "rmcup" };
	char *all = xstrdup("");

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		const char *s = capability(names[i]);
		char *longer;

		if (strstr(s, "$<"))
			continue;
		longer = xasprintf("%s%s", all, s);
		free(all);
		all = longer;
	}
	return all;
}

static bool needs_ascii(void)
{
	setlocale(LC_CTYPE, "");
	/* Ambiguous characters of width two (some CJK locales) would break every column. */
	return strcmp(nl_langinfo(CODESET), "UTF-8") || !strcmp(getenv("TERM") ?: "", "linux") ||
	       wcwidth(L'▌') != 1;
}

/* err: from setupterm(); 1: the terminal is known. */
static char *bad_terminal(int err)
{
	const char *term = getenv("TERM");
	char name[64];

	if (!term || !*term)
		return xstrdup("TERM is not set: say which terminal this is (TERM=xterm-256color ottop)");
	text_clean(name, sizeof(name), term, TEXT_SCREEN_ASCII);
	if (err == 1)
		return xasprintf("TERM=%s cannot place text on its screen: use -b, or another terminal", name);
	if (err == -1)
		return xasprintf("TERM=%s: there is no terminfo database here: install ncurses-base, or use -b",
				 name);
	return xasprintf("TERM=%s is unknown here: install ncurses-term, or try TERM=xterm-256color", name);
}

/* terminfo takes precedence; without it, or this terminal in it, built-in descriptions are used. */
static bool find_terminal(struct terminal *t, int *ret_err)
{
	int err;

	if (setupterm(NULL, t->out_fd, ret_err) == OK)
		return true;
	t->like = terminfo_built_in(getenv("TERM"));
	return t->like && setupterm(t->like, t->out_fd, &err) == OK;
}

/* False for printing terminals and "dumb". */
static bool can_place_text(void)
{
	return *capability("cup") && tigetflag("hc") <= 0 && tigetflag("gn") <= 0;
}

static bool start_screen(struct terminal *t)
{
	t->sink_fd = memfd_create("ottop-screen", MFD_CLOEXEC);
	t->sink = t->sink_fd < 0 ? NULL : fdopen(t->sink_fd, "w");
	if (typeahead_open(&t->ahead, t->in_fd) < 0)
		return false;
	t->input = fdopen(dup(t->ahead.from), "r");
	if (!t->sink || !t->input)
		return false;
	t->screen = newterm(t->like, t->sink, t->input);
	if (!t->screen)
		return false;
	set_term(t->screen);
	resize_term(t->rows, t->cols);
	typeahead(-1);
	nonl();
	curs_set(0);
	leaveok(stdscr, TRUE);
	if (has_colors()) {
		start_color();
		use_default_colors();
	}
	t->keys = newpad(1, 1);
	keypad(t->keys, TRUE);
	nodelay(t->keys, TRUE);
	set_escdelay(ESCAPE_MS);
	return true;
}

/* Keys typed before the screen was open are kept. */
static void type_again(void)
{
	const char *typed = termio_typed();

	for (size_t i = strlen(typed); i-- > 0;)
		ungetch((u8)typed[i]);
}

struct terminal *term_open(const struct term_options *o, char **ret_error)
{
	struct terminal *t = xcalloc(1, sizeof(*t));
	char *restore;
	int err = 0;

	t->in_fd = o->in_fd;
	t->out_fd = o->out_fd;
	t->sink_fd = -1;
	t->ahead = (struct typeahead){ .from = -1, .to = -1 };
	t->write_fd = t->out_fd;
	t->ascii = needs_ascii() || o->ascii;
	if (!find_terminal(t, &err) || !can_place_text()) {
		*ret_error = bad_terminal(err);
		free(t);
		return NULL;
	}
	if (termio_raw(t->in_fd) < 0) {
		*ret_error = xasprintf("cannot use the terminal: %s", strerror(errno));
		free(t);
		return NULL;
	}
	t->write_fd = termio_open_out(t->out_fd);
	if (t->write_fd < 0)
		t->write_fd = t->out_fd;
	term_find_size(t);
	t->light = term_find_light(t);
	if (!start_screen(t)) {
		termio_cooked();
		*ret_error = xstrdup("cannot start the screen: ncurses refuses this terminal");
		term_close(t);
		return NULL;
	}
	type_again();
	term_find_colors(t, o->no_color);
	restore = restore_sequence();
	termio_signals(t->write_fd, restore);
	free(restore);
	term_send(t);
	return t;
}

/* Without an alternate screen the shell's prompt goes to the last line. */
void term_leave_screen(struct terminal *t)
{
	wmove(stdscr, t->rows - 1, 0);
	wclrtoeol(stdscr);
	wrefresh(stdscr);
	endwin();
	term_send(t);
}

void term_close(struct terminal *t)
{
	if (!t)
		return;
	if (t->screen) {
		term_leave_screen(t);
		delwin(t->keys);
		delscreen(t->screen);
		termio_signals_default();
	}
	termio_cooked();
	if (t->sink)
		fclose(t->sink);
	if (t->input)
		fclose(t->input);
	typeahead_close(&t->ahead);
	if (t->write_fd != t->out_fd)
		close(t->write_fd);
	free(t->shown);
	free(t->line);
	free(t);
}

int term_rows(const struct terminal *t)
{
	return t->rows;
}

int term_cols(const struct terminal *t)
{
	return t->cols;
}

bool term_ascii(const struct terminal *t)
{
	return t->ascii;
}

bool term_fills(const struct terminal *t)
{
	return t->depth >= COLOURS_256;
}

int term_signal_fd(const struct terminal *t)
{
	return termio_signal_fd();
}
