// SPDX-License-Identifier: GPL-2.0-or-later
/* prompt.c: line input on the note line: search, filter, command. */
#include <stdio.h>
#include <string.h>

#include "tui/app/app_state.h"

#define PALETTE_COLS 100
#define PALETTE_LINES 14

static struct tableview *table_of(const struct app *a)
{
	return a->tables[a->view];
}

/* ---- while typing ------------------------------------------------------------------ */

static void try_filter(struct app *a)
{
	struct prompt *p = &a->prompt;

	p->error[0] = '\0';
	table_filter(a, table_of(a), p->text, p->error, sizeof(p->error));
}

static void try_search(struct app *a)
{
	struct prompt *p = &a->prompt;
	struct tableview *t = table_of(a);

	snprintf(a->search, sizeof(a->search), "%s", p->text);
	a->search_view = a->view;
	p->error[0] = '\0';
	if (!t)
		return;
	if (!table_search(t, p->text)) {
		snprintf(p->error, sizeof(p->error), "not a complete pattern yet");
		return;
	}
	table_restore(t, &p->position);
	table_find_cursor(t);
	table_search_move(a, t, 1, SEARCH_here, false);
}

static void changed(struct app *a)
{
	a->prompt.choice = 0;
	if (a->prompt.kind == PROMPT_filter)
		try_filter(a);
	else if (a->prompt.kind == PROMPT_search)
		try_search(a);
	else
		a->prompt.error[0] = '\0';
}

void prompt_open(struct app *a, enum prompt_kind kind, const char *text)
{
	struct prompt *p = &a->prompt;

	p->kind = kind;
	p->error[0] = '\0';
	p->choice = 0;
	p->at_history = p->n_history;
	p->selected = kind == PROMPT_filter && *text;
	snprintf(p->text, sizeof(p->text), "%s", text);
	snprintf(p->before, sizeof(p->before), "%s", text);
	table_position_drop(&p->position);
	if (table_of(a))
		table_save(table_of(a), &p->position);
	a->message[0] = '\0';
}

void prompt_open_sort(struct app *a)
{
	const struct tableview *t = table_of(a);
	const struct field *f = t && t->sort_field >= 0 ? &table_descs[t->spec->table].fields[t->sort_field] : NULL;
	struct choice choices[PALETTE_MAX];
	int n;

	prompt_open(a, PROMPT_command, "sort ");
	n = (int)palette_choices(a, a->prompt.text, choices, PALETTE_MAX);
	for (int i = 0; f && i < n; i++)
		if (!strcmp(choices[i].text + strlen("sort "), f->name))
			a->prompt.choice = i;
}

/* ---- leaving the prompt ----------------------------------------------------------------- */

static void remember(struct prompt *p)
{
	if (!*p->text)
		return;
	if (p->n_history == PROMPT_HISTORY)
		memmove(p->history[0], p->history[1], sizeof(p->history[0]) * --p->n_history);
	memcpy(p->history[p->n_history++], p->text, sizeof(p->text));
}

static void cancel(struct app *a)
{
	struct prompt *p = &a->prompt;
	enum prompt_kind kind = p->kind;

	p->kind = PROMPT_none;
	if (kind == PROMPT_filter) {
		table_filter(a, table_of(a), p->before, p->error, sizeof(p->error));
	} else if (kind == PROMPT_search) {
		a->search[0] = '\0';
		if (!table_of(a))
			return;
		table_search(table_of(a), NULL);
		table_restore(table_of(a), &p->position);
		table_find_cursor(table_of(a));
	}
}

/* Runs the line as typed or, if it is not a command, the selected choice. */
static void run_command(struct app *a)
{
	struct choice choices[PALETTE_MAX];
	struct prompt *p = &a->prompt;
	u32 n = palette_choices(a, p->text, choices, PALETTE_MAX);
	char error[96] = "", line[PROMPT_MAX];

	snprintf(line, sizeof(line), "%s", p->text);
	/* "view ev" is not a view: use the first match of the list. */
	if (n && (p->choice || !strchr(line, ' ') || !strncmp(line, "view ", 5) ||
		  !strncmp(line, "sort ", 5)))
		snprintf(line, sizeof(line), "%s", choices[min(p->choice, (int)n - 1)].text);
	p->kind = PROMPT_none;
	if (!*p->text && !p->choice)
		return;
	remember(p);
	if (!palette_run(a, line, error, sizeof(error)))
		app_say(a, ROLE_bad, "%s", error);
}

static void accept(struct app *a)
{
	struct prompt *p = &a->prompt;

	if (p->kind == PROMPT_command) {
		run_command(a);
		return;
	}
	if (*p->error) {	/* stays open; the last valid filter is still applied */
		return;
	}
	if (p->kind == PROMPT_search && table_of(a)) {
		if (!*p->text)
			table_search(table_of(a), NULL);
		else	/* the match is in a folded branch, which is opened now */
			table_search_move(a, table_of(a), 1, SEARCH_here, true);
	}
	p->kind = PROMPT_none;
}

