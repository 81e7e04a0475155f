// SPDX-License-Identifier: GPL-2.0-or-later
/* heatmap_plot.c: the tick and latencies of each cell. */
#include <stdlib.h>
#include <string.h>

#include "tui/views/heatmap.h"

#define MAX_STEPS 16		/* maximum width of a merged tick */
#define LEAST_OCTAVES 4		/* minimum shown, however fast all calls are */
#define FINEST 2		/* buckets a line, by default */
#define OCTAVE (1 << HIST_SCALE)
/* Then the remaining columns wait for the next frame. */
#define FRAME_BUDGET_NS (60 * NSEC_PER_MSEC)

/* ---- time -------------------------------------------------------------------- */

/* Duration of a step: the usual length of the newest ticks, which are never merged. */
static u64 step_ns(const struct history *h)
{
	u64 intervals[15];
	u32 len = history_len(h), n = min(len, (u32)ARRAY_SIZE(intervals));

	for (u32 i = 0; i < n; i++)
		intervals[i] = history_interval_ns(h, len - 1 - i);
	qsort(intervals, n, sizeof(*intervals), u64_order);
	return n ? max(intervals[n / 2], 1ull) : NSEC_PER_SEC;
}

static u32 tick_steps(const struct history *h, u32 i, u64 step)
{
	u64 n = (history_interval_ns(h, i) + step / 2) / step;

	return (u32)max(min(n, (u64)MAX_STEPS), 1ull);
}

/* The last tick up to `end` that fits if ticks from `first` on have this many cells. */
static int fit_forward(const struct history *h, u64 step, int first, int end, int cells)
{
	int i = first;

	for (; i <= end; i++) {
		cells -= (int)tick_steps(h, (u32)i, step);
		if (cells < 0)
			break;
	}
	return max(i - 1, min(first, end));
}

/* The first tick visible, even partly, if `right` is the last. */
static int fit_back(const struct history *h, u64 step, int right, int cells)
{
	int i = right;

	for (; i > 0 && cells > 0; i--)
		cells -= (int)tick_steps(h, (u32)i, step);
	return cells > 0 ? i : i + 1;
}

/* Index of the rightmost tick: the end, or the scroll position. */
static int right_index(struct heatmap *m, struct history *h, u64 step)
{
	int end = history_find(h, m->end_seq), room = m->plot.max_slots;
	int cursor = m->cursor_seq ? history_find(h, m->cursor_seq) : -1;
	int right = m->right_seq ? min(history_find(h, m->right_seq), end) : end;

	if (cursor < 0)
		return right;
	/* The cursor left the window: scroll it to a quarter of the width from the edge. */
	if (cursor > right)
		right = fit_forward(h, step, cursor, end, room / 4);
	else if (cursor < fit_back(h, step, right, room))
		right = fit_forward(h, step, cursor, end, room * 3 / 4);
	right = max(right, fit_forward(h, step, 0, end, room));
	m->right_seq = right == end ? 0 : history_seq(h, (u32)right);
	return right;
}

static void add_slots(struct plot *p, struct history *h, u32 i, u32 steps, int *at)
{
	u64 end_ns = history_time_ns(h, i), part_ns = history_interval_ns(h, i) / steps;

	for (u32 k = 0; k < steps && *at > 0; k++)
		p->slots[--*at] = (struct slot){
			.seq = history_seq(h, i), .steps = steps, .time_ns = end_ns - k * part_ns,
		};
	p->merged |= steps > 1;
}

static void take_columns(struct heatmap *m)
{
	for (int s = 0; s < m->plot.n_slots; s++)
		m->plot.slots[s].column = heat_find(&m->heat, m->plot.slots[s].seq);
}

void plot_need_cursor(struct app *a, struct heatmap *m)
{
	struct history *h = app_history(a);
	int i = history_find(h, heatmap_cursor_seq(m));

	if (i < 0)
		return;
	heat_need(&m->heat, h, app_snapshot(a), (u32)i, (u32)i, 0);
	take_columns(m);
}

static void lay_out_time(struct app *a, struct heatmap *m)
{
	struct history *h = app_history(a);
	struct plot *p = &m->plot;
	u64 step = step_ns(h);
	int right = right_index(m, h, step), at = p->max_slots, i;

	p->merged = false;
	for (i = right; i >= 0 && at > 0; i--)
		add_slots(p, h, (u32)i, tick_steps(h, (u32)i, step), &at);
	p->n_slots = p->max_slots - at;
	memmove(p->slots, p->slots + at, (size_t)p->n_slots * sizeof(*p->slots));
	if (right < 0)
		return;
	m->stale |= m->pending;	/* the last frame's result was incomplete */
	m->pending = !heat_need(&m->heat, h, app_snapshot(a), (u32)(i + 1), (u32)right,
				FRAME_BUDGET_NS);
	if (m->pending)
		app_again(a);
	take_columns(m);
}

/* ---- latency ------------------------------------------------------------------- */

int plot_highest(const struct plot *p)
{
	int highest = FIRST_BUCKET + LEAST_OCTAVES * OCTAVE - 1;

	for (int s = 0; s < p->n_slots; s++)
		if (p->slots[s].column)
			highest = max(highest, heat_highest(p->slots[s].column));
	return highest;
}

