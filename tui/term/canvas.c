// SPDX-License-Identifier: GPL-2.0-or-later
/* canvas.c: the grid of cells. All drawing goes through put_char(). */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "tui/term/canvas.h"

#define TEXT_MAX 4160	/* a path (PATH_MAX) and a little */

struct canvas {
	int rows, cols;
	bool ascii, fills;
	struct rect clip;
	struct cell *cells;
};

struct glyph {
	const char *utf8, *ascii;
};

static const struct glyph glyphs[] = {
#define GLYPH(name, utf8, ascii) { utf8, ascii },
#include "tui/term/glyphs.def"
};

/* ---- the grid ------------------------------------------------------------ */

struct canvas *canvas_new(int rows, int cols, bool ascii, bool fills)
{
	struct canvas *c = xcalloc(1, sizeof(*c));

	c->ascii = ascii;
	c->fills = fills;
	canvas_resize(c, rows, cols);
	return c;
}

void canvas_free(struct canvas *c)
{
	if (!c)
		return;
	free(c->cells);
	free(c);
}

void canvas_resize(struct canvas *c, int rows, int cols)
{
	c->rows = max(rows, 1);
	c->cols = max(cols, 1);
	free(c->cells);
	c->cells = xcalloc((size_t)c->rows * (size_t)c->cols, sizeof(*c->cells));
	canvas_clear(c);
}

void canvas_clear(struct canvas *c)
{
	static const struct cell blank = { .ch = ' ' };
	int n = c->rows * c->cols;

	for (int i = 0; i < n; i++)
		c->cells[i] = blank;
	c->clip = (struct rect){ 0, 0, c->rows, c->cols };
}

int canvas_rows(const struct canvas *c)
{
	return c->rows;
}

int canvas_cols(const struct canvas *c)
{
	return c->cols;
}

bool canvas_ascii(const struct canvas *c)
{
	return c->ascii;
}

bool canvas_fills(const struct canvas *c)
{
	return c->fills;
}

const struct cell *canvas_cell(const struct canvas *c, int row, int col)
{
	return &c->cells[row * c->cols + col];
}

struct rect canvas_clip(struct canvas *c, struct rect clip)
{
	struct rect old = c->clip;
	int row_end = min(clip.row + clip.rows, c->rows), col_end = min(clip.col + clip.cols, c->cols);

	c->clip.row = max(clip.row, 0);
	c->clip.col = max(clip.col, 0);
	c->clip.rows = max(row_end - c->clip.row, 0);
	c->clip.cols = max(col_end - c->clip.col, 0);
	return old;
}

static bool inside(const struct canvas *c, int row, int col)
{
	return row >= c->clip.row && row < c->clip.row + c->clip.rows &&
	       col >= c->clip.col && col < c->clip.col + c->clip.cols;
}

/* Overwriting one half of a wide character erases both. */
static void split_wide(struct canvas *c, int row, int col)
{
	struct cell *line = c->cells + row * c->cols;

	if (!line[col].ch && col > 0)
		line[col - 1].ch = ' ';
	if (col + 1 < c->cols && !line[col + 1].ch)
		line[col + 1].ch = ' ';
}

static void put_cell(struct canvas *c, int row, int col, u32 ch, u32 style)
{
	if (!inside(c, row, col))
		return;
	split_wide(c, row, col);
	c->cells[row * c->cols + col] = (struct cell){ .ch = ch, .style = style };
}

static void put_mark(struct canvas *c, int row, int col, u32 ch)
{
	struct cell *cell;

	if (!inside(c, row, col))
		return;
	cell = &c->cells[row * c->cols + col];
	if (!cell->ch && col > 0)
		cell--;
	if (!cell->mark[0])
		cell->mark[0] = ch;
	else if (!cell->mark[1])
		cell->mark[1] = ch;
}

/* ---- characters ------------------------------------------------------------ */

int canvas_char_width(u32 ch)
{
	int w = ch < 0x7f ? 1 : wcwidth((wchar_t)ch);

	return w < 0 ? 1 : w;
}

static const char *glyph_ascii(const char *utf8, u32 n)
{
	for (u32 i = 0; i < ARRAY_SIZE(glyphs); i++)
		if (!strncmp(glyphs[i].utf8, utf8, n) && !glyphs[i].utf8[n])
			return glyphs[i].ascii;
	return "?";
}