/* ---- editing ---------------------------------------------------------------------------- */

static void add_char(struct prompt *p, u32 ch)
{
	size_t n = strlen(p->text);
	char utf8[5] = { 0 };

	if (ch < ' ' || ch > 0x10ffff)
		return;
	if (ch < 0x80) {
		utf8[0] = (char)ch;
	} else if (ch < 0x800) {
		utf8[0] = (char)(0xc0 | ch >> 6);
		utf8[1] = (char)(0x80 | (ch & 63));
	} else if (ch < 0x10000) {
		utf8[0] = (char)(0xe0 | ch >> 12);
		utf8[1] = (char)(0x80 | (ch >> 6 & 63));
		utf8[2] = (char)(0x80 | (ch & 63));
	} else {
		utf8[0] = (char)(0xf0 | ch >> 18);
		utf8[1] = (char)(0x80 | (ch >> 12 & 63));
		utf8[2] = (char)(0x80 | (ch >> 6 & 63));
		utf8[3] = (char)(0x80 | (ch & 63));
	}
	if (n + strlen(utf8) < sizeof(p->text))
		strcpy(p->text + n, utf8);
}

static bool delete_char(struct prompt *p)
{
	size_t n = strlen(p->text);

	if (!n)
		return false;
	while (n > 1 && ((u8)p->text[n - 1] & 0xc0) == 0x80)
		n--;
	p->text[n - 1] = '\0';
	return true;
}

static void complete(struct app *a)
{
	struct choice choices[PALETTE_MAX];
	struct prompt *p = &a->prompt;
	u32 n;

	if (p->kind != PROMPT_command)
		return;
	n = palette_choices(a, p->text, choices, PALETTE_MAX);
	if (n)
		snprintf(p->text, sizeof(p->text), "%s%s", choices[min(p->choice, (int)n - 1)].text,
			 strchr(choices[min(p->choice, (int)n - 1)].text, ' ') ? "" : " ");
	p->choice = 0;
}

static void recall(struct app *a, int step)
{
	struct choice choices[PALETTE_MAX];
	struct prompt *p = &a->prompt;
	int n;

	/* The arrows select in the list; up on an empty line recalls history. */
	if (p->kind == PROMPT_command && p->at_history == p->n_history &&
	    (*p->text || step > 0 || p->choice || !p->n_history)) {
		n = (int)palette_choices(a, p->text, choices, PALETTE_MAX);
		p->choice = max(min(p->choice + step, n - 1), 0);
		return;
	}
	if (p->kind != PROMPT_command || p->at_history + step < 0 ||
	    p->at_history + step > p->n_history)
		return;
	p->at_history += step;
	snprintf(p->text, sizeof(p->text), "%s",
		 p->at_history < p->n_history ? p->history[p->at_history] : "");
}

void prompt_key(struct app *a, u32 key)
{
	struct prompt *p = &a->prompt;
	bool replaces = p->selected && (key < K_NONE || key == K_BACKSPACE || key == K_DEL);

	p->selected = false;
	if (replaces)
		p->text[0] = '\0';
	switch (key) {
	case K_ESC:
	case K_F1 + 9:	/* as in htop's menus */
		cancel(a);
		return;
	case K_ENTER:
		accept(a);
		return;
	case K_TAB:
		complete(a);
		return;
	case K_UP:
	case K_DOWN:
		recall(a, key == K_UP ? -1 : 1);
		return;
	case K_PGUP:
	case K_PGDN:
		recall(a, (key == K_PGUP ? -1 : 1) * PALETTE_LINES);
		return;
	case K_CTRL + 'u':
		p->text[0] = '\0';
		break;
	case K_DEL:
		break;
	case K_BACKSPACE:
		if (!replaces && !delete_char(p)) {
			cancel(a);
			return;
		}
		break;
	default:
		if (key >= K_NONE)
			return;
		add_char(p, key);
	}
	changed(a);
}

/*
 * The search is in a group and continues there, then after it. True: the group has another match.
 */
static bool more_in_group(struct app *a, struct tableview *t, int step, enum search_from *from)
{
	if (!app_level(a)->found || a->levels[a->n_levels - 2].view != a->view)
		return false;
	if (table_search_move(a, t, step, SEARCH_ahead, true))
		return true;
	app_up(a);
	*from = SEARCH_beyond;
	return false;
}

/* n and N: the next match of the last search. */
void prompt_again(struct app *a, int step)
{
	struct tableview *t = table_of(a);
	enum search_from from = SEARCH_inside;

	if (!*a->search || !t) {
		app_say(a, ROLE_text, t ? "nothing is searched for: / does" : "nothing to search here");
		return;
	}
	if (!t->search)
		table_search(t, a->search);
	if (more_in_group(a, t, step, &from))
		return;
	if (!table_search_move(a, t, step, from, true))
		app_say(a, ROLE_text, "no match: %s", a->search);
}

