/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graph.h: sparklines, bars and heat rows on a canvas. */
#pragma once

#include "bpf/model/snapshot.h"
#include "tui/term/canvas.h"

/*
 * Draws the last `width` of n values, one a cell, oldest first, right-aligned. Full height is
 * `top`; top <= 0: the largest value shown, but at least -top. Unknown is blank, zero the lowest
 * glyph.
 */
void graph_spark(struct canvas *c, int row, int col, int width, u32 style,
		 const float *values, int n, float top);
/* Sparkline level of a value, 1..8; 0: blank. */
int graph_level(float value, float top);
/* A sparkline of precomputed levels (0..8). */
void graph_levels(struct canvas *c, int row, int col, u32 style, const u8 *levels, int n);

/* A bar of value/top of `width` columns, in eighths. A value > 0 is always visible. */
void graph_bar(struct canvas *c, int row, int col, int width, u32 style, double value, double top);

/* Heat step 0..HEAT_STEPS of a count: any count > 0 is at least 1. */
int graph_heat_step(u64 count, u64 most, bool log_scale);
/* A histogram as a row of heat cells: 1 us at the left to 10 s at the right over `width` cells. */
void graph_hist_row(struct canvas *c, int row, int col, int width, const struct hist *h);
