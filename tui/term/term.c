// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * term.c: the only file that includes ncurses. ncurses writes into a memory
 * file, from which the bytes go to the terminal in one piece: they can be
 * counted, a vanished terminal is noticed, and palette numbers can be replaced
 * by exact colours where the terminal has them.
 */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tui/term/key_codes.h"
#include "tui/term/term.h"
#include "tui/term/terminfo.h"
#include "tui/term/termio.h"
#include "tui/term/theme.h"

#include <term.h>	/* last: it defines hundreds of short names */

#define ESCAPE_MS 25
#define BACKGROUND_WAIT_MS 50

struct terminal {
	int in_fd, out_fd;
	int write_fd;		/* the same terminal as out_fd, does not block; or out_fd */
	bool ascii, light, gone, redraw;
	enum depth depth;
	int rows, cols;
	FILE *sink, *input;
	int sink_fd;
	const char *like;	/* name of the built-in description; NULL: $TERM is in the database */
	SCREEN *screen;
	WINDOW *keys;		/* a pad: reading from it draws nothing */
	struct cell *shown;	/* what the terminal shows */
	cchar_t *line;
	s16 pairs[N_ROLES][N_ROLES];	/* 0: not made yet */
	int n_pairs;
	s32 rgb[N_ROLES];
};

/* ---- colours ------------------------------------------------------------------ */

static bool env_is(const char *name, const char *value)
{
	const char *v = getenv(name);

	return v && !strcmp(v, value);
}

static enum depth find_depth(bool no_color)
{
	const char *no = getenv("NO_COLOR"), *setaf = tigetstr("setaf");
	bool true_color = env_is("COLORTERM", "truecolor") || env_is("COLORTERM", "24bit");

	if (no_color || (no && *no) || !has_colors() || COLORS < 8)
		return MONO;
	if (COLORS > 256)
		return COLOURS_DIRECT;
	if (COLORS < 256)
		return COLOURS_16;
	if (true_color && setaf && setaf != (char *)-1 && strstr(setaf, "38;5;"))
		return COLOURS_TRUE;
	return COLOURS_256;
}

static bool find_light(struct terminal *t)
{
	int light = theme_light_from_env(), answer = -1;

	if (theme_terminal_answers(getenv("TERM")))
		answer = termio_light_background(t->in_fd, t->out_fd, BACKGROUND_WAIT_MS);
	return (light < 0 ? answer : light) == 1;
}

/* The pair of two roles, made when it is first needed. */
static int color_pair(struct terminal *t, u32 role, u32 back)
{
	int fg = theme_color(role, t->depth, t->light, COLORS);
	int bg = theme_color(back, t->depth, t->light, COLORS);

	if (t->depth == MONO || (!role && !back))
		return 0;
	if (t->pairs[role][back])
		return t->pairs[role][back];
	if (role == ROLE_selection && t->depth >= COLOURS_256) {
		bg = fg;
		fg = theme_contrast(t->depth, t->light);
	}
	if (t->n_pairs + 1 >= COLOR_PAIRS)
		return 0;
	init_extended_pair(++t->n_pairs, fg, bg);
	t->pairs[role][back] = (s16)t->n_pairs;
	return t->n_pairs;
}

static attr_t style_attr(const struct terminal *t, u32 style)
{
	static const attr_t mono[] = { A_NORMAL, A_BOLD, A_DIM, A_REVERSE };
	u32 role = S_ROLE(style);
	attr_t attr = A_NORMAL;

	if (t->depth == MONO)
		attr |= mono[theme_mono(role)];
	else if (t->depth == COLOURS_16)
		attr |= role == ROLE_selection ? A_REVERSE : role == ROLE_bad && !t->light ? A_BOLD : 0;
	if (style & S_BOLD)
		attr |= A_BOLD;
	if (style & S_REVERSE)
		attr |= A_REVERSE;
	return attr;
}

/* ---- bytes out ------------------------------------------------------------------ */

