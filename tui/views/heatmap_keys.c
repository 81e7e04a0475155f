// SPDX-License-Identifier: GPL-2.0-or-later
/* heatmap_keys.c: actions of the heat map: cursor, rectangle, list, picture. */

#include "tui/views/heatmap.h"

#define OCTAVE (1 << HIST_SCALE)
#define FASTEST_BUCKET 56	/* 2^7 buckets of 2^-30 s: about 120 ns */

/* ---- cursor --------------------------------------------------------------------- */

/* Moves to another tick; at the newest one the cursor follows it. */
static void move_time(struct app *a, struct heatmap *m, int step)
{
	struct history *h = app_history(a);
	int end = history_find(h, m->end_seq), i = history_find(h, heatmap_cursor_seq(m)) + step;

	if (end < 0)
		return;
	i = max(min(i, end), 0);
	if (!m->cursor_moved && !m->rect)	/* from now on the cursor keeps its line */
		m->cursor_bucket = plot_line_low(&m->plot, heatmap_cursor_line(m));
	m->cursor_moved = true;
	m->cursor_seq = i == end ? 0 : history_seq(h, (u32)i);
	if (i == end)
		m->right_seq = 0;
}

/* Adds a band at the fast end, if any call was that fast; none is faster than 125 ns. */
static bool go_below(struct heatmap *m)
{
	struct plot *p = &m->plot;
	int band = p->top - p->n_lines + 1;

	if (band * p->width <= FASTEST_BUCKET || !plot_count(p, HEAT_ZERO, band * p->width))
		return false;
	m->below = max(m->below, FIRST_BUCKET - (band - 1) * p->width);
	if (p->n_lines < p->max_lines) {
		p->n_lines++;
	} else {
		p->top--;
		m->top_pinned = true;
	}
	return true;
}

/* Down to faster calls, up to slower ones; scrolls the plot beyond its first and last line. */
static void move_latency(struct heatmap *m, int down)
{
	struct plot *p = &m->plot;
	int line = heatmap_cursor_line(m) + down, top = p->top;

	while (line >= p->n_lines && go_below(m)) {
		line -= top - p->top;
		top = p->top;
	}
	while (line < 0 && p->top < plot_highest(p) / p->width) {
		p->top++;
		line++;
	}
	line = max(min(line, p->n_lines - 1), 0);
	m->top = p->top * p->width;
	m->cursor_bucket = (p->top - line) * p->width;
	m->cursor_moved = true;
}

static bool move_cursor(struct app *a, struct heatmap *m, enum action action)
{
	bool swapped = m->swapped;

	switch (action) {
	case ACTION_left:
		swapped ? move_latency(m, 1) : move_time(a, m, -1);
		return true;
	case ACTION_right:
		swapped ? move_latency(m, -1) : move_time(a, m, 1);
		return true;
	case ACTION_up:
		swapped ? move_time(a, m, -1) : move_latency(m, -1);
		return true;
	case ACTION_down:
		swapped ? move_time(a, m, 1) : move_latency(m, 1);
		return true;
	case ACTION_page_up:
	case ACTION_page_down:
		move_time(a, m, (action == ACTION_page_up ? -1 : 1) * m->plot.max_slots / 2);
		return true;
	case ACTION_first:
	case ACTION_last:
		move_time(a, m, action == ACTION_first ? -(1 << 30) : 1 << 30);
		return true;
	default:
		return false;
	}
}

/* ---- list ------------------------------------------------------------------------ */

/* Some row of the operation, of any process. */
static const struct row *row_of_call(const struct snapshot *s, const struct heat_source *src, u64 what)
{
	const struct table *t = &s->tables[src->table];
	u64 of;

	for (u32 i = 0; i < t->n; i++)
		if (heat_what(src, t->rows[i], &of) && of == what)
			return t->rows[i];
	return NULL;
}

static void open_part(struct app *a, const struct heatmap *m)
{
	const struct heat_parts *list = heatmap_list(m);
	const struct heat_id *id;
	const struct row *row;

	if (m->list_at >= list->n)
		return;
	id = &list->parts[m->list_at].id;
	if (m->by != HEAT_BY_WHAT) {
		app_enter_process(a, id->pid, id->start_time_ns, NULL);
		return;
	}
	row = row_of_call(app_snapshot(a), m->source, id->what);	/* of all processes: the map of this call alone */
	if (row)
		app_enter(a, m->source->view, m->filter.pid, m->filter.start_time_ns, row, id->name);
	else
		app_say(a, ROLE_text, "nobody makes the %s %s any more", m->source->noun, id->name);
}

