/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * canvas.h: a grid of cells between the views and the terminal. Views draw into
 * it and never learn what is behind it: a terminal (term.c) or a test, for
 * which it prints itself as text.
 *
 * A style is a number: ROLE_x for the letters, optionally | S_ON(ROLE_y) for the
 * cell's background, | S_BOLD | S_REVERSE. Colours are in theme.def.
 *
 * Texts may be anything: whatever is not printable is made harmless here, so no
 * view can forget to. Our own texts write glyphs ("›", "…") as UTF-8; on a
 * terminal without it they become their ASCII form (glyphs.def).
 */
#pragma once

#include <stdio.h>

#include "bpf/model/base.h"

enum role {
#define ROLE(name, ...) ROLE_##name,
#include "tui/term/theme.def"
	N_ROLES
};

#define S_ON(role) ((u32)(role) << 8)	/* background; S_ON(ROLE_text) is none */
#define S_BOLD 0x10000u
#define S_REVERSE 0x20000u
#define S_ROLE(style) ((style) & 0xff)
#define S_BACK(style) (((style) >> 8) & 0xff)

/* Steps of the heat ramp: 0 is empty, 1..HEAT_STEPS are ROLE_heat1... */
#define HEAT_STEPS 7

struct rect {
	int row, col, rows, cols;
};

/* These cut off the first or last `rows` rows of r, or its first `cols` columns, and return them. */
static inline struct rect rect_top(struct rect *r, int rows)
{
	struct rect top = { r->row, r->col, rows, r->cols };

	r->row += rows;
	r->rows -= rows;
	return top;
}

static inline struct rect rect_bottom(struct rect *r, int rows)
{
	r->rows -= rows;
	return (struct rect){ r->row + r->rows, r->col, rows, r->cols };
}

static inline struct rect rect_left(struct rect *r, int cols)
{
	struct rect left = { r->row, r->col, r->rows, cols };

	r->col += cols;
	r->cols -= cols;
	return left;
}

struct cell {
	u32 ch;		/* 0: the right half of the wide character before it */
	u32 mark[2];	/* combining characters, 0: none */
	u32 style;
};

struct canvas;

/* A blank grid. `ascii`: draw ASCII forms. `fills`: cells can have a heat colour as background. */
struct canvas *canvas_new(int rows, int cols, bool ascii, bool fills);
void canvas_free(struct canvas *c);	/* NULL-safe */
void canvas_resize(struct canvas *c, int rows, int cols);
/* Blanks the canvas and removes the clip. */
void canvas_clear(struct canvas *c);
int canvas_rows(const struct canvas *c);
int canvas_cols(const struct canvas *c);
bool canvas_ascii(const struct canvas *c);
bool canvas_fills(const struct canvas *c);
const struct cell *canvas_cell(const struct canvas *c, int row, int col);

/* Limits drawing to `clip` (canvas coordinates). Returns the previous clip, to be restored. */
struct rect canvas_clip(struct canvas *c, struct rect clip);

/* Draws s in `width` columns (negative: the line), no half characters. Returns the columns. */
int canvas_text(struct canvas *c, int row, int col, int width, u32 style, const char *s);
/* As canvas_text(), right-aligned in exactly `width` columns; the blank part is left unchanged. */
int canvas_right(struct canvas *c, int row, int col, int width, u32 style, const char *s);
/* As canvas_text(), truncated at the right with "…". */
int canvas_cut(struct canvas *c, int row, int col, int width, u32 style, const char *s);
/* As canvas_text(), truncated in the middle, for paths. */
int canvas_cut_middle(struct canvas *c, int row, int col, int width, u32 style, const char *s);
/* Draws wrapped lines of `width` columns, broken at blanks; returns their number. */
int canvas_wrap(struct canvas *c, int row, int col, int width, u32 style, const char *s);
int canvas_printf(struct canvas *c, int row, int col, int width, u32 style, const char *fmt, ...)
	__printf(6, 7);

/* Draws the glyph s (one column wide) n times. */
void canvas_repeat(struct canvas *c, int row, int col, int n, u32 style, const char *s);
void canvas_blank(struct canvas *c, int row, int col, int n);
/* "─ title ─────": a dim rule over `width` columns with a plain title. */
void canvas_rule(struct canvas *c, int row, int col, int width, const char *title);
/* Changes the style of n cells, not their characters (the selected row). */
void canvas_restyle(struct canvas *c, int row, int col, int n, u32 style);
/* A heat map cell, step 0..HEAT_STEPS: a background, or without fills one of " ·░▒▓█". */
void canvas_heat(struct canvas *c, int row, int col, int step);
/* Two heat steps in one cell (upper and lower half); only if canvas_fills(). */
void canvas_heat_pair(struct canvas *c, int row, int col, int upper, int lower);

/* Columns that s takes on this canvas. */
int canvas_width(const struct canvas *c, const char *s);
/* Columns of a character: 0 combining, 1, 2. Unprintable ones count 1. */
int canvas_char_width(u32 ch);

/* The canvas as lines of text without trailing blanks; free() it. */
char *canvas_dump(const struct canvas *c);