/* Sends what ncurses wrote since the last time. */
static void send(struct terminal *t)
{
	off_t n = lseek(t->sink_fd, 0, SEEK_END);
	char *in, *out, *frame;
	size_t len;

	if (n <= 0)
		return;
	in = xmalloc((size_t)n);
	out = xmalloc((size_t)n * 2 + 32);
	len = (size_t)max(pread(t->sink_fd, in, (size_t)n, 0), 0);
	if (t->depth == COLOURS_TRUE)
		len = termio_true_colour(out, in, len, t->rgb, THEME_TRUE_FIRST, N_ROLES);
	frame = t->depth == COLOURS_TRUE ? out : in;
	len = termio_shorten(frame, len);
	if (!t->gone && termio_write_frame(t->write_fd, frame, len) < 0)
		t->gone = true;
	free(in);
	free(out);
	if (ftruncate(t->sink_fd, 0) < 0 || lseek(t->sink_fd, 0, SEEK_SET) < 0)
		t->gone = true;
}

static void set_cell(struct terminal *t, cchar_t *out, const struct cell *cell)
{
	wchar_t ch[4] = { (wchar_t)cell->ch, (wchar_t)cell->mark[0], (wchar_t)cell->mark[1], 0 };
	int pair = color_pair(t, S_ROLE(cell->style), S_BACK(cell->style));

	setcchar(out, ch, style_attr(t, cell->style), (short)min(pair, 32767), &pair);
}

static void show_row(struct terminal *t, int row, const struct cell *cells, int cols)
{
	int n = 0, start = 0;

	for (int col = 0; col < cols; col++) {
		if (!cells[col].ch)
			continue;
		set_cell(t, &t->line[n++], &cells[col]);
	}
	mvadd_wchnstr(row, start, t->line, n);
}

/* Returns the number of characters, which is 4 for each begun 3 bytes. */
static size_t base64_encode(char *to, const char *from, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *p = to;

	for (size_t i = 0; i < n; i += 3) {
		size_t have = min(n - i, (size_t)3);
		u32 bits = 0;

		for (size_t k = 0; k < have; k++)
			bits |= (u32)(u8)from[i + k] << (16 - 8 * k);
		for (size_t k = 0; k < 4; k++)
			*p++ = k <= have ? digits[bits >> (18 - 6 * k) & 63] : '=';
	}
	return (size_t)(p - to);
}

void term_show(struct terminal *t, const struct canvas *c)
{
	int rows = min(canvas_rows(c), t->rows), cols = min(canvas_cols(c), t->cols);

	if (t->redraw)
		clearok(curscr, TRUE);
	for (int row = 0; row < rows; row++) {
		const struct cell *cells = canvas_cell(c, row, 0);
		struct cell *old = t->shown + row * t->cols;
		size_t size = (size_t)cols * sizeof(*cells);

		if (!t->redraw && !memcmp(old, cells, size))
			continue;
		memcpy(old, cells, size);
		show_row(t, row, cells, cols);
	}
	t->redraw = false;
	wnoutrefresh(stdscr);
	doupdate();
	send(t);
}

void term_copy(struct terminal *t, const char *text)
{
	size_t n = strlen(text);
	char *line = xmalloc(16 + (n + 2) / 3 * 4);
	char *p = stpcpy(line, "\033]52;c;");

	p += base64_encode(p, text, n);
	*p++ = '\a';
	if (!t->gone && termio_write(t->write_fd, line, (size_t)(p - line)) < 0)
		t->gone = true;
	free(line);
}

void term_redraw(struct terminal *t)
{
	t->redraw = true;
}

/* ---- opening and closing -------------------------------------------------------- */

static void find_size(struct terminal *t)
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

/* What a crash writes; padding ("$<5>") would be text, so such ones are left out. */
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
	/* Ambiguous characters two cells wide (some CJK locales) would break every column. */
	return strcmp(nl_langinfo(CODESET), "UTF-8") || env_is("TERM", "linux") ||
	       wcwidth(L'▌') != 1;
}