static bool act_list(struct app *a, struct heatmap *m, enum action action)
{
	u32 n = heatmap_list(m)->n;

	switch (action) {
	case ACTION_up:
		m->list_at -= m->list_at > 0;
		return true;
	case ACTION_down:
		m->list_at += m->list_at + 1 < n;
		return true;
	case ACTION_open:
		open_part(a, m);
		return true;
	case ACTION_cancel:
	case ACTION_back:
		m->in_list = false;
		return true;
	default:
		return false;
	}
}

/* Fixes the cursor's cell, for a rectangle or for the list opened by Enter. */
static void hold_still(struct heatmap *m)
{
	m->cursor_bucket = max(plot_line_low(&m->plot, heatmap_cursor_line(m)), 0);
	m->cursor_moved = true;
	m->cursor_seq = heatmap_cursor_seq(m);
	m->frozen = true;
}

/* Keys may arrive faster than frames: updates the list for the current cursor. */
static void find_now(struct app *a, struct heatmap *m)
{
	heatmap_update(a, m, m->source);
	plot_need_cursor(a, m);
	heatmap_find(a, m);
}

static void open_list(struct app *a, struct heatmap *m)
{
	char text[128];

	find_now(a, m);
	if (!m->found.n) {
		heatmap_absence(a, m, text, sizeof(text));
		app_say(a, ROLE_text, "%s", text);
		return;
	}
	hold_still(m);
	m->in_list = true;
	m->list_at = 0;
}

static bool act_select(struct app *a, struct heatmap *m, enum action action)
{
	switch (action) {
	case ACTION_rect:
		hold_still(m);
		m->rect = true;
		m->anchor_seq = m->cursor_seq;
		m->anchor_bucket = m->cursor_bucket;
		return true;
	case ACTION_open:
		open_list(a, m);
		return true;
	case ACTION_back:	/* one level up: from the list to the rectangle, from there to the map */
		if (!m->rect)
			return false;
		heatmap_clear(m);
		heatmap_update(a, m, m->source);
		return true;
	case ACTION_cancel:
		if (!m->rect && !m->cursor_moved && !m->cursor_seq && !m->below)
			return false;
		heatmap_clear(m);
		heatmap_update(a, m, m->source);
		return true;
	default:
		return false;
	}
}

/* ---- picture ---------------------------------------------------------------------- */

static void change_bands(struct heatmap *m, bool finer)
{
	int width = m->plot.width ? m->plot.width : OCTAVE;

	m->width = finer ? max(width / 2, 1) : min(width * 2, 2 * OCTAVE);
	m->top = m->below = 0;
	m->top_pinned = false;
}

static bool act_picture(struct app *a, struct heatmap *m, enum action action)
{
	switch (action) {
	case ACTION_colour:
		m->linear = !m->linear;
		return true;
	case ACTION_axes:
		m->swapped = !m->swapped;
		m->top = m->below = 0;
		return true;
	case ACTION_more_bands:
	case ACTION_fewer_bands:
		change_bands(m, action == ACTION_more_bands);
		return true;
	case ACTION_waits:
		if (!m->source->waits)
			return false;
		m->waits = !m->waits;
		heatmap_update(a, m, m->source);
		return true;
	case ACTION_group:
		m->by = (m->by + 1) % 3;
		m->list_at = 0;
		if (!m->in_list)	/* else the list shows it */
			app_say(a, ROLE_text, "the %ss of a rectangle are listed by %s%s", m->source->noun,
				m->by == HEAT_BY_PROCESS ? "process" : m->source->noun,
				m->by == HEAT_BY_BOTH ? " and process" : "");
		return true;
	default:
		return false;
	}
}

static void explain(struct app *a, struct heatmap *m)
{
	char what[256], calls[256];

	find_now(a, m);
	heatmap_describe(a, m, what, sizeof(what));
	heatmap_top_calls(m, 3, calls, sizeof(calls));
	app_say(a, ROLE_text, "%s%s%s", what, *calls ? ": " : "", calls);
}

bool heatmap_act(struct app *a, void *state, enum action action, u32 key)
{
	struct heatmap *m = state;

	if (!app_snapshot(a) || !m->plot.n_lines)
		return false;
	if (action == ACTION_explain) {
		explain(a, m);
		return true;
	}
	if (m->in_list && act_list(a, m, action))
		return true;
	return move_cursor(a, m, action) || act_select(a, m, action) || act_picture(a, m, action);
}
