// SPDX-License-Identifier: GPL-2.0-or-later
/* bars.c: the lines around a view: tabs, context, note, hints. */
#include <stdio.h>
#include <string.h>

#include "tui/app/app_state.h"

#define MIN_ROWS 10
#define MIN_COLS 40
#define PART_MAX 160

/* ---- tabs ------------------------------------------------------------------------- */

static const struct view *tab_owner(char digit)
{
	for (int i = 0; i < N_VIEWS; i++)
		if (app_views[i]->digit == digit && app_views[i]->tab)
			return app_views[i];
	return NULL;
}

static char current_digit(const struct app *a)
{
	return app_views[app_ground(a)]->digit;
}

/* In a replay: a table of the view was not recorded; marked in front of its name. */
static bool not_recorded(const struct app *a, const struct view *v)
{
	for (u32 t = 0; a->config.replay && a->shown && t < N_TABLES; t++)
		if ((v->needs & TABLE_BIT(t)) && a->shown->tables[t].status == TS_OFF)
			return true;
	return false;
}

static int draw_tab(const struct app *a, struct canvas *c, int row, int col, char digit,
		    const char *name, bool missing)
{
	bool current = digit == current_digit(a);
	u32 style = current ? ROLE_accent | S_BOLD : ROLE_text;
	int x = col;

	x += canvas_text(c, row, x, 1, style, current ? "[" : missing ? "?" : " ");
	x += canvas_printf(c, row, x, 1, ROLE_accent | (current ? S_BOLD : 0), "%c", digit);
	if (!name) {
		if (!current)
			return x - col;
		x += canvas_text(c, row, x, 1, style, "]");
		x += canvas_text(c, row, x, -1, style, tab_owner(digit)->tab);
		return x - col;
	}
	x += canvas_text(c, row, x, -1, style, name);
	x += canvas_text(c, row, x, 1, style, current ? "]" : " ");
	return x - col;
}

/* "o ok", or the first signal that is not: "o !retry". */
static void mark_exports(const struct app *a, char *buf, size_t cap)
{
	const struct table *t = a->shown ? &a->shown->tables[TABLE_exports] : NULL;
	const char *bad = NULL;

	for (u32 i = 0; t && i < t->n && !bad; i++) {
		const char *state = exports_row(t->rows[i])->state;

		if (state && (!strcmp(state, "retry") || !strcmp(state, "refused")))
			bad = state;
	}
	if (t && t->n)
		text_add(buf, cap, " ", "o %s%s", bad ? "!" : "", bad ? bad : "ok");
}

static void status_marks(const struct app *a, char *buf, size_t cap)
{
	const struct table *probes = a->shown ? &a->shown->tables[TABLE_probes] : NULL;
	char size[FORMAT_MAX];
	u32 blocked = 0;

	for (u32 i = 0; probes && i < probes->n; i++) {
		const struct probes_row *p = probes_row(probes->rows[i]);

		blocked += text_is(p->state, "blocked");
	}
	blocked += losses_shown(a->shown).now;
	*buf = '\0';
	if (blocked)
		snprintf(buf, cap, "!%u", blocked);
	mark_exports(a, buf, cap);
	if (a->recording && a->config.source.record_bytes) {
		u64 n = a->config.source.record_bytes(a->config.source.arg);

		text_add(buf, cap, " ", "REC %s", format_bytes(size, (double)n));
	}
}

static int tabs_width(const struct app *a, bool wide)
{
	int w = 0;

	for (const char *d = "1234567890"; *d; d++) {
		const struct view *v = tab_owner(*d);

		if (v)
			w += 3 + (int)strlen(wide ? v->tab_wide : v->tab);
	}
	return w;
}

static void draw_tabs(struct app *a, struct canvas *c, int row)
{
	char marks[48];
	int col = 0, cols = canvas_cols(c), room;
	bool wide, names;

	status_marks(a, marks, sizeof(marks));
	room = cols - canvas_width(c, marks) - 1;
	wide = cols >= 120 && tabs_width(a, true) <= room;
	names = tabs_width(a, false) <= room;
	for (const char *d = "1234567890"; *d; d++) {
		const struct view *v = tab_owner(*d);

		if (v)
			col += draw_tab(a, c, row, col, *d,
					wide ? v->tab_wide : names ? v->tab : NULL,
					not_recorded(a, v));
	}
	canvas_right(c, row, room + 1, cols - room - 1,
		     strchr(marks, '!') ? ROLE_bad : ROLE_accent, marks);
}

/* ---- context line -------------------------------------------------------------------- */

static void append_face(char *buf, size_t cap, const char *name, size_t n, bool current)
{
	text_add(buf, cap, " ", "%s%.*s%s", current ? "[" : "", (int)n, name, current ? "]" : "");
}

