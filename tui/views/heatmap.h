/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heatmap.h: private to the heat map's files; its state, shared by heatmap.c (the view),
 * heatmap_keys.c, heatmap_plot.c (tick and latency of each cell), heatmap_draw.c (cells, axes,
 * rectangle) and heatmap_panel.c (the list of calls).
 */
#pragma once

#include "tui/app/app.h"
#include "tui/engines/heat.h"

#define PLOT_MAX_SLOTS 512
#define FIRST_BUCKET 80		/* about 1 us: start of the lowest line, if everything fits */
#define PLOT_MIN_SPACE 4	/* cells in each direction below which nothing is drawn */

/* A step on the time axis: a tick, or part of a merged one. */
struct slot {
	u64 seq, time_ns;
	const struct heat_column *column;	/* NULL: pending */
	u32 steps;	/* of its tick: counts are spread over them */
};

/* Lines are bands of `width` buckets, line 0 the slowest; the outer lines include all beyond. */
struct plot {
	struct rect area;	/* of the cells */
	bool swapped;		/* latency goes to the right, time down */
	bool pairs;		/* a cell shows two halves of its band */
	struct slot slots[PLOT_MAX_SLOTS];	/* oldest first */
	int n_slots, max_slots;
	int n_lines, line_cells;
	int max_lines;		/* that would fit */
	int width;
	int top;		/* band (bucket / width) of line 0 */
	u64 most;		/* largest count of a drawn band */
	bool merged;		/* a tick takes several steps */
};

struct heatmap {
	const struct heat_source *source;	/* as passed to heatmap_update() */
	bool passive;		/* display only: no cursor */
	struct heat heat;
	struct heat_filter filter;

	int width;		/* buckets a line; 0: chosen to fit */
	int auto_width;		/* width chosen in the last frame; 0: none yet */
	bool linear, swapped, waits;
	enum heat_group by;

	u64 end_seq;		/* newest tick shown */
	bool frozen;		/* end_seq is fixed */
	u64 right_seq;		/* scrolled: the rightmost tick; 0: end_seq */
	int top;		/* bucket at which the plot starts, kept from frame to frame */
	bool top_pinned;
	int below;		/* buckets below 1 us, as scrolled by the user */

	u64 cursor_seq;		/* 0: the newest */
	int cursor_bucket;
	bool cursor_moved;	/* up or down; until then it is on the slowest calls */

	bool rect;		/* from the anchor to the cursor */
	u64 anchor_seq;
	int anchor_bucket;

	bool in_list;		/* keys move in the list of calls */
	u32 list_at;
	struct heat_parts found, by_what, by_process;
	struct heat_range range;	/* of the listed calls */
	bool stale;		/* list must be updated */
	bool pending;		/* columns are missing, to be computed in the next frames */

	struct plot plot;	/* of the last frame */
};

/* ---- heatmap_plot.c ---- */
/* Lays the plot out in `r` (cells only) and updates its columns. */
void plot_lay_out(struct app *a, struct heatmap *m, struct rect r, bool fills, bool tall);
/* Computes the column of the cursor's tick: keys may arrive before the next frame. */
void plot_need_cursor(struct app *a, struct heatmap *m);
struct rect plot_cell(const struct plot *p, int slot, int line);
/* Bucket range of a line. */
int plot_line_low(const struct plot *p, int line);
int plot_line_end(const struct plot *p, int line);
int plot_line_of(const struct plot *p, int bucket);
/* The last slot of the tick, -1: not visible. */
int plot_last_slot(const struct plot *p, u64 seq);
/* The highest non-empty bucket in all ticks of the plot; at least some octaves over 1 us. */
int plot_highest(const struct plot *p);
/* Calls in buckets low .. end-1, and in a line, over all ticks of the plot. */
u64 plot_count(const struct plot *p, int low, int end);
u64 plot_line_count(const struct plot *p, int line);

/* ---- heatmap.c ---- */
/* Tick and line of the cursor (in the current plot). */
u64 heatmap_cursor_seq(const struct heatmap *m);
int heatmap_cursor_line(const struct heatmap *m);
/* The selected ticks and lines: the rectangle, or the cursor's cell. */
void heatmap_selection(const struct heatmap *m, u64 *ret_first, u64 *ret_last,
		       int *ret_top_line, int *ret_bottom_line);
/* Removes cursor and rectangle, and scrolls to the newest ticks. */
void heatmap_clear(struct heatmap *m);
/* Updates source, filter (from the context) and newest tick. */
void heatmap_update(struct app *a, struct heatmap *m, const struct heat_source *src);
/* heatmap_update() for one process (0: all) and `row`'s operation, if of the source's table. */
void heatmap_update_row(struct app *a, struct heatmap *m, const struct heat_source *src, u64 pid, u64 start_time_ns,
			const struct row *row);

/* Finds the calls of the selection, if it changed. */
void heatmap_find(struct app *a, struct heatmap *m);

/* Draws axes and cells in r, without selection. */
void heatmap_draw_passive(struct app *a, struct heatmap *m, struct canvas *c, struct rect r);

/* Members of a view that shows a heat map of `source`, except name and needs: see latencies_view. */
#define HEATMAP_VIEW(source) \
	.map = source, .update = heatmap_view_update, .state_size = sizeof(struct heatmap), \
	.fini = heatmap_fini, .draw = heatmap_draw, .act = heatmap_act, \
	.status = heatmap_status, .note = heatmap_note
void heatmap_view_update(struct app *a, void *state);
void heatmap_fini(void *state);
void heatmap_draw(struct app *a, void *state, struct canvas *c, struct rect body);
void heatmap_status(struct app *a, void *state, char *buf, size_t cap);
bool heatmap_note(struct app *a, void *state, char *buf, size_t cap);

/* The list that Enter and the arrows work on. */
const struct heat_parts *heatmap_list(const struct heatmap *m);

/* ---- heatmap_keys.c ---- */
bool heatmap_act(struct app *a, void *state, enum action action, u32 key);

/* ---- heatmap_draw.c ---- */
void heatmap_draw_plot(struct app *a, const struct heatmap *m, struct canvas *c);

/* ---- heatmap_panel.c ---- */
void heatmap_panel_below(struct app *a, const struct heatmap *m, struct canvas *c, struct rect r);
void heatmap_panel_beside(struct app *a, const struct heatmap *m, struct canvas *c, struct rect r);
/* The selection in one line. */
void heatmap_describe(struct app *a, const struct heatmap *m, char *buf, size_t cap);
/* Why the list is empty: no calls, or not observed. */
void heatmap_absence(struct app *a, const struct heatmap *m, char *buf, size_t cap);
/* Its first few calls: "8 fdatasync postgres 4821, 2 read xz 7712". */
void heatmap_top_calls(const struct heatmap *m, u32 limit, char *buf, size_t cap);
