// SPDX-License-Identifier: GPL-2.0-or-later
/* heatmap_draw.c: the cells of the heat map, its axes, cursor and rectangle. */
#include <stdio.h>
#include <string.h>

#include "tui/term/graph.h"
#include "tui/views/heatmap.h"

#define LABEL_WIDTH 7		/* of a latency: " 62.5ms" */
#define MARGIN 8		/* right of the cells: count of the line */
#define TICK_EVERY 10		/* cells between two marks of the time axis */
#define UNKNOWN_WORDS 24	/* consecutive unknown columns that get a caption */

/* ---- cells ---------------------------------------------------------------------- */

static int heat_step(const struct heatmap *m, const struct slot *slot, int low, int end)
{
	u64 count = heat_count(slot->column, low, end);

	/* Spread over the steps of a merged tick; a single call is always visible. */
	if (count)
		count = max(count / slot->steps, 1ull);
	return graph_heat_step(count, m->plot.most, !m->linear);
}

/* Not computed yet, or not observed: unlike zero. A dim shade not used for counts. */
static void draw_unknown(struct canvas *c, struct rect r, const struct slot *slot)
{
	canvas_repeat(c, r.row, r.col, r.cols, ROLE_dim, slot->column ? "╱" : "·");
}

static void draw_cell(const struct heatmap *m, struct canvas *c, int s, int line)
{
	const struct plot *p = &m->plot;
	const struct slot *slot = &p->slots[s];
	struct rect r = plot_cell(p, s, line);
	int low = plot_line_low(p, line), end = plot_line_end(p, line);

	if (!slot->column || !slot->column->hist) {
		draw_unknown(c, r, slot);
		return;
	}
	if (p->pairs && line != p->n_lines - 1) {
		int middle = (p->top - line) * p->width + p->width / 2;

		canvas_heat_pair(c, r.row, r.col, heat_step(m, slot, middle, end),
				 heat_step(m, slot, low, middle));
		return;
	}
	for (int x = 0; x < r.cols; x++)
		canvas_heat(c, r.row, r.col + x, heat_step(m, slot, low, end));
}

static bool is_unknown(const struct plot *p, int s)
{
	return p->slots[s].column && !p->slots[s].column->hist;
}

/* Explains the shade in any stretch with room for it. */
static void say_unknown(const struct plot *p, struct canvas *c, int from, int end)
{
	static const char text[] = " not observed then ";
	struct rect last = plot_cell(p, end - 1, 0);
	int row = p->area.row + (p->n_lines - 1) / 2, col = plot_cell(p, from, 0).col;
	int cols = last.col + last.cols - col;

	canvas_text(c, row, col + (cols - (int)strlen(text)) / 2, -1, ROLE_text, text);
}

static void draw_cells(const struct heatmap *m, struct canvas *c)
{
	const struct plot *p = &m->plot;

	for (int s = 0; s < p->n_slots; s++)
		for (int l = 0; l < p->n_lines; l++)
			draw_cell(m, c, s, l);
	for (int s = 0, from = 0; s <= p->n_slots && !m->swapped; s++) {
		if (s < p->n_slots && is_unknown(p, s))
			continue;
		if (s - from >= UNKNOWN_WORDS)
			say_unknown(p, c, from, s);
		from = s + 1;
	}
}

/* ---- latency axis ------------------------------------------------------------------ */

/* "62.5ms": the lower edge of a line; "<244us" of the last. */
static void line_label(const struct plot *p, int line, char *buf, size_t cap)
{
	char ns[FORMAT_MAX];
	bool lowest = line == p->n_lines - 1;
	int edge = lowest ? plot_line_end(p, line) : plot_line_low(p, line);

	snprintf(buf, cap, "%s%s", lowest ? "<" : "", format_ns(ns, hist_lower_ns(edge)));
}