/* ---- drawing ------------------------------------------------------------------------------- */

static const char *ordinal(u32 n)
{
	static const char *const ends[] = { "th", "st", "nd", "rd" };

	return n % 100 >= 11 && n % 100 <= 13 ? "th" : ends[n % 10 < 4 ? n % 10 : 0];
}

/* An empty list says so, except for arguments that are not names ("pid 4821"). */
static bool names_nothing(const struct app *a, const char *typed)
{
	struct choice choices[PALETTE_MAX];

	if (strchr(typed, ' ') && strncmp(typed, "view ", 5) && strncmp(typed, "sort ", 5))
		return false;
	return !palette_choices(a, typed, choices, PALETTE_MAX);
}

static void right_text(const struct app *a, char *buf, size_t cap)
{
	const struct prompt *p = &a->prompt;
	const struct tableview *t = table_of(a);
	char n[FORMAT_MAX], all[FORMAT_MAX];
	u32 at, count;

	*buf = '\0';
	if (*p->error)
		snprintf(buf, cap, "! %s%s", p->error,
			 p->kind == PROMPT_filter ? ": still showing the last good filter" : "");
	else if (p->kind == PROMPT_command && names_nothing(a, p->text))
		snprintf(buf, cap, "no such command here   Esc cancels");
	else if (p->kind == PROMPT_filter && t)
		snprintf(buf, cap, "%s of %s match  Enter keeps  Esc cancels",
			 format_thousands(n, t->n), format_thousands(all, t->n_all));
	else if (p->kind == PROMPT_search && t && *p->text) {
		count = table_search_count(t, &at);
		if (!count)
			snprintf(buf, cap, "no match   Esc back to where you were");
		else
			snprintf(buf, cap, "%u%s of %u   Enter, then n next N previous", at, ordinal(at), count);
	}
}

static void draw_choices(const struct app *a, struct canvas *c, int row)
{
	struct choice choices[PALETTE_MAX];
	u32 n = palette_choices(a, a->prompt.text, choices, PALETTE_MAX);
	int cols = min(canvas_cols(c), PALETTE_COLS);	/* keeps keys close to their names */
	int chosen_i = min(a->prompt.choice, (int)n - 1), shown = min(min((int)n, PALETTE_LINES), max(row - 6, 0));
	int help = cols < 60 ? 19 : 26;
	int first = max(chosen_i - shown + 1, 0);	/* the selected one must be visible */

	for (int i = first; i < first + shown; i++) {
		int y = row - shown + i - first;
		bool chosen = i == chosen_i;

		canvas_blank(c, y, 0, canvas_cols(c));
		canvas_text(c, y, 1, help - 2, ROLE_text | S_BOLD, choices[i].text);
		canvas_cut(c, y, help, cols - help - canvas_width(c, choices[i].key) - 2, ROLE_text,
			   choices[i].help);
		canvas_right(c, y, cols - 10, 9, ROLE_accent, choices[i].key);
		if (chosen) {
			canvas_restyle(c, y, 0, cols, ROLE_selection);
			canvas_text(c, y, 0, 1, ROLE_selection, "▌");
		}
	}
}

void prompt_draw(const struct app *a, struct canvas *c, int row)
{
	static const char *const signs[] = { "", "/ ", "\\ ", ":" };
	const struct prompt *p = &a->prompt;
	int cols = canvas_cols(c), col, w;
	char right[160];

	if (p->kind == PROMPT_command)
		draw_choices(a, c, row);
	right_text(a, right, sizeof(right));
	canvas_blank(c, row, 0, cols);
	col = canvas_text(c, row, 0, -1, ROLE_accent | S_BOLD, signs[p->kind]);
	w = canvas_width(c, p->text);
	/* Of a long text the end is shown, where the cursor is. */
	col += canvas_text(c, row, col, cols - col - 1, ROLE_text,
			   w > cols - col - 1 ? p->text + (w - (cols - col - 1)) : p->text);
	if (p->selected)
		canvas_restyle(c, row, canvas_width(c, signs[p->kind]), col - canvas_width(c, signs[p->kind]),
			       ROLE_text | S_REVERSE);
	canvas_text(c, row, col, 1, ROLE_accent | S_REVERSE, " ");
	w = canvas_width(c, right);
	if (col + 3 + w <= cols)
		canvas_text(c, row, cols - w, w, *p->error ? ROLE_bad : ROLE_dim, right);
	else
		canvas_cut(c, row, col + 2, cols - col - 2, *p->error ? ROLE_bad : ROLE_dim, right);
}
