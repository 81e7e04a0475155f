// SPDX-License-Identifier: GPL-2.0-or-later
/* heatmap.c: latency over time, colour = count; cursor, rectangle, list of calls. Tabs 7, 6. */
#include <stdio.h>
#include <string.h>

#include "tui/app/app_state.h"
#include "tui/views/heatmap.h"

#define BELOW_LINES 5		/* of the list under the plot: rule, titles, three calls */
#define BELOW_FROM 16		/* lines of the body from which there is room for it */
#define CELL_LINES 2		/* below that: the selection, its first calls */
#define BESIDE_FROM 160		/* columns from which the list is at the right */
#define BESIDE_COLS 44
#define TALL_FROM 28		/* lines of the body from which a cell shows two halves of its band */

/* ---- selection ------------------------------------------------------------------ */

u64 heatmap_cursor_seq(const struct heatmap *m)
{
	return m->cursor_seq ? m->cursor_seq : m->end_seq;
}

/* Until moved, the cursor is on the slowest calls of its tick. */
int heatmap_cursor_line(const struct heatmap *m)
{
	const struct heat_column *col;

	if (m->cursor_moved)
		return plot_line_of(&m->plot, m->cursor_bucket);
	col = heat_find(&m->heat, heatmap_cursor_seq(m));
	return plot_line_of(&m->plot, col ? heat_highest(col) : HEAT_ZERO);
}

void heatmap_selection(const struct heatmap *m, u64 *ret_first, u64 *ret_last,
		       int *ret_top_line, int *ret_bottom_line)
{
	u64 seq = heatmap_cursor_seq(m), other = m->rect ? m->anchor_seq : seq;
	int line = heatmap_cursor_line(m);
	int other_line = m->rect ? plot_line_of(&m->plot, m->anchor_bucket) : line;

	*ret_first = min(seq, other);
	*ret_last = max(seq, other);
	*ret_top_line = min(line, other_line);
	*ret_bottom_line = max(line, other_line);
}

const struct heat_parts *heatmap_list(const struct heatmap *m)
{
	return m->by == HEAT_BY_WHAT ? &m->by_what :
	       m->by == HEAT_BY_PROCESS ? &m->by_process : &m->found;
}

void heatmap_find(struct app *a, struct heatmap *m)
{
	struct heat_range range;
	int top_line, bottom_line;

	heatmap_selection(m, &range.first_seq, &range.last_seq, &top_line, &bottom_line);
	range.low = plot_line_low(&m->plot, bottom_line);
	range.end = plot_line_end(&m->plot, top_line);
	if (!m->stale && !memcmp(&range, &m->range, sizeof(range)))
		return;
	m->range = range;
	m->stale = false;
	heat_parts_find(&m->found, &m->heat, app_history(a), &range);
	heat_parts_group(&m->found, HEAT_BY_WHAT, &m->by_what);
	heat_parts_group(&m->found, HEAT_BY_PROCESS, &m->by_process);
}

void heatmap_clear(struct heatmap *m)
{
	m->rect = m->frozen = m->in_list = m->cursor_moved = m->top_pinned = false;
	m->cursor_seq = m->right_seq = 0;
	m->list_at = m->below = 0;
	m->top = 0;	/* to be chosen again */
	m->stale = true;
}

/* ---- view ---------------------------------------------------------------------------- */

void heatmap_update_row(struct app *a, struct heatmap *m, const struct heat_source *src, u64 pid, u64 start_time_ns,
			const struct row *row)
{
	const struct snapshot *s = app_snapshot(a);
	struct heat_filter f = { .source = src, .pid = pid, .start_time_ns = start_time_ns, .waits = m->waits };

	m->source = src;
	/* Rows summed by process belong to no single call. */
	f.one = row && row->table == src->table && heat_what(src, row, &f.what);
	if (!heat_filter_equal(&f, &m->filter)) {
		m->filter = f;
		heat_set_filter(&m->heat, &f);
		/* keys before the next frame still use its layout, but its columns are gone */
		for (int i = 0; i < m->plot.n_slots; i++)
			m->plot.slots[i].column = NULL;
		heatmap_clear(m);
		m->top = 0;
	}
	if (s && !m->frozen) {
		m->stale |= m->end_seq != s->seq && !m->cursor_seq;
		m->end_seq = s->seq;
		/* After a step back the cursor may be in the future. */
		if (m->cursor_seq > m->end_seq)
			m->cursor_seq = 0;
	}
}

void heatmap_update(struct app *a, struct heatmap *m, const struct heat_source *src)
{
	const struct context *ctx = app_context(a);

	heatmap_update_row(a, m, src, ctx->pid, ctx->start_time_ns, ctx->row);
}

void heatmap_view_update(struct app *a, void *state)
{
	heatmap_update(a, state, app_view(a)->map);
}

void heatmap_fini(void *state)
{
	struct heatmap *m = state;

	heat_free(&m->heat);
	heat_parts_free(&m->found);
	heat_parts_free(&m->by_what);
	heat_parts_free(&m->by_process);
}