/* "faces [flat] tree" for all views of this tab; *ret_short: "1: 1 more face". */
static void faces_text(const struct app *a, char *buf, size_t cap, char ret_short[32])
{
	int ids[N_VIEWS], n = app_view(a)->digit ? app_tab_views(a, app_view(a)->digit, ids) : 0, count = 0;

	snprintf(buf, cap, "faces");
	for (int i = 0; i < n; i++) {
		const char *p = app_views[ids[i]]->faces;

		for (int k = 0; p && *p; k++, count++) {
			size_t len = strcspn(p, " ");

			append_face(buf, cap, p, len, ids[i] == a->view && k == a->faces[a->view]);
			p += len + strspn(p + len, " ");
		}
	}
	if (count < 2 || app_view(a)->flags & VIEW_PAGE)
		*buf = '\0';
	snprintf(ret_short, 32, "%c: %d more face%s", app_view(a)->digit, count - 1, count == 2 ? "" : "s");
}

static void add_part(char parts[][PART_MAX], int *n, const char *text)
{
	if (*text)
		snprintf(parts[(*n)++], PART_MAX, "%s", text);
}

/* Parts of the right side, the last dropped first. *ret_faces: index of faces, also shortened. */
static int context_parts(struct app *a, char parts[8][PART_MAX], int *ret_faces, char ret_short[32])
{
	const struct view *v = app_view(a);
	struct tableview *t = a->tables[a->view];
	char buf[160], label[48];
	int n = 0;

	moment_status(a, buf, sizeof(buf));
	add_part(parts, &n, buf);
	buf[0] = '\0';
	if (v->status)
		v->status(a, a->states[a->view], buf, sizeof(buf));
	else if (t)
		table_status(a, t, buf, sizeof(buf));
	add_part(parts, &n, buf);
	add_part(parts, &n, t && t->follow ? "follow" : "");
	if (t && t->filter) {
		snprintf(buf, sizeof(buf), "\\ %s", t->filter_text);
		add_part(parts, &n, buf);
	}
	faces_text(a, buf, sizeof(buf), ret_short);
	*ret_faces = *buf ? n : -1;
	add_part(parts, &n, buf);
	if (t && !(v->flags & VIEW_PAGE)) {	/* a page describes its rows itself */
		table_sort_label(t, label, sizeof(label));
		snprintf(buf, sizeof(buf), "sort %s", label);
		add_part(parts, &n, *label ? buf : "");
	}
	return n;
}

/* " (ended, code 7)", appended to the name of an ended process. */
static void ended_text(const struct app *a, char *buf, size_t cap)
{
	const struct processes_row *p = app_process(a);

	*buf = '\0';
	if (a->n_below || !p || !p->row.closed)
		return;
	if (u64_known(p->signal) && p->signal)
		snprintf(buf, cap, " (ended by signal %llu)", (unsigned long long)p->signal);
	else if (u64_known(p->exit_code))
		snprintf(buf, cap, " (ended, code %llu)", (unsigned long long)p->exit_code);
	else
		snprintf(buf, cap, " (ended)");
}

/* " › validate": added by the view; "" for nothing. */
static const char *own_crumb(struct app *a, char *buf, size_t cap)
{
	const struct view *v = app_view(a);
	int n = snprintf(buf, cap, " › ");

	if (a->n_below || !v->crumb || !a->shown || !v->crumb(a, a->states[a->view], buf + n, cap - (size_t)n))
		*buf = '\0';
	return buf;
}

static void draw_crumbs(struct app *a, struct canvas *c, int row, int end)
{
	int col = canvas_text(c, row, 0, end, ROLE_text, "host");
	char ended[96], own[160];

	if (a->n_below)	/* overlays have no breadcrumb */
		col = canvas_cut(c, row, 0, end, ROLE_text, app_view(a)->name);
	for (int i = 1; i < a->n_levels && !a->n_below; i++) {
		col += canvas_text(c, row, col, end - col, ROLE_dim, " › ");
		col += canvas_cut(c, row, col, max(end - col, 0),
				  i == a->n_levels - 1 ? ROLE_text | S_BOLD : ROLE_text, a->levels[i].label);
	}
	ended_text(a, ended, sizeof(ended));
	col += canvas_cut(c, row, col, max(end - col, 0), ROLE_warn, ended);
	canvas_cut(c, row, col, max(end - col, 0), ROLE_text, own_crumb(a, own, sizeof(own)));
}

static int crumbs_width(struct app *a, const struct canvas *c)
{
	char ended[96], own[160];
	int w = 4;

	if (a->n_below)
		return (int)strlen(app_view(a)->name);
	for (int i = 1; i < a->n_levels; i++)
		w += 3 + canvas_width(c, a->levels[i].label);
	ended_text(a, ended, sizeof(ended));
	return w + canvas_width(c, ended) + canvas_width(c, own_crumb(a, own, sizeof(own)));
}