/* err: of setupterm(); 1: the terminal is known. */
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

/* The database knows best; a machine without one, or without this terminal, gets what is built in. */
static bool find_terminal(struct terminal *t, int *ret_err)
{
	int err;

	if (setupterm(NULL, t->out_fd, ret_err) == OK)
		return true;
	t->like = terminfo_built_in(getenv("TERM"));
	return t->like && setupterm(t->like, t->out_fd, &err) == OK;
}

/* Not so with paper and with "dumb". */
static bool can_place_text(void)
{
	return *capability("cup") && tigetflag("hc") <= 0 && tigetflag("gn") <= 0;
}

static bool start_screen(struct terminal *t)
{
	t->sink_fd = memfd_create("ottop-screen", MFD_CLOEXEC);
	t->sink = t->sink_fd < 0 ? NULL : fdopen(t->sink_fd, "w");
	t->input = fdopen(dup(t->in_fd), "r");
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

/* Keys from before the screen was there are keys all the same. */
static void type_again(void)
{
	const char *typed = termio_typed();

	for (size_t i = strlen(typed); i-- > 0;)
		ungetch((u8)typed[i]);
}

static void find_colors(struct terminal *t, bool no_color)
{
	t->depth = find_depth(no_color);
	for (u32 i = 0; i < N_ROLES; i++)
		t->rgb[i] = theme_rgb(i, t->light);
}

struct terminal *term_open(const struct term_options *o, char **ret_error)
{
	struct terminal *t = xcalloc(1, sizeof(*t));
	char *restore;
	int err = 0;

	t->in_fd = o->in_fd;
	t->out_fd = o->out_fd;
	t->sink_fd = -1;
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
	find_size(t);
	t->light = find_light(t);
	if (!start_screen(t)) {
		termio_cooked();
		*ret_error = xstrdup("cannot start the screen: ncurses refuses this terminal");
		term_close(t);
		return NULL;
	}
	type_again();
	find_colors(t, o->no_color);
	restore = restore_sequence();
	termio_signals(t->write_fd, restore);
	free(restore);
	send(t);
	return t;
}

/* Where there is no alternate screen, the shell's prompt comes to stand on the last line. */
static void leave_screen(struct terminal *t)
{
	wmove(stdscr, t->rows - 1, 0);
	wclrtoeol(stdscr);
	wrefresh(stdscr);
	endwin();
	send(t);
}

void term_close(struct terminal *t)
{
	if (!t)
		return;
	if (t->screen) {
		leave_screen(t);
		delwin(t->keys);
		delscreen(t->screen);
		termio_signals_default();
	}
	termio_cooked();
	if (t->sink)
		fclose(t->sink);
	if (t->input)
		fclose(t->input);
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
	(void)t;
	return termio_signal_fd();
}

/* ---- keys ------------------------------------------------------------------------ */

static u32 from_curses(wint_t ch)
{
	static const struct { int curses; u32 key; } map[] = {
		{ KEY_ENTER, K_ENTER }, { KEY_BACKSPACE, K_BACKSPACE }, { KEY_BTAB, K_BACKTAB },
		{ KEY_DC, K_DEL }, { KEY_IC, K_INSERT }, { KEY_UP, K_UP }, { KEY_DOWN, K_DOWN },
		{ KEY_LEFT, K_LEFT }, { KEY_RIGHT, K_RIGHT }, { KEY_PPAGE, K_PGUP },
		{ KEY_NPAGE, K_PGDN }, { KEY_HOME, K_HOME }, { KEY_END, K_END },
		{ KEY_SR, K_UP }, { KEY_SF, K_DOWN },
	};

	for (u32 i = 0; i < ARRAY_SIZE(map); i++)
		if ((wint_t)map[i].curses == ch)
			return map[i].key;
	if (ch >= KEY_F(1) && ch <= KEY_F(12))
		return K_F1 + (u32)(ch - KEY_F(1));
	return K_NONE;
}

static u32 from_char(wint_t ch)
{
	switch (ch) {
	case '\r':
	case '\n':
		return K_ENTER;
	case '\t':
		return K_TAB;
	case 0x7f:
	case 0x08:
		return K_BACKSPACE;
	case 0x1b:
		return K_ESC;
	}
	return ch < ' ' ? K_CTRL + 'a' - 1 + (u32)ch : (u32)ch;
}

/* An answer of the terminal that came late ("ESC ] 11 ; ... BEL"): not keys. */
static void drop_answer(struct terminal *t)
{
	wint_t ch, before = 0;

	for (int i = 0; i < 64 && wget_wch(t->keys, &ch) != ERR; i++) {
		if (ch == 7 || (before == 0x1b && ch == '\\'))
			return;
		before = ch;
	}
}

/* The same of the answer about a mode: "ESC [ ? 2026 ; 2 $ y". */
static bool is_mode_answer(struct terminal *t)
{
	wint_t ch;

	if (wget_wch(t->keys, &ch) == ERR)
		return false;
	if (ch != '?') {
		unget_wch((wchar_t)ch);
		return false;
	}
	for (int i = 0; i < 16 && wget_wch(t->keys, &ch) != ERR && ch != 'y'; i++)
		;
	return true;
}

static u32 after_escape(struct terminal *t)
{
	wint_t ch;

	if (wget_wch(t->keys, &ch) == ERR)
		return K_ESC;
	if (ch == ']') {
		drop_answer(t);
		return K_NONE;
	}
	if (ch == '[' && is_mode_answer(t))
		return K_NONE;
	unget_wch((wchar_t)ch);
	return K_ESC;
}

/* Readable but without a byte: the other side has closed. */
static bool input_gone(const struct terminal *t)
{
	struct pollfd p = { .fd = t->in_fd, .events = POLLIN };
	int n = 0;

	if (poll(&p, 1, 0) <= 0)
		return false;
	if (p.revents & (POLLHUP | POLLERR | POLLNVAL))
		return true;
	return ioctl(t->in_fd, FIONREAD, &n) < 0 || !n;
}

static void restart(struct terminal *t)
{
	termio_raw(t->in_fd);
	find_size(t);
	resize_term(t->rows, t->cols);
	clearok(curscr, TRUE);
	wrefresh(stdscr);
	curs_set(0);
	send(t);
}

static u32 signal_key(struct terminal *t)
{
	switch (termio_event()) {
	case EV_END:
		return K_CLOSED;
	case EV_SUSPEND:
		return K_CTRL + 'z';
	case EV_CONTINUE:
		restart(t);
		return K_RESIZE;
	case EV_RESIZE:
		find_size(t);
		resize_term(t->rows, t->cols);
		return K_RESIZE;
	case EV_NONE:
		break;
	}
	return K_NONE;
}

u32 term_key(struct terminal *t)
{
	u32 key = t->gone ? K_CLOSED : signal_key(t);
	wint_t ch;
	int r;

	if (key != K_NONE)
		return key;
	for (;;) {
		r = wget_wch(t->keys, &ch);
		if (r == ERR)
			return input_gone(t) ? K_CLOSED : K_NONE;
		key = r == KEY_CODE_YES ? from_curses(ch) : from_char(ch);
		if (key == K_ESC)
			key = after_escape(t);
		if (key != K_NONE)
			return key;
	}
}

void term_suspend(struct terminal *t)
{
	leave_screen(t);
	termio_cooked();
	signal(SIGTSTP, SIG_DFL);
	if (kill(0, SIGTSTP) < 0)
		raise(SIGSTOP);
	/*
	 * Stopped here until SIGCONT. Where nobody could continue us (no job control)
	 * the signal does nothing and we are here at once.
	 */
	termio_signals_watch();
	restart(t);
}