/* Makes s safe to draw, in ASCII if the canvas is. Returns s if unchanged, else buf. */
static const char *make_safe(const struct canvas *c, const char *s, char buf[TEXT_MAX])
{
	char clean[TEXT_MAX];
	const char *from;
	size_t n = 0;
	bool plain = true;

	for (const char *p = s; *p && plain; p++)
		plain = *p >= ' ' && *p < 0x7f;
	if (plain)
		return s;
	text_clean(c->ascii ? clean : buf, TEXT_MAX, s, TEXT_SCREEN);
	if (!c->ascii)
		return buf;
	for (from = clean; *from && n + 8 < TEXT_MAX;) {
		u32 ch, len = text_decode(from, &ch);

		if (len <= 1) {
			buf[n++] = *from++;
			continue;
		}
		n += (size_t)(stpcpy(buf + n, glyph_ascii(from, len)) - (buf + n));
		from += len;
	}
	buf[n] = '\0';
	return buf;
}

static u32 next_char(const char **s)
{
	u32 ch = (u8)**s, n = text_decode(*s, &ch);

	*s += n ? n : 1;
	return n ? ch : '?';
}

static int safe_width(const char *s)
{
	int w = 0;

	while (*s)
		w += canvas_char_width(next_char(&s));
	return w;
}

/* Draws a clean text in at most width columns. */
static int draw_safe(struct canvas *c, int row, int col, int width, u32 style, const char *s)
{
	int x = 0;

	while (*s) {
		u32 ch = next_char(&s);
		int w = canvas_char_width(ch);

		if (x + w > width)
			break;
		if (!w) {
			if (x)
				put_mark(c, row, col + x - 1, ch);
			continue;
		}
		/* A wide character at the edge of the clip is not drawn. */
		if (w == 2 && !(inside(c, row, col + x) && inside(c, row, col + x + 1)))
			ch = ' ';
		put_cell(c, row, col + x, ch, style);
		if (w == 2)
			put_cell(c, row, col + x + 1, ch == ' ' ? ' ' : 0, style);
		x += w;
	}
	return x;
}

static int line_width(const struct canvas *c, int col, int width)
{
	return width < 0 ? max(c->cols - col, 0) : width;
}

/* ---- texts ------------------------------------------------------------------ */

int canvas_width(const struct canvas *c, const char *s)
{
	char buf[TEXT_MAX];

	return safe_width(make_safe(c, s, buf));
}

int canvas_text(struct canvas *c, int row, int col, int width, u32 style, const char *s)
{
	char buf[TEXT_MAX];

	return draw_safe(c, row, col, line_width(c, col, width), style, make_safe(c, s, buf));
}

int canvas_right(struct canvas *c, int row, int col, int width, u32 style, const char *s)
{
	char buf[TEXT_MAX];
	const char *safe = make_safe(c, s, buf);
	int w = safe_width(safe);

	if (w >= width)
		return draw_safe(c, row, col, width, style, safe);
	return draw_safe(c, row, col + width - w, w, style, safe);
}

static const char *cut_mark(const struct canvas *c)
{
	return c->ascii ? "~" : "…";
}

int canvas_cut(struct canvas *c, int row, int col, int width, u32 style, const char *s)
{
	char buf[TEXT_MAX];
	const char *safe = make_safe(c, s, buf);
	int x;

	width = line_width(c, col, width);
	if (safe_width(safe) <= width)
		return draw_safe(c, row, col, width, style, safe);
	x = draw_safe(c, row, col, width - 1, style, safe);
	return x + draw_safe(c, row, col + x, min(width, 1), style, cut_mark(c));
}

int canvas_cut_middle(struct canvas *c, int row, int col, int width, u32 style, const char *s)
{
	char buf[TEXT_MAX];
	const char *safe = make_safe(c, s, buf), *tail;
	int w = safe_width(safe), head, x;

	width = line_width(c, col, width);
	if (w <= width)
		return draw_safe(c, row, col, width, style, safe);
	if (width < 5)
		return canvas_cut(c, row, col, width, style, s);
	/* The end of a path is more informative than its start. */
	head = (width - 1) / 3;
	for (tail = safe; w > width - 1 - head;)
		w -= canvas_char_width(next_char(&tail));
	x = draw_safe(c, row, col, head, style, safe);
	x += draw_safe(c, row, col + x, 1, style, cut_mark(c));
	return x + draw_safe(c, row, col + x, width - x, style, tail);
}