static void latency_axis(const struct heatmap *m, struct canvas *c)
{
	const struct plot *p = &m->plot;
	int cursor = m->passive ? -1 : heatmap_cursor_line(m), left = p->area.col - LABEL_WIDTH - 1;

	for (int l = 0; l < p->n_lines; l++) {
		int row = p->area.row + l;
		char text[FORMAT_MAX];
		u64 count = plot_line_count(p, l);

		line_label(p, l, text, sizeof(text));
		canvas_right(c, row, left, LABEL_WIDTH,
			     l == cursor ? ROLE_accent | S_BOLD : ROLE_text,
			     text);
		canvas_text(c, row, left + LABEL_WIDTH, 1, ROLE_dim, "┤");
		if (l == cursor) {
			canvas_text(c, row, left, 1, ROLE_accent | S_BOLD, "[");
			canvas_text(c, row, left + LABEL_WIDTH, 1, ROLE_accent | S_BOLD, "]");
		}
		canvas_right(c, row, p->area.col + p->area.cols, MARGIN - 1,
			     count ? ROLE_text : ROLE_dim, format_count(text, (double)count));
	}
}

/* Below the cells if the axes are swapped: as many labels as fit. */
static void latency_axis_below(const struct heatmap *m, struct canvas *c)
{
	const struct plot *p = &m->plot;
	int row = p->area.row + p->area.rows, cursor = heatmap_cursor_line(m);
	int every = (LABEL_WIDTH + p->line_cells) / p->line_cells;

	canvas_repeat(c, row, p->area.col, p->n_lines * p->line_cells, ROLE_dim, "─");
	for (int l = p->n_lines - 1; l >= 0; l--) {
		int col = plot_cell(p, 0, l).col;
		char text[FORMAT_MAX];

		if (l == cursor)
			canvas_repeat(c, row, col, p->line_cells, ROLE_accent | S_BOLD, "^");
		if ((p->n_lines - 1 - l) % every)
			continue;
		line_label(p, l, text, sizeof(text));
		canvas_text(c, row, col, 1, ROLE_dim, "┴");
		canvas_text(c, row + 1, col, LABEL_WIDTH, ROLE_text, text);
	}
}

/* ---- time axis ----------------------------------------------------------------------- */

/* "-60s" before the newest tick, "now"; clock time for older ticks and frozen pictures. */
static void time_label(struct app *a, const struct heatmap *m, u64 time_ns, char *buf, size_t cap)
{
	struct history *h = app_history(a);
	u64 now = history_time_ns(h, history_len(h) - 1);
	const struct snapshot *s = app_snapshot(a);
	char text[FORMAT_MAX];

	if (app_live(a) && !m->frozen && !m->right_seq && now - time_ns < 1000 * NSEC_PER_SEC)
		snprintf(buf, cap, now == time_ns ? "now" : "-%llus",
			 (unsigned long long)((now - time_ns + NSEC_PER_SEC / 2) / NSEC_PER_SEC));
	else
		snprintf(buf, cap, "%s",
			 format_clock(text, time_ns, s ? s->unix_offset_ns : 0, false));
}

static void time_mark(struct app *a, const struct heatmap *m, struct canvas *c, int s, int *until)
{
	const struct plot *p = &m->plot;
	struct rect r = plot_cell(p, s, p->n_lines - 1);
	int row = p->area.row + p->area.rows, w, col;
	char text[FORMAT_MAX];

	canvas_text(c, row, r.col, 1, ROLE_dim, "┴");
	time_label(a, m, p->slots[s].time_ns, text, sizeof(text));
	w = (int)strlen(text);
	col = max(min(r.col - w / 2, p->area.col + p->area.cols - w), p->area.col);
	if (col + w >= *until)
		return;
	canvas_text(c, row + 1, col, w, ROLE_text, text);
	*until = col;
}

static void time_axis(struct app *a, const struct heatmap *m, struct canvas *c)
{
	const struct plot *p = &m->plot;
	int row = p->area.row + p->area.rows, until = p->area.col + p->area.cols + 2;
	u64 cursor = m->passive ? 0 : heatmap_cursor_seq(m);

	canvas_text(c, row, p->area.col - 1, 1, ROLE_dim, "└");
	canvas_repeat(c, row, p->area.col, p->area.cols, ROLE_dim, "─");
	for (int s = 0; s < p->n_slots; s++)	/* "=": several merged ticks */
		if (p->slots[s].steps > 1)
			canvas_text(c, row, plot_cell(p, s, 0).col, 1, ROLE_dim, "=");
	for (int s = p->n_slots - 1; s >= 0; s -= TICK_EVERY)
		time_mark(a, m, c, s, &until);
	for (int s = 0; s < p->n_slots; s++)
		if (p->slots[s].seq == cursor)
			canvas_text(c, row, plot_cell(p, s, 0).col, 1, ROLE_accent | S_BOLD, "^");
	canvas_right(c, row, p->area.col + p->area.cols, MARGIN - 1, ROLE_dim, "n");
}

