// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * term_show.c: turns a canvas into bytes. ncurses writes into a memory file, whose bytes go to the
 * terminal in one piece: they can be counted, a disconnected terminal is noticed, and palette
 * numbers can be replaced by exact colours.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/term/term_parts.h"

#define BACKGROUND_WAIT_MS 50

/* ---- colours ------------------------------------------------------------------ */

static bool env_is(const char *name, const char *value)
{
	return text_is(getenv(name), value);
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

bool term_find_light(struct terminal *t)
{
	int light = theme_light_from_env(), answer = -1;

	if (theme_terminal_answers(getenv("TERM")))
		answer = termio_light_background(t->in_fd, t->out_fd, BACKGROUND_WAIT_MS);
	return (light < 0 ? answer : light) == 1;
}

/* The colour pair of two roles, allocated on first use. */
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

void term_find_colors(struct terminal *t, bool no_color)
{
	t->depth = find_depth(no_color);
	for (u32 i = 0; i < N_ROLES; i++)
		t->rgb[i] = theme_rgb(i, t->light);
}

/* ---- bytes out ------------------------------------------------------------------ */

void term_send(struct terminal *t)
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
	if (!t->gone && termio_write_screen(t->write_fd, frame, len) < 0)
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

/* Returns the number of characters, 4 for each started 3 bytes. */
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
	term_send(t);
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
