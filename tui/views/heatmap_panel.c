// SPDX-License-Identifier: GPL-2.0-or-later
/* heatmap_panel.c: the calls in the selected cells: operation, process, count, time. */
#include <stdio.h>
#include <string.h>

#include "tui/views/heatmap.h"

/* ---- texts ---------------------------------------------------------------------- */

/* "62.5ms to 125ms", "under 244us"; "from 62.5ms": the first line has slower calls too. */
static void latency_words(const struct plot *p, int top_line, int bottom_line, char *buf,
			  size_t cap)
{
	int low = plot_line_low(p, bottom_line), end = plot_line_end(p, top_line);
	char from[FORMAT_MAX], to[FORMAT_MAX];

	format_ns(from, hist_lower_ns(max(low, 0)));
	format_ns(to, hist_lower_ns(min(end, (p->top + 1) * p->width)));
	if (low <= HEAT_ZERO)
		snprintf(buf, cap, "under %s", to);
	else if (top_line == 0 && plot_highest(p) / p->width > p->top)
		snprintf(buf, cap, "from %s", from);
	else
		snprintf(buf, cap, "%s to %s", from, to);
}

static void clock_of(struct app *a, u64 time_ns, char buf[FORMAT_MAX])
{
	const struct snapshot *s = app_snapshot(a);

	format_clock(buf, time_ns, s ? s->unix_offset_ns : 0, false);
}

static u64 seq_time(const struct plot *p, u64 seq)
{
	int s = plot_last_slot(p, seq);

	return s < 0 ? 0 : p->slots[s].time_ns;
}

static void time_words(struct app *a, const struct heatmap *m, u64 first, u64 last,
		       char *buf, size_t cap)
{
	char from[FORMAT_MAX], to[FORMAT_MAX];
	u64 first_ns = seq_time(&m->plot, first), last_ns = seq_time(&m->plot, last);

	if (!first_ns || !last_ns) {
		snprintf(buf, cap, " in a tick that is not kept any more");
		return;
	}
	clock_of(a, first_ns, from);
	clock_of(a, last_ns, to);
	if (first == last)
		snprintf(buf, cap, " at %s", from);
	else
		snprintf(buf, cap, ", %s to %s", from, to);
}

/* "~1.20s": an estimate. */
static void time_inside(double ns, bool exact, char *buf, size_t cap)
{
	char text[FORMAT_MAX];

	snprintf(buf, cap, "%s%s", exact ? "" : "~", format_ns(text, ns));
}

static void who(const struct heat_part *part, char *buf, size_t cap)
{
	snprintf(buf, cap, "%s %s %llu", part->id.name, part->id.comm,
		 (unsigned long long)part->id.pid);
}

void heatmap_top_calls(const struct heatmap *m, u32 limit, char *buf, size_t cap)
{
	buf[0] = '\0';
	for (u32 i = 0; i < min(m->found.n, limit); i++) {
		char count[FORMAT_MAX], name[128];

		who(&m->found.parts[i], name, sizeof(name));
		text_add(buf, cap, ", ", "%s %s", format_count(count, (double)m->found.parts[i].count), name);
	}
	if (m->found.n > limit)
		text_add(buf, cap, ", ", "%u more", m->found.n - limit);
}

/* Number of selected ticks, and how many of them were not observed. */
static u32 count_ticks(const struct heatmap *m, u64 first, u64 last, u32 *ret_unobserved)
{
	u32 n = 0;

	*ret_unobserved = 0;
	for (u32 i = 0; i < m->heat.n; i++) {
		const struct heat_column *col = &m->heat.columns[i];

		if (col->seq < first || col->seq > last)
			continue;
		n++;
		*ret_unobserved += !col->hist;
	}
	return n;
}

/* ", observing began at 16:42:09", if the selection is earlier; "" if unknown. */
static void began_words(struct app *a, const struct heatmap *m, u64 last, char *buf, size_t cap)
{
	char clock[FORMAT_MAX];

	*buf = '\0';
	for (u32 i = 0; i < m->heat.n; i++) {
		const struct heat_column *col = &m->heat.columns[i];

		if (col->seq <= last || !col->hist)
			continue;
		clock_of(a, col->time_ns - col->interval_ns, clock);
		snprintf(buf, cap, ", observing began at %s", clock);
		return;
	}
}

void heatmap_absence(struct app *a, const struct heatmap *m, char *buf, size_t cap)
{
	const char *noun = m->source->noun, *where = m->rect ? "rectangle" : "cell";
	int top_line, bottom_line;
	char began[FORMAT_MAX + 32];
	u32 ticks, unobserved;
	u64 first, last;

	heatmap_selection(m, &first, &last, &top_line, &bottom_line);
	ticks = count_ticks(m, first, last, &unobserved);
	began_words(a, m, last, began, sizeof(began));
	if (!ticks)
		snprintf(buf, cap, "that tick is not kept any more");
	else if (unobserved == ticks)
		snprintf(buf, cap, "not observed then%s", began);
	else if (unobserved)
		snprintf(buf, cap, "no %ss in this %s, but %u of its %u ticks were not observed", noun, where,
			 unobserved, ticks);
	else
		snprintf(buf, cap, "no %ss in this %s", noun, where);
}

