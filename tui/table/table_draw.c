// SPDX-License-Identifier: GPL-2.0-or-later
/* table_draw.c: selects the columns that fit, and draws the rows. */
#include <stdio.h>
#include <string.h>

#include "tui/table/table_env.h"
#include "tui/table/table_state.h"

#define REST_MIN 16	/* minimum width of the last column before others are dropped */
#define REST_ENOUGH 40
#define ROOMY_COLS 100
#define NARROW_COLS 80

struct layout {
	int gutter;			/* columns before the first one */
	int column[TABLE_MAX_COLUMNS];	/* index in the spec */
	int width[TABLE_MAX_COLUMNS];
	u32 n;
};

static int column_width(const struct tableview *t, u32 i)
{
	const struct field *f = table_column_field(t, i);

	return t->spec->columns[i].width ? t->spec->columns[i].width : f ? f->width : 0;
}

static const char *column_title(const struct tableview *t, u32 i)
{
	const struct field *f = table_column_field(t, i);

	return t->spec->columns[i].title ? t->spec->columns[i].title : f ? f->title : "";
}

static bool is_right(const struct tableview *t, u32 i)
{
	const struct field *f = table_column_field(t, i);

	if (!f)
		return t->spec->columns[i].number != NULL;
	return format_is_number(f->format) && !(t->spec->columns[i].draw &&
						     t->spec->columns[i].title &&
						     !t->spec->columns[i].number);
}

/* ---- layout --------------------------------------------------------------------- */

/*
 * Columns for a row's mark. From 80 columns on ×, without a gap; narrow tables need the gap:
 * "xcurl" looks like a name.
 */
static int gutter_width(const struct tableview *t, const struct layout *l, const struct canvas *c)
{
	bool name = l->n && !is_right(t, (u32)l->column[0]);
	bool ends = !t->spec->lasting && !(table_descs[t->spec->table].flags & T_EVENTS);

	return name && ends && (canvas_ascii(c) || canvas_cols(c) < NARROW_COLS) ? 2 : 1;
}

/* Including the gutter. */
static int fixed_width(const struct layout *l, bool *ret_rest)
{
	int w = l->gutter;

	*ret_rest = false;
	for (u32 i = 0; i < l->n; i++) {
		w += l->width[i] + (i > 0);
		*ret_rest |= !l->width[i];
	}
	return w;
}

static void take_out(struct layout *l, u32 i)
{
	l->n--;
	memmove(l->column + i, l->column + i + 1, (l->n - i) * sizeof(*l->column));
	memmove(l->width + i, l->width + i + 1, (l->n - i) * sizeof(*l->width));
}

/* A column with a known value: not all question marks, as of a collector that is off. */
static bool is_known(const struct tableview *t, u32 column)
{
	const struct field *f = table_column_field(t, column);

	for (u32 i = 0; i < t->n; i++)
		if (format_state(f, table_shown_row(&t->rows[i])) != VALUE_UNKNOWN)
			return true;
	return false;
}

/* Drops the rightmost of the columns with the highest priority number. */
static bool drop_column(const struct tableview *t, struct layout *l)
{
	u32 worst = 0;
	u8 priority = 1;

	for (u32 i = 0; i < l->n; i++) {
		const struct column *c = &t->spec->columns[l->column[i]];

		if (c->priority > 1 && c->priority >= priority) {
			priority = c->priority;
			worst = i;
		}
	}
	if (priority <= 1)
		return false;
	take_out(l, worst);
	return true;
}

/* A sparse column stays once it had a value: columns that come and go would move all others. */
static bool has_said(struct tableview *t, u32 column)
{
	const struct field *f = table_column_field(t, column);

	for (u32 i = 0; i < t->n && !(t->said & 1ull << column); i++) {
		enum value_state state = format_state(f, table_shown_row(&t->rows[i]));

		if (state != VALUE_UNKNOWN && state != VALUE_BLANK)
			t->said |= 1ull << column;
	}
	return t->said & 1ull << column;
}

static bool is_absent(struct tableview *t, u32 column)
{
	const struct column *c = &t->spec->columns[column];

	return t->sort_column != (int)column &&
	       ((c->optional && !is_known(t, column)) || (c->sparse && !has_said(t, column)));
}

static int rest_least(const struct tableview *t, int cols)
{
	return t->spec->roomy_rest && cols >= ROOMY_COLS ? min(cols / 4, REST_ENOUGH) : REST_MIN;
}

