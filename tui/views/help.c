// SPDX-License-Identifier: GPL-2.0-or-later
/* help.c: help for the view below: keys left, columns right, from keys.def and schema.def. */
#include <stdio.h>
#include <string.h>

#include "tui/app/app_state.h"
#include "tui/table/filter.h"

#define MAX_LINES 160
#define KEY_COLS 8
#define TITLE_COLS 10	/* more for longer titles */

struct line {
	char key[24], text[160];
	bool heading;
};

struct help_state {
	int top;
	const struct view *of;	/* the view explained */
	int n_lines;		/* of the longer column when last drawn */
	int page;
	int match;		/* row of the last match of n; -1: none */
	char searched[64];
	int rows[2 * MAX_LINES];	/* matching lines, when last drawn */
	int n_rows;
};

struct column_text {
	struct line lines[MAX_LINES];
	int n;
};

/* The view directly below, which may be an overlay. */
static const struct view *explained(const struct app *a)
{
	return app_views[a->n_below ? a->below[a->n_below - 1] : 0];
}

/* ---- content -------------------------------------------------------------------------- */

static void add(struct column_text *t, const char *key, const char *text, bool heading)
{
	struct line *l;

	if (t->n == MAX_LINES)
		return;
	l = &t->lines[t->n++];
	snprintf(l->key, sizeof(l->key), "%s", key);
	snprintf(l->text, sizeof(l->text), "%s", text);
	l->heading = heading;
}

enum reach { OWN, OF_TABLES, EVERYWHERE };

static enum reach reach_of(const struct key_desc *k)
{
	return !*k->where ? EVERYWHERE : strcmp(k->where, "table") ? OWN : OF_TABLES;
}

/* The label of an action's key here, or NULL: for example "zoom" only exists in flame graphs. */
static const char *label_of(enum action action, const struct view *v, char *alias, size_t cap)
{
	const char *first = key_descs[action].keys;

	if (!*key_descs[action].label || !key_applies(action, v))
		return NULL;
	for (const char *k = first; *k; k += strcspn(k, " "), k += strspn(k, " ")) {
		snprintf(alias, cap, "%.*s", (int)strcspn(k, " "), k);
		if (key_action(key_code(alias), v) == action)
			return k == first ? key_descs[action].label : alias;
	}
	return NULL;
}

static void add_key(struct column_text *t, enum action action, const char *label, const struct view *v)
{
	char names[96], text[160];

	if (action != ACTION_filter) {
		add(t, label, key_descs[action].help, false);
		return;
	}
	filter_columns(v->table->table, names, sizeof(names));
	snprintf(text, sizeof(text), "%s ... or a regex", names);
	add(t, label, text, false);
}

/* A heading only if keys follow. */
static void add_keys(struct column_text *t, const struct view *v, const char *heading, enum reach reach)
{
	int before = t->n;

	for (u32 i = ACTION_none + 1; i < N_ACTIONS; i++) {
		char alias[16];
		const char *label = label_of(i, v, alias, sizeof(alias));

		if (!label || reach_of(&key_descs[i]) != reach)
			continue;
		if (t->n == before)
			add(t, heading, "", true);
		add_key(t, i, label, v);
	}
	if (t->n > before)
		add(t, "", "", false);
}

static void add_columns(struct column_text *t, const struct table_spec *spec)
{
	for (u32 i = 0; i < spec->n_columns; i++) {
		int f = spec->columns[i].field ? table_field(spec->table, spec->columns[i].field) : -1;
		const struct field *field = f < 0 ? NULL : &table_descs[spec->table].fields[f];
		const char *title = spec->columns[i].title, *help = spec->columns[i].help;

		if (field || help)
			add(t, title ? title : field->title, help ? help : field->help, false);
	}
}

static void add_legend(struct column_text *t, const char *legend)
{
	for (const char *p = legend; p && *p;) {
		size_t n = strcspn(p, "\n"), tab = strcspn(p, "\t\n");
		char key[24], text[160];

		snprintf(key, sizeof(key), "%.*s", (int)tab, p);
		snprintf(text, sizeof(text), "%.*s", (int)(n - min(tab + 1, n)), p + min(tab + 1, n));
		add(t, key, text, false);
		p += n + (p[n] == '\n');
	}
}

static void make_left(struct column_text *t, const struct view *v)
{
	t->n = 0;
	add_keys(t, v, "KEYS HERE", OWN);
	add_keys(t, v, "KEYS OF TABLES", OF_TABLES);
	add_keys(t, v, "KEYS EVERYWHERE", EVERYWHERE);
}

static void make_right(struct column_text *t, const struct view *v)
{
	t->n = 0;
	if (v->table) {
		add(t, "COLUMNS", "", true);
		add_columns(t, v->table);
		add(t, "", "", false);
	}
	if (v->legend) {
		add(t, "SIGNS", "", true);
		add_legend(t, v->legend);
	}
}

/* ---- drawing ------------------------------------------------------------------------------ */

static bool matches(const struct app *a, const struct line *l)
{
	const char *what = app_search_text((struct app *)a);

	return what && (strcasestr(l->text, what) || strcasestr(l->key, what));
}