void heatmap_describe(struct app *a, const struct heatmap *m, char *buf, size_t cap)
{
	char latency[112], when[112], count[FORMAT_MAX], of[FORMAT_MAX], inside[FORMAT_MAX + 2];
	int top_line, bottom_line;
	u32 ticks, unobserved;
	u64 first, last;
	char missing[48] = "", began[FORMAT_MAX + 32];

	heatmap_selection(m, &first, &last, &top_line, &bottom_line);
	latency_words(&m->plot, top_line, bottom_line, latency, sizeof(latency));
	time_words(a, m, first, last, when, sizeof(when));
	ticks = count_ticks(m, first, last, &unobserved);
	if (ticks && unobserved == ticks) {
		began_words(a, m, last, began, sizeof(began));
		snprintf(buf, cap, "%s%s: not observed%s", latency, when, began);
		return;
	}
	if (unobserved)
		snprintf(missing, sizeof(missing), ", %u of %u tick%s not observed", unobserved, ticks,
			 text_plural(ticks, "s"));
	format_count(count, (double)m->found.count);
	format_count(of, (double)m->found.of);
	time_inside(m->found.time_ns, m->found.time_exact, inside, sizeof(inside));
	snprintf(buf, cap, "%s%s%s: %s of %s %s%s, %s inside%s", latency, when, missing, count, of, m->source->noun,
		 text_plural(m->found.of, "s"), inside,
		 m->found.merged ? " (ticks were merged)" : "");
}

/* ---- lists ------------------------------------------------------------------------ */

struct list_columns {
	bool call, process, slowest;
	int call_width, comm_width;
};

/* Draws numeric columns of width n from the left, right-aligned with their titles. */
static int list_numbers(struct canvas *c, int row, int col, const struct heatmap *m,
			const struct heat_part *part)
{
	char text[FORMAT_MAX + 2];
	double share = m->found.count ? 100.0 * (double)part->count / (double)m->found.count : 0;

	canvas_right(c, row, col, 5, ROLE_text, format_count(text, (double)part->count));
	snprintf(text, sizeof(text), "%.1f%%", share);
	canvas_right(c, row, col + 6, 6, ROLE_text, text);
	time_inside(part->time_ns, part->time_exact, text, sizeof(text));
	canvas_right(c, row, col + 13, 7, ROLE_text, text);
	return 20;
}

static void list_title(const struct heatmap *m, struct canvas *c, int row, int col, const struct list_columns *lc)
{
	if (lc->call) {
		canvas_text(c, row, col + 1, lc->call_width, ROLE_dim, m->source->title);
		col += 1 + lc->call_width;
	}
	if (!lc->call && lc->process) {
		canvas_text(c, row, col + 1, -1, ROLE_dim, "PROCESS");
		col += 9 + lc->comm_width;
	}
	canvas_right(c, row, col, 5, ROLE_dim, "n");
	canvas_right(c, row, col + 6, 6, ROLE_dim, "share");
	canvas_right(c, row, col + 13, 7, ROLE_dim, "time");
	col += 20;
	if (lc->call && lc->process) {
		canvas_right(c, row, col, 8, ROLE_dim, "PID");
		canvas_text(c, row, col + 9, -1, ROLE_dim, "COMM");
		col += 9 + lc->comm_width;
	}
	if (lc->slowest)
		canvas_text(c, row, col + 1, -1, ROLE_dim, "slowest  at");
}

static int list_process(struct canvas *c, int row, int col, const struct list_columns *lc,
			const struct heat_part *part)
{
	char text[FORMAT_MAX];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)part->id.pid);
	canvas_right(c, row, col, 8, ROLE_text, text);
	canvas_cut(c, row, col + 9, lc->comm_width, ROLE_text, part->id.comm);
	return 9 + lc->comm_width;
}

static void list_slowest(struct app *a, struct canvas *c, int row, int col,
			 const struct heat_part *part)
{
	char text[FORMAT_MAX + 2];

	time_inside((double)part->slowest_ns, part->slowest_exact, text, sizeof(text));
	canvas_right(c, row, col, 7, ROLE_text, text);
	clock_of(a, part->slowest_at_ns, text);
	canvas_text(c, row, col + 9, -1, ROLE_dim, text);
}

static void list_line(struct app *a, const struct heatmap *m, struct canvas *c, int row, int col,
		      const struct list_columns *lc, const struct heat_part *part)
{
	int x = col;

	if (lc->call) {
		canvas_cut(c, row, x + 1, lc->call_width - 1, ROLE_text, part->id.name);
		x += 1 + lc->call_width;
	} else {
		x += list_process(c, row, x - 1, lc, part);
	}
	x += list_numbers(c, row, x, m, part);
	if (lc->call && lc->process)
		x += list_process(c, row, x, lc, part);
	if (lc->slowest)
		list_slowest(a, c, row, x + 1, part);
}