int canvas_wrap(struct canvas *c, int row, int col, int width, u32 style, const char *s)
{
	char part[TEXT_MAX];
	int lines = 0;

	width = max(min(width, (int)sizeof(part) - 1), 1);
	do {
		size_t n = strlen(s), fit = n;

		if ((int)n > width)
			for (fit = (size_t)width; fit > 1 && s[fit] != ' ';)
				fit--;
		if (fit <= 1 && n)
			fit = min(n, (size_t)width);
		snprintf(part, sizeof(part), "%.*s", (int)fit, s);
		canvas_text(c, row + lines++, col, width, style, part);
		s += fit;
		s += strspn(s, " ");
	} while (*s);
	return lines;
}

int canvas_printf(struct canvas *c, int row, int col, int width, u32 style, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return canvas_text(c, row, col, width, style, buf);
}

/* ---- areas ------------------------------------------------------------------ */

void canvas_repeat(struct canvas *c, int row, int col, int n, u32 style, const char *s)
{
	char buf[TEXT_MAX];
	const char *safe = make_safe(c, s, buf);
	u32 ch = next_char(&safe);

	for (int i = 0; i < n; i++)
		put_cell(c, row, col + i, ch, style);
}

void canvas_blank(struct canvas *c, int row, int col, int n)
{
	for (int i = 0; i < n; i++)
		put_cell(c, row, col + i, ' ', ROLE_text);
}

void canvas_rule(struct canvas *c, int row, int col, int width, const char *title)
{
	int x;

	canvas_repeat(c, row, col, width, ROLE_dim, "─");
	if (!title || !*title || width < 6)
		return;
	put_cell(c, row, col + 1, ' ', ROLE_text);
	x = canvas_cut(c, row, col + 2, width - 4, ROLE_text, title);
	put_cell(c, row, col + 2 + x, ' ', ROLE_text);
}

void canvas_restyle(struct canvas *c, int row, int col, int n, u32 style)
{
	for (int i = 0; i < n; i++)
		if (inside(c, row, col + i))
			c->cells[row * c->cols + col + i].style = style;
}

void canvas_heat(struct canvas *c, int row, int col, int step)
{
	static const char *const density[HEAT_STEPS + 1] = {
		" ", "·", "░", "░", "▒", "▒", "▓", "█"
	};

	step = max(min(step, HEAT_STEPS), 0);
	if (c->fills)
		put_cell(c, row, col, ' ', step ? S_ON(ROLE_heat1 + (u32)step - 1) : ROLE_text);
	else
		canvas_repeat(c, row, col, 1, ROLE_text, density[step]);
}

void canvas_heat_pair(struct canvas *c, int row, int col, int upper, int lower)
{
	u32 top = upper > 0 ? ROLE_heat1 + (u32)min(upper, HEAT_STEPS) - 1 : ROLE_text;
	u32 bottom = lower > 0 ? ROLE_heat1 + (u32)min(lower, HEAT_STEPS) - 1 : ROLE_text;

	if (upper <= 0)		/* the other half: an empty half shows the terminal's background */
		canvas_repeat(c, row, col, 1, bottom, lower > 0 ? "▄" : " ");
	else
		canvas_repeat(c, row, col, 1, top | S_ON(bottom), "▀");
}

/* ---- for tests ---------------------------------------------------------------- */

static size_t encode(char *out, u32 ch)
{
	size_t n = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
	static const u8 lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n - 1; i > 0; i--, ch >>= 6)
		out[i] = (char)(0x80 | (ch & 0x3f));
	out[0] = (char)(n == 1 ? ch : lead[n] | ch);
	return n;
}

static size_t dump_cell(char *out, const struct cell *cell)
{
	size_t n = 0;

	if (cell->ch)
		n = encode(out, cell->ch);
	for (u32 i = 0; i < ARRAY_SIZE(cell->mark) && cell->mark[i]; i++)
		n += encode(out + n, cell->mark[i]);
	return n;
}

char *canvas_dump(const struct canvas *c)
{
	char *text = xmalloc((size_t)c->rows * ((size_t)c->cols * 12 + 1) + 1), *p = text;

	for (int row = 0; row < c->rows; row++) {
		char *end = p;

		for (int col = 0; col < c->cols; col++) {
			const struct cell *cell = canvas_cell(c, row, col);

			p += dump_cell(p, cell);
			if (cell->ch != ' ')
				end = p;
		}
		p = end;
		*p++ = '\n';
	}
	*p = '\0';
	return text;
}