static void time_axis_beside(struct app *a, const struct heatmap *m, struct canvas *c)
{
	const struct plot *p = &m->plot;
	int left = p->area.col - LABEL_WIDTH - 1;
	u64 cursor = heatmap_cursor_seq(m);

	for (int s = p->n_slots - 1; s >= 0; s--) {
		int row = plot_cell(p, s, 0).row;
		bool at = p->slots[s].seq == cursor;
		char text[FORMAT_MAX];

		canvas_text(c, row, p->area.col - 1, 1, at ? ROLE_accent | S_BOLD : ROLE_dim,
			    at ? ">" : p->slots[s].steps > 1 ? "=" : "│");
		time_label(a, m, p->slots[s].time_ns, text, sizeof(text));
		if ((p->n_slots - 1 - s) % 5 == 0)
			canvas_right(c, row, left, LABEL_WIDTH, ROLE_text,
				     strlen(text) > LABEL_WIDTH ? text + 3 : text);
	}
}

/* ---- selection ------------------------------------------------------------------------- */

static void draw_cursor(const struct heatmap *m, struct canvas *c)
{
	const struct plot *p = &m->plot;
	u64 seq = heatmap_cursor_seq(m);

	for (int s = 0; s < p->n_slots; s++) {
		struct rect r = plot_cell(p, s, heatmap_cursor_line(m));

		if (p->slots[s].seq != seq)
			continue;
		if (p->pairs)	/* half of a reversed pair would look like a count */
			canvas_blank(c, r.row, r.col, r.cols);
		canvas_restyle(c, r.row, r.col, r.cols, ROLE_text | S_REVERSE);
	}
}

/* A frame around the selected cells, drawn over their neighbours and the axes. */
static void draw_rectangle(const struct heatmap *m, struct canvas *c)
{
	const struct plot *p = &m->plot;
	struct rect from, to, old;
	u64 first, last;
	int top_line, bottom_line, s0, s1, top, left, bottom, right;

	heatmap_selection(m, &first, &last, &top_line, &bottom_line);
	for (s0 = 0; s0 < p->n_slots && p->slots[s0].seq < first; s0++)
		;
	for (s1 = p->n_slots - 1; s1 >= 0 && p->slots[s1].seq > last; s1--)
		;
	if (s0 > s1)
		return;
	from = plot_cell(p, s0, p->swapped ? bottom_line : top_line);
	to = plot_cell(p, s1, p->swapped ? top_line : bottom_line);
	top = from.row - 1;
	left = from.col - 1;
	bottom = to.row + 1;
	right = to.col + to.cols;
	old = canvas_clip(c, (struct rect){ p->area.row - 1, p->area.col - 1,
					    p->area.rows + 2, p->area.cols + 2 });
	for (int col = left + 1; col < right; col++) {
		canvas_text(c, top, col, 1, ROLE_accent, "─");
		canvas_text(c, bottom, col, 1, ROLE_accent, "─");
	}
	for (int row = top + 1; row < bottom; row++) {
		canvas_text(c, row, left, 1, ROLE_accent, "│");
		canvas_text(c, row, right, 1, ROLE_accent, "│");
	}
	canvas_text(c, top, left, 1, ROLE_accent, "┌");
	canvas_text(c, top, right, 1, ROLE_accent, "┐");
	canvas_text(c, bottom, left, 1, ROLE_accent, "└");
	canvas_text(c, bottom, right, 1, ROLE_accent, "┘");
	canvas_clip(c, old);
}

void heatmap_draw_plot(struct app *a, const struct heatmap *m, struct canvas *c)
{
	draw_cells(m, c);
	if (m->swapped) {
		latency_axis_below(m, c);
		time_axis_beside(a, m, c);
	} else {
		latency_axis(m, c);
		time_axis(a, m, c);
	}
	if (m->rect)
		draw_rectangle(m, c);
	if (!m->passive)
		draw_cursor(m, c);
}