static void draw_list(struct app *a, const struct heatmap *m, struct canvas *c, struct rect r,
		      const struct list_columns *lc, const struct heat_parts *parts, bool focus)
{
	bool title = r.rows > 1 && parts->n;
	u32 rows = (u32)max(r.rows - title, 0), at = min(m->list_at, parts->n - min(parts->n, 1u));
	u32 top = focus && at >= rows ? at - rows + 1 : 0;

	if (title)
		list_title(m, c, r.row, r.col, lc);
	for (u32 i = 0; i < rows && top + i < parts->n; i++) {
		int row = r.row + title + (int)i;

		list_line(a, m, c, row, r.col, lc, &parts->parts[top + i]);
		if (!focus || top + i != at)
			continue;
		canvas_restyle(c, row, r.col, r.cols, ROLE_selection);
		canvas_text(c, row, r.col, 1, ROLE_selection, "▌");
	}
}

/* ---- panels ------------------------------------------------------------------------ */

void heatmap_panel_below(struct app *a, const struct heatmap *m, struct canvas *c, struct rect r)
{
	struct list_columns lc = {
		.call = m->by != HEAT_BY_PROCESS, .process = m->by != HEAT_BY_WHAT,
		.slowest = r.cols >= 70, .call_width = 16,
		.comm_width = min(max(r.cols - 70, 9), 15),
	};
	char text[400];

	heatmap_describe(a, m, text, sizeof(text));
	if (r.rows > 2)
		canvas_rule(c, r.row, r.col, r.cols, text);
	else
		canvas_cut(c, r.row, r.col + 1, r.cols - 1, ROLE_text, text);
	rect_top(&r, 1);
	if (r.rows < 2 && !m->in_list) {	/* no room for the list */
		heatmap_top_calls(m, 6, text, sizeof(text));
		canvas_cut(c, r.row, r.col + 1, r.cols - 1, ROLE_dim, text);
		return;
	}
	draw_list(a, m, c, r, &lc, heatmap_list(m), m->in_list);
}

/* The slowest calls, slowest first. */
static void draw_slowest(struct app *a, const struct heatmap *m, struct canvas *c, struct rect r)
{
	u64 before = UINT64_MAX;

	canvas_text(c, r.row, r.col + 1, -1, ROLE_dim, "SLOWEST");
	for (int line = 1; line < r.rows; line++) {
		const struct heat_part *best = NULL;
		char name[128];

		for (u32 i = 0; i < m->found.n; i++)
			if (m->found.parts[i].slowest_ns < before &&
			    (!best || m->found.parts[i].slowest_ns > best->slowest_ns))
				best = &m->found.parts[i];
		if (!best)
			return;
		before = best->slowest_ns;
		list_slowest(a, c, r.row + line, r.col, best);
		who(best, name, sizeof(name));
		canvas_cut(c, r.row + line, r.col + 18, r.cols - 18, ROLE_text, name);
	}
}

/* Two lines of text, broken between words. */
static void draw_words(struct canvas *c, struct rect r, const char *text)
{
	char line[256];
	size_t n = strlen(text);

	for (int i = 0; i < r.rows && *text; i++, n = strlen(text)) {
		if (i + 1 < r.rows && n > (size_t)r.cols) {
			for (n = (size_t)r.cols; n > 1 && text[n] != ' '; n--)
				;
		}
		snprintf(line, sizeof(line), "%.*s", (int)min(n, sizeof(line) - 1), text);
		canvas_cut(c, r.row + i, r.col, r.cols, ROLE_text, line);
		text += n;
		text += strspn(text, " ");
	}
}

void heatmap_panel_beside(struct app *a, const struct heatmap *m, struct canvas *c, struct rect r)
{
	struct list_columns calls = { .call = true, .call_width = 17 };
	struct list_columns processes = { .process = true, .comm_width = 9 };
	int slow = 9, list = max(min((r.rows - 4 - slow - 2) / 2, 14), 3), row = r.row;
	char text[256];

	snprintf(text, sizeof(text), "%ss in %s", m->source->noun, m->rect ? "the rectangle" : "this cell");
	canvas_rule(c, row, r.col, r.cols, text);
	heatmap_describe(a, m, text, sizeof(text));
	draw_words(c, (struct rect){ row + 1, r.col + 1, 2, r.cols - 1 }, text);
	row += 4;
	draw_list(a, m, c, (struct rect){ row, r.col, list, r.cols }, &calls, &m->by_what,
		  m->in_list && m->by == HEAT_BY_WHAT);
	row += list + 1;
	draw_list(a, m, c, (struct rect){ row, r.col, list, r.cols }, &processes, &m->by_process,
		  m->in_list && m->by != HEAT_BY_WHAT);
	row += list + 1;
	draw_slowest(a, m, c, (struct rect){ row, r.col, slow, r.cols });
}