static void lay_out(struct app *a, struct tableview *t, struct layout *l, const struct canvas *c, int cols)
{
	bool rest;
	int used, least;

	l->n = 0;
	for (u32 i = 0; i < t->spec->n_columns && l->n < TABLE_MAX_COLUMNS; i++) {
		const struct column *column = &t->spec->columns[i];

		if (canvas_cols(c) < column->min_width || is_absent(t, i))
			continue;
		l->column[l->n] = (int)i;
		l->width[l->n++] = column->fit ? column->fit(a, column_width(t, i)) : column_width(t, i);
	}
	l->gutter = 1;
	while ((used = fixed_width(l, &rest)) + (least = rest ? rest_least(t, cols - 1) : 0) > cols &&
	       drop_column(t, l))
		;
	if (used + least < cols)	/* no column is dropped for a blank */
		l->gutter = gutter_width(t, l, c);
	used += l->gutter - 1;
	for (u32 i = 0; i < l->n; i++)
		if (!l->width[i])
			l->width[i] = max(cols - used, 1);
	t->n_shown = l->n;
	memcpy(t->shown, l->column, l->n * sizeof(*l->column));
}

/* ---- titles ----------------------------------------------------------------------- */

/* The sort mark is drawn within the column or, if it is full, in the blank after it. */
static void draw_title(const struct tableview *t, struct canvas *c, int row, int col, int width,
		       u32 i)
{
	const char *title = column_title(t, i), *mark = t->ascending ? "▴" : "▾";
	bool sorted = t->sort_column == (int)i;
	int w = min(canvas_width(c, title), width);
	int x = is_right(t, i) ? col + width - w : col;

	if (!sorted) {
		canvas_text(c, row, x, w, ROLE_dim, title);
		return;
	}
	if (is_right(t, i) && w < width)
		x--;
	if (x + w >= canvas_cols(c))	/* a full line has no blank after the last column */
		w = canvas_cols(c) - x - 1;
	canvas_text(c, row, x, w, ROLE_accent | S_BOLD, title);
	canvas_text(c, row, x + w, 1, ROLE_accent | S_BOLD, mark);
}

/* ---- cells -------------------------------------------------------------------------- */

static u32 cell_style(enum value_state state, const struct table_row *tr)
{
	if (tr->mark == MARK_gone || state != VALUE_KNOWN)
		return ROLE_dim;
	return tr->tagged ? ROLE_text | S_BOLD : ROLE_text;
}

static void draw_alert(struct canvas *c, int row, int col, int width, const char *text)
{
	char with_mark[FORMAT_MAX];

	snprintf(with_mark, sizeof(with_mark), "!%s", text);
	canvas_right(c, row, col - 1, width + 1, ROLE_bad, with_mark);
}

static void draw_cell(struct app *a, const struct tableview *t, struct canvas *c, int row, int col,
		      int width, u32 i, const struct table_row *tr)
{
	const struct column *column = &t->spec->columns[i];
	const struct field *f = table_column_field(t, i);
	char buf[FORMAT_MAX];
	enum value_state state;
	const char *text;
	u32 style;

	if (column->draw) {
		column->draw(a, c, row, col, width, tr);
		return;
	}
	if (!f)
		return;
	text = format_value(buf, f, table_shown_row(tr), app_snapshot(a), &state);
	style = cell_style(state, tr);
	if (column->alert && state == VALUE_KNOWN && column->alert(table_shown_row(tr)))
		draw_alert(c, row, col, width, text);
	else if (format_is_number(f->format))
		canvas_right(c, row, col, width, style, text);
	else if (column->cut)
		column->cut(c, row, col, width, style, text);
	else if (f->format == FF_PATH)
		canvas_cut_middle(c, row, col, width, style, text);
	else
		canvas_cut(c, row, col, width, style, text);
}

static void draw_gutter(const struct tableview *t, struct canvas *c, int row, int col, u32 i)
{
	const struct table_row *tr = &t->rows[i];

	if (i == t->cursor_i)
		canvas_text(c, row, col, 1, ROLE_accent, "▌");
	else if (tr->tagged)
		canvas_text(c, row, col, 1, ROLE_accent | S_BOLD, "◆");
	else if (tr->mark == MARK_gone)
		canvas_text(c, row, col, 1, ROLE_dim, "×");
	else if (tr->mark == MARK_new)
		canvas_text(c, row, col, 1, ROLE_text, "+");
}