void heatmap_draw_passive(struct app *a, struct heatmap *m, struct canvas *c, struct rect r)
{
	struct rect plot = { r.row, r.col + 8, r.rows - 2, r.cols - 16 };

	m->passive = true;
	if (!history_len(app_history(a)) || plot.rows < PLOT_MIN_SPACE || plot.cols < PLOT_MIN_SPACE)
		return;
	plot_lay_out(a, m, plot, canvas_fills(c) && !canvas_ascii(c), false);
	heatmap_draw_plot(a, m, c);
}

void heatmap_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct heatmap *m = state;
	bool beside = body.cols >= BESIDE_FROM;
	/* Independent of the selection, so that the picture does not jump. */
	int below = beside ? 0 : body.rows >= BELOW_FROM ? BELOW_LINES : CELL_LINES;
	struct rect plot = { body.row, body.col + 8, body.rows - 2 - below,
			     body.cols - 16 - (beside ? BESIDE_COLS : 0) };

	if (!history_len(app_history(a)) || app_draw_state(a, c, body, m->source->table))
		return;
	if (plot.rows < PLOT_MIN_SPACE) {	/* the list is dropped before the picture */
		plot.rows += below;
		below = 0;
	}
	if (plot.rows < PLOT_MIN_SPACE || plot.cols < PLOT_MIN_SPACE)
		return;
	plot_lay_out(a, m, plot, canvas_fills(c) && !canvas_ascii(c), body.rows >= TALL_FROM);
	heatmap_find(a, m);
	heatmap_draw_plot(a, m, c);
	if (beside)
		heatmap_panel_beside(a, m, c, (struct rect){
			body.row, body.col + body.cols - BESIDE_COLS, body.rows, BESIDE_COLS });
	else if (below)
		heatmap_panel_below(a, m, c, (struct rect){
			plot.row + plot.rows + 2, body.col, below, body.cols });
}

static const char *band_words(int width)
{
	switch (width) {
	case 1:
		return "1/8 octave";
	case 2:
		return "1/4 octave";
	case 4:
		return "1/2 octave";
	case 16:
		return "2 octaves";
	default:
		return "1 octave";
	}
}

/* Parts that do not fit beside the breadcrumb are not drawn: only the most important. */
void heatmap_status(struct app *a, void *state, char *buf, size_t cap)
{
	const struct heatmap *m = state;
	const struct plot *p = &m->plot;
	u64 window = p->n_slots ? p->slots[p->n_slots - 1].time_ns - p->slots[0].time_ns : 0;
	char text[FORMAT_MAX], bands[32] = "";

	if (!m->source)		/* no data yet */
		return;
	if (p->n_slots)
		window += history_interval_ns(app_history(a), history_len(app_history(a)) - 1);
	if (m->width || p->max_slots > 70)
		snprintf(bands, sizeof(bands), "   bands %s", band_words(p->width));
	snprintf(buf, cap, "%s%s%s   colour %s%s%s",
		 m->frozen ? "frozen   " : m->right_seq ? "scrolled   " : "",
		 format_age(text, window),
		 m->filter.one || !m->source->waits ? "" : m->waits ? "   waits shown" : "   waits hidden",
		 m->linear ? "linear" : "log", bands, p->merged ? "   = merged" : "");
}

bool heatmap_note(struct app *a, void *state, char *buf, size_t cap)
{
	const struct heatmap *m = state;

	if (m->in_list)
		snprintf(buf, cap, "%u in the list · Enter: that process · Esc: back to the map",
			 heatmap_list(m)->n);
	else if (m->rect)
		snprintf(buf, cap,
			 "move the corner, Enter: these %ss, Esc: clear · collection goes on", m->source->noun);
	else
		return false;
	return true;
}

const struct view latencies_view = {
	.name = "latencies", .digit = '6', .tab = "HTTP", .tab_wide = "HTTP", .faces = "heatmap",
	.about = "latencies of HTTP requests over time",
	.needs = TABLE_BIT(TABLE_http) | TABLE_BIT(TABLE_requests),
	.hints = "left rect open explain more_bands colour axes cancel",
	.hints_wide = "left rect open explain more_bands colour axes group cancel pause step_back write",
	.legend = "y\tlatency; a label is the lower edge of its line\n"
		  "x\tone column a tick, newest at the right; = merged ticks\n"
		  "colour\trequests that were answered then and took that long\n"
		  "~\testimated from the middle of the buckets\n",
	HEATMAP_VIEW(&heat_of_http),
};

const struct view heatmap_view = {
	.name = "heatmap", .digit = '7', .tab = "Sys", .tab_wide = "Syscalls", .faces = "heatmap",
	.about = "latencies of system calls over time",
	.flags = VIEW_SCOPED,
	.needs = TABLE_BIT(TABLE_syscalls),
	.hints = "left rect open explain more_bands colour axes waits cancel",
	.hints_wide = "left rect open explain more_bands colour axes waits group cancel pause "
		      "step_back write",
	.legend = "y\tlatency; a label is the lower edge of its line\n"
		  "x\tone column a tick, newest at the right; = merged ticks\n"
		  "colour\tcalls that returned then and took that long\n"
		  "?\tnot observed in that tick: latencies are measured while this tab is open\n"
		  "~\testimated from the middle of the buckets\n"
		  "right\tcalls of the line in the whole window\n",
	HEATMAP_VIEW(&heat_of_syscalls),
};
