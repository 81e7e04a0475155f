// SPDX-License-Identifier: GPL-2.0-or-later
/* graph.c: sparklines, bars and heat rows. */
#include "tui/term/graph.h"

static const char *const spark[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const eighth[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };

#define HIST_LEFT_NS 1e3	/* 1 us */
#define HIST_RIGHT_NS 1e10	/* 10 s */

int graph_level(float value, float top)
{
	int level;

	if (!f32_known(value))
		return 0;
	if (value <= 0 || top <= 0)
		return 1;
	level = (int)ceilf(value / top * 8);
	return max(min(level, 8), 1);
}

void graph_levels(struct canvas *c, int row, int col, u32 style, const u8 *levels, int n)
{
	for (int i = 0; i < n; i++)
		canvas_text(c, row, col + i, 1, style, spark[min(levels[i], 8)]);
}

void graph_spark(struct canvas *c, int row, int col, int width, u32 style,
		 const float *values, int n, float top)
{
	int first = max(n - width, 0);

	for (int i = first; top <= 0 && i < n; i++)
		if (f32_known(values[i]) && values[i] > -top)
			top = -values[i];
	top = fabsf(top);
	for (int i = first; i < n; i++)
		canvas_text(c, row, col + width - n + i, 1, style,
			    spark[graph_level(values[i], top)]);
}

void graph_bar(struct canvas *c, int row, int col, int width, u32 style, double value, double top)
{
	double share = top > 0 ? value / top : 0;
	int eighths;

	if (!(share > 0))
		return;
	eighths = (int)(min(share, 1.0) * width * 8 + 0.5);
	eighths = max(eighths, 1);
	if (canvas_ascii(c)) {
		canvas_repeat(c, row, col, max((eighths + 4) / 8, 1), style, "#");
		return;
	}
	canvas_repeat(c, row, col, eighths / 8, style, "█");
	if (eighths % 8)
		canvas_text(c, row, col + eighths / 8, 1, style, eighth[eighths % 8]);
}

int graph_heat_step(u64 count, u64 most, bool log_scale)
{
	double share;

	if (!count)
		return 0;
	if (count >= most)
		return HEAT_STEPS;
	share = log_scale ? log2((double)count + 1) / log2((double)most + 1)
			  : (double)count / (double)most;
	return max(min((int)ceil(share * HEAT_STEPS), HEAT_STEPS), 1);
}

void graph_hist_row(struct canvas *c, int row, int col, int width, const struct hist *h)
{
	u64 cells[256] = { 0 }, most = 0;

	width = min(width, (int)ARRAY_SIZE(cells));
	if (!h || width <= 0)
		return;
	for (u32 k = 0; k < h->n; k++) {
		double ns = hist_upper_ns((int)k + h->offset - HIST_UNIT_OFFSET);
		double at = log(ns / HIST_LEFT_NS) / log(HIST_RIGHT_NS / HIST_LEFT_NS);
		int i = max(min((int)(at * width), width - 1), 0);

		cells[i] += h->counts[k];
	}
	cells[0] += h->zero;
	for (int i = 0; i < width; i++)
		most = max(most, cells[i]);
	for (int i = 0; i < width; i++)
		canvas_heat(c, row, col + i, graph_heat_step(cells[i], most, true));
}