/* Highlights the whole line; the sign of an ended or tagged row stays beside the cursor. */
static void select_row(const struct tableview *t, struct canvas *c, int row, struct rect r)
{
	const struct table_row *tr = &t->rows[t->cursor_i];
	const char *sign = tr->mark == MARK_gone ? "×" : tr->tagged ? "◆" : NULL;
	u32 style = ROLE_selection | (tr->tagged ? S_BOLD : 0);
	bool free = canvas_cell(c, row, r.col + 1)->ch == ' ';	/* a number may fill its column */

	canvas_restyle(c, row, r.col + 1, r.cols - 1, style);
	if (sign)
		canvas_text(c, row, free ? r.col + 1 : r.col, 1, style, sign);
}

static void draw_row(struct app *a, const struct tableview *t, struct canvas *c,
		     const struct layout *l, int row, struct rect r, u32 i)
{
	int col = r.col + l->gutter;

	draw_gutter(t, c, row, r.col, i);
	for (u32 k = 0; k < l->n; k++) {
		draw_cell(a, t, c, row, col, l->width[k], (u32)l->column[k], &t->rows[i]);
		col += l->width[k] + 1;
	}
	if (i == t->cursor_i)
		select_row(t, c, row, r);
}

static void scroll_to_cursor(struct tableview *t, u32 page)
{
	t->page = page;
	if (t->cursor_i < t->top)
		t->top = t->cursor_i;
	if (t->cursor_i >= t->top + page)
		t->top = t->cursor_i - page + 1;
	/* No blank lines at the end while rows are scrolled out above. */
	if (t->top + page > t->n)
		t->top = t->n > page ? t->n - page : 0;
}

void table_draw(struct app *a, struct tableview *t, struct canvas *c, struct rect r)
{
	struct layout l;
	int col;

	if (r.rows < 1 || r.cols < 2)
		return;
	lay_out(a, t, &l, c, r.cols);
	col = r.col + l.gutter;
	for (u32 k = 0; k < l.n; k++) {
		draw_title(t, c, r.row, col, l.width[k], (u32)l.column[k]);
		col += l.width[k] + 1;
	}
	scroll_to_cursor(t, (u32)max(r.rows - 1, 1));
	for (int line = 1; line < r.rows && t->top + (u32)line - 1 < t->n; line++)
		draw_row(a, t, c, &l, r.row + line, r, t->top + (u32)line - 1);
}

/* ---- counts ---------------------------------------------------------------------------- */

/* Length of the noun without the plural's ending. */
static size_t singular(const char *noun)
{
	size_t n = strlen(noun);

	if (n > 4 && !strcmp(noun + n - 4, "sses"))
		return n - 2;
	return n && noun[n - 1] == 's' ? n - 1 : n;
}

/* Whether an empty table means that nothing exists. */
static bool is_observed(const struct app *a, const struct tableview *t)
{
	const struct snapshot *s = app_snapshot(a);
	enum table_status status = s ? s->tables[t->spec->table].status : TS_OFF;

	return t->n_all || status == TS_OK || status == TS_PARTIAL;
}

void table_count_text(const struct app *a, const struct tableview *t, char *buf, size_t cap)
{
	const char *noun = t->spec->noun ? t->spec->noun : table_descs[t->spec->table].name;
	char n[FORMAT_MAX], all[FORMAT_MAX];
	u32 living = t->n_all - t->n_all_gone;
	size_t n_noun = (t->filter ? t->n_all : living) == 1 ? singular(noun) : strlen(noun);

	if (!is_observed(a, t))
		snprintf(buf, cap, "? %s", noun);
	else if (t->filter)
		snprintf(buf, cap, "%s of %s %.*s", format_thousands(n, t->n),
			 format_thousands(all, t->n_all), (int)n_noun, noun);
	else
		snprintf(buf, cap, "%s %.*s", format_thousands(n, living), (int)n_noun, noun);
	if (t->n_new)
		text_add(buf, cap, ", ", "%u new", t->n_new);
	if (t->n_gone && app_wide(a))
		text_add(buf, cap, ", ", "%u gone", t->n_gone);
}

void table_status(struct app *a, struct tableview *t, char *buf, size_t cap)
{
	const struct grouping *by = table_grouping(a, t);

	table_count_text(a, t, buf, cap);
	if (by)
		text_add(buf, cap, "   ", "by %s", by->title);
}