static bool fits(int highest, int width, int lines)
{
	return (highest - FIRST_BUCKET) / width < lines;
}

/* During a selection the axis does not move: line 0 includes what is slower. */
static bool holds_still(const struct heatmap *m)
{
	return m->top > 0 && (m->frozen || m->cursor_moved);
}

/*
 * Bands as fine as the space allows, from 1 us to the slowest call. Coarsens at once for a slower
 * call; refines only with an octave to spare and never during a selection, so that the picture is
 * stable.
 */
static int choose_width(struct heatmap *m, int lines)
{
	int highest = plot_highest(&m->plot), slack, width = OCTAVE;

	if (m->width || m->swapped)
		return m->width ? m->width : width;
	if (m->auto_width && (holds_still(m) || m->top_pinned))
		return m->auto_width;
	while (width > FINEST) {
		slack = m->auto_width && width / 2 < m->auto_width ? OCTAVE : 0;
		if (!fits(highest + slack, width / 2, lines))
			break;
		width /= 2;
	}
	if (width != m->auto_width)
		m->top = 0;
	return m->auto_width = width;
}

/*
 * The top follows the slowest call up at once, but down only by a large step. The lowest line is
 * that of 1 us, or where the user scrolled below it: lines come and go at the top, the others keep
 * their place.
 */
static void lay_out_lines(struct heatmap *m, int lines)
{
	struct plot *p = &m->plot;
	int need = plot_highest(p) / p->width;
	int lowest = max(FIRST_BUCKET - m->below, 0) / p->width;

	p->top = m->top / p->width;
	if (!m->top_pinned && !holds_still(m) && (need > p->top || p->top - need >= 2))
		p->top = need;
	if (m->top_pinned)	/* more lines fit than before: no blank ones */
		p->top = max(p->top, min(lowest + lines - 1, need));
	p->top = max(min(p->top, (HIST_BUCKETS - 1) / p->width), lowest + 1);
	m->top = p->top * p->width;
	p->max_lines = lines;
	p->n_lines = min(p->top - lowest + 1, lines);
}

static void find_most(struct plot *p)
{
	p->most = 0;
	for (int s = 0; s < p->n_slots; s++) {
		const struct slot *slot = &p->slots[s];

		for (int l = 0; slot->column && l < p->n_lines; l++) {
			int low = plot_line_low(p, l), end = plot_line_end(p, l);
			u64 count = heat_count(slot->column, low, end);

			p->most = max(p->most, count / slot->steps);
		}
	}
}

void plot_lay_out(struct app *a, struct heatmap *m, struct rect r, bool fills, bool tall)
{
	struct plot *p = &m->plot;

	int lines;

	/* the first row is for the upper edge of a rectangle */
	p->area = (struct rect){ r.row + 1, r.col, r.rows - 1, r.cols };
	p->swapped = m->swapped;
	p->max_slots = min(p->swapped ? p->area.rows : r.cols, PLOT_MAX_SLOTS);
	lay_out_time(a, m);
	p->width = choose_width(m, p->area.rows);
	p->pairs = fills && tall && p->width > 1 && !p->swapped;
	p->line_cells = p->swapped ? max(min(p->width / 2, 6), 1) : 1;
	lines = p->swapped ? r.cols / p->line_cells : p->area.rows;
	lay_out_lines(m, max(min(lines, HIST_BUCKETS / p->width), 1));
	if (!p->swapped) {
		p->area.row += p->area.rows - p->n_lines;
		p->area.rows = p->n_lines;
	}
	find_most(p);
}

int plot_line_low(const struct plot *p, int line)
{
	return line == p->n_lines - 1 ? HEAT_ZERO : (p->top - line) * p->width;
}

int plot_line_end(const struct plot *p, int line)
{
	return line == 0 ? HIST_BUCKETS : (p->top - line + 1) * p->width;
}

int plot_line_of(const struct plot *p, int bucket)
{
	int band = bucket < 0 ? -1 : bucket / p->width;

	return max(min(p->top - band, p->n_lines - 1), 0);
}

/* ---- layout ---------------------------------------------------------------------- */

struct rect plot_cell(const struct plot *p, int slot, int line)
{
	int right = p->max_slots - p->n_slots;	/* the newest is at the far end */

	if (!p->swapped)
		return (struct rect){ p->area.row + line, p->area.col + right + slot, 1, 1 };
	return (struct rect){
		p->area.row + right + slot,
		p->area.col + (p->n_lines - 1 - line) * p->line_cells, 1, p->line_cells
	};
}

int plot_last_slot(const struct plot *p, u64 seq)
{
	for (int s = p->n_slots - 1; s >= 0; s--)
		if (p->slots[s].seq == seq)
			return s;
	return -1;
}

u64 plot_count(const struct plot *p, int low, int end)
{
	u64 count = 0;

	for (int s = 0; s < p->n_slots; s++)
		if (p->slots[s].column && (!s || p->slots[s].seq != p->slots[s - 1].seq))
			count += heat_count(p->slots[s].column, low, end);
	return count;
}

u64 plot_line_count(const struct plot *p, int line)
{
	return plot_count(p, plot_line_low(p, line), plot_line_end(p, line));
}