static void draw_context(struct app *a, struct canvas *c, int row)
{
	char parts[8][PART_MAX], faces[32];
	int faces_at, n = context_parts(a, parts, &faces_at, faces), cols = canvas_cols(c), width = 0, col;
	int crumbs = min(crumbs_width(a, c), cols / 2) + 2;

	/* The breadcrumb gets up to half of the line, whatever is on the right. */
	for (int i = 0; i < n; i++) {
		int w = canvas_width(c, parts[i]) + (i ? 3 : 0);

		if (width + w > cols - crumbs && i == faces_at) {
			snprintf(parts[i], PART_MAX, "%s", faces);
			w = (int)strlen(faces) + (i ? 3 : 0);
		}
		if (width + w > cols - crumbs) {
			n = i;
			break;
		}
		width += w;
	}
	col = cols - width;
	draw_crumbs(a, c, row, col - 1);
	for (int i = 0; i < n; i++) {
		col += i ? 3 : 0;
		col += canvas_text(c, row, col, -1, i || !a->paused ? ROLE_text : ROLE_accent, parts[i]);
	}
}

/* ---- hints ------------------------------------------------------------------------------ */

static int hint_width(const struct canvas *c, const struct key_desc *k)
{
	return canvas_width(c, k->label) + canvas_width(c, k->hint);
}

static int draw_hint(struct canvas *c, int row, int col, enum action action)
{
	const struct key_desc *k = &key_descs[action];
	int x = canvas_text(c, row, col, -1, ROLE_accent, k->label);

	return x + canvas_text(c, row, col + x, -1, ROLE_text, k->hint);
}

static void draw_hints(struct app *a, struct canvas *c, int row)
{
	const struct view *v = app_view(a);
	int cols = canvas_cols(c), gap = cols >= 120 ? 2 : 1;
	int end = cols - hint_width(c, &key_descs[ACTION_quit]);
	int col = draw_hint(c, row, 0, ACTION_help);
	const char *p = cols >= 120 && v->hints_wide ? v->hints_wide : v->hints;

	while (p && *p) {
		size_t len = strcspn(p, " ");
		enum action action = key_action_by_name(p, len);

		p += len + strspn(p + len, " ");
		if (!action || !key_applies(action, v) || !*key_descs[action].label)
			continue;
		if (col + gap + hint_width(c, &key_descs[action]) + gap > end)
			break;
		col += gap + draw_hint(c, row, col + gap, action);
	}
	draw_hint(c, row, end, ACTION_quit);
}

/* ---- all -------------------------------------------------------------------------------- */

static void draw_body(struct app *a, struct canvas *c, struct rect body)
{
	const struct view *v = app_view(a);
	struct rect old = canvas_clip(c, body);

	if (!a->shown)
		canvas_text(c, body.row, body.col + 2, -1, ROLE_dim,
			    a->config.replay ? "reading the recording" : "waiting for the first tick");
	else if (v->draw)
		v->draw(a, a->states[a->view], c, body);
	else if (!app_draw_state(a, c, body, v->table->table))
		table_draw(a, a->tables[a->view], c, body);
	canvas_clip(c, old);
}

void bars_draw(struct app *a, struct canvas *c)
{
	int row = 0, last = a->rows - 1, context;
	u32 style = ROLE_text;
	char note[512];
	bool own_note_line = a->rows >= 14;

	if (a->rows < MIN_ROWS || a->cols < MIN_COLS) {
		canvas_printf(c, 0, 0, -1, ROLE_text, "ottop: %dx%d is too small, needs %dx%d",
			      a->cols, a->rows, MIN_COLS, MIN_ROWS);
		return;
	}
	host_lines(a, c, &row);
	draw_tabs(a, c, row++);
	context = row;
	row += a->rows >= 12;
	last -= own_note_line;
	draw_body(a, c, (struct rect){ row, 0, last - row - (a->paused && own_note_line), a->cols });
	if (row > context)	/* after the body: some views count while drawing */
		draw_context(a, c, context);
	if (a->paused && own_note_line)
		moment_scale(a, c, last - 1);
	note_text(a, note, sizeof(note), &style);
	if (!own_note_line && !*a->message && style != ROLE_bad)
		*note = '\0';	/* one line for both: only urgent notes replace the hints */
	if (own_note_line || (!*note && !a->prompt.kind))
		draw_hints(a, c, a->rows - 1);
	if (a->prompt.kind)
		prompt_draw(a, c, last);
	else
		canvas_cut(c, last, 0, -1, style, note);
}