static int draw_column(const struct app *a, struct help_state *st, struct canvas *c, struct rect r,
		       int key_cols, const struct column_text *t)
{
	int top = st->top;
	int row = r.row - top;

	for (int i = 0; i < t->n; i++) {
		const struct line *l = &t->lines[i];
		bool match = matches(a, l);
		u32 style = match ? ROLE_text | S_REVERSE : ROLE_text;

		if (match)
			st->rows[st->n_rows++] = row - r.row + top;

		if (l->heading) {
			canvas_text(c, row++, r.col, r.cols, ROLE_text | S_BOLD, l->key);
			continue;
		}
		canvas_text(c, row, r.col + 1, key_cols, ROLE_accent, l->key);
		row += canvas_wrap(c, row, r.col + key_cols + 1, r.cols - key_cols - 2, style, l->text);
	}
	return row - (r.row - top);
}

static void scroll(struct help_state *st, int to)
{
	st->top = max(min(to, st->n_lines - st->page), 0);
}

static bool is_shown(const struct help_state *st, int row)
{
	return row >= st->top && row < st->top + st->page;
}

/* The next (or previous) match; wraps around. */
static void next_match(struct help_state *st, int step)
{
	int best = -1, first = -1;

	for (int i = 0; i < st->n_rows; i++) {
		int row = st->rows[i];

		if (first < 0 || (step > 0 ? row < first : row > first))
			first = row;
		if (step > 0 ? row > st->match && (best < 0 || row < best) : row < st->match && row > best)
			best = row;
	}
	st->match = best >= 0 ? best : first;
	if (st->match >= 0 && !is_shown(st, st->match))
		scroll(st, st->match - 1);
}

/* n and N: all matches are marked, so the note says which one is current. */
static void move_match(struct app *a, struct help_state *st, int step)
{
	int before = 0;

	if (!*st->searched) {
		app_say(a, ROLE_text, "nothing is searched for: / does");
		return;
	}
	next_match(st, step);
	for (int i = 0; i < st->n_rows; i++)
		before += st->rows[i] < st->match;
	if (st->n_rows)
		app_say(a, ROLE_text, "match %d of %d: %s", before + 1, st->n_rows, st->searched);
	else
		app_say(a, ROLE_text, "no match: %s", st->searched);
}

/* While a search is typed, scrolls to the first match. True: scrolled. */
static bool follow_search(struct app *a, struct help_state *st)
{
	const char *what = app_search_text(a);
	int top = st->top;

	if (!strcmp(st->searched, what ? what : ""))
		return false;
	snprintf(st->searched, sizeof(st->searched), "%s", what ? what : "");
	st->match = -1;
	if (*st->searched)
		next_match(st, 1);
	return st->top != top;
}

/* A title is not truncated, and is followed by a blank. */
static int title_cols(const struct canvas *c, const struct column_text *t)
{
	int cols = TITLE_COLS;

	for (int i = 0; i < t->n; i++)
		if (!t->lines[i].heading)
			cols = max(cols, canvas_width(c, t->lines[i].key) + 1);
	return cols;
}

static void draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	static struct column_text left, right;	/* 60 KB: too much for the stack */
	struct help_state *st = state;
	const struct view *v = explained(a);
	int half = body.cols / 2, n1, n2;

	st->n_rows = 0;
	make_left(&left, v);
	make_right(&right, v);
	n1 = draw_column(a, st, c, (struct rect){ body.row, body.col, body.rows, half }, KEY_COLS, &left);
	n2 = draw_column(a, st, c, (struct rect){ body.row, body.col + half, body.rows, body.cols - half },
			 title_cols(c, &right), &right);
	st->n_lines = max(n1, n2);
	st->page = body.rows;
	if (!follow_search(a, st))
		return;
	for (int i = 0; i < body.rows; i++)
		canvas_blank(c, body.row + i, body.col, body.cols);
	draw(a, st, c, body);	/* again, at the first match */
}

/* ---- keys ------------------------------------------------------------------------------------- */

static bool act(struct app *a, void *state, enum action action, u32 key)
{
	struct help_state *st = state;

	switch (action) {
	case ACTION_up:
	case ACTION_down:
		scroll(st, st->top + (action == ACTION_up ? -1 : 1));
		return true;
	case ACTION_page_up:
	case ACTION_page_down:
		scroll(st, st->top + (action == ACTION_page_up ? -1 : 1) * max(st->page - 1, 1));
		return true;
	case ACTION_first:
		scroll(st, 0);
		return true;
	case ACTION_last:
		scroll(st, st->n_lines);
		return true;
	case ACTION_next_match:
	case ACTION_prev_match:
		move_match(a, st, action == ACTION_next_match ? 1 : -1);
		return true;
	case ACTION_help:
		return app_up(a);
	default:
		return false;
	}
}

static void update(struct app *a, void *state)
{
	struct help_state *st = state;

	if (st->of == explained(a))
		return;
	st->of = explained(a);
	st->top = 0;
}

static void status(struct app *a, void *state, char *buf, size_t cap)
{
	const struct help_state *st = state;
	int pages = st->page > 0 ? (st->n_lines + st->page - 1) / st->page : 1;

	snprintf(buf, cap, "of %s", explained(a)->name);
	if (pages > 1)
		text_add(buf, cap, "   ", "%d of %d  PgDn",
			 min(st->top / max(st->page - 1, 1) + 1 + (st->top % max(st->page - 1, 1) > 0), pages), pages);
}

const struct view help_view = {
	.name = "help",
	.about = "keys and columns of the view below",
	.flags = VIEW_OVERLAY,
	.state_size = sizeof(struct help_state),
	.hints = "page_up search cancel",
	.draw = draw,
	.act = act,
	.update = update,
	.status = status,
};
