/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heatmap.h: inside of the heat map: its state, shared by heatmap.c (the view),
 * heatmap_keys.c, heatmap_plot.c (which tick and which latency a cell stands for),
 * heatmap_draw.c (cells, axes, rectangle) and heatmap_panel.c (the calls in them).
 */
#ifndef OTTOP_VIEWS_HEATMAP_H
#define OTTOP_VIEWS_HEATMAP_H

#include "tui/app/app.h"
#include "tui/engines/heat.h"

#define PLOT_MAX_SLOTS 512
#define FIRST_BUCKET 80		/* about 1 us: the lowest line starts there if all fits */
#define PLOT_MIN_SPACE 4	/* cells in each direction below which nothing is drawn */

/* One step on the time axis: a tick, or one of several for a tick that was merged. */
struct slot {
	u64 seq, time_ns;
	const struct heat_column *column;	/* NULL: pending */
	u32 steps;	/* of its tick: the counts are spread over them */
};

/*
 * Lines are bands of `width` buckets, line 0 the slowest. The last line also
 * holds everything faster, the first everything slower.
 */
struct plot {
	struct rect area;	/* of the cells */
	bool swapped;		/* latency goes to the right, time down */
	bool pairs;		/* a cell shows the two halves of its band */
	struct slot slots[PLOT_MAX_SLOTS];	/* oldest first */
	int n_slots, max_slots;
	int n_lines, line_cells;
	int max_lines;		/* as many would fit */
	int width;
	int top;		/* band (bucket / width) of line 0 */
	u64 most;		/* largest count of a drawn band */
	bool merged;		/* some tick takes several steps */
};

struct heatmap {
	const struct heat_source *source;	/* as heatmap_update() was told */
	bool passive;		/* only looked at: no cursor */
	struct heat heat;
	struct heat_filter filter;

	int width;		/* buckets a line; 0: as fits the screen */
	int auto_width;		/* then: what it was in the last frame; 0: not yet chosen */
	bool linear, swapped, waits;
	enum heat_group by;

	u64 end_seq;		/* newest tick of the picture */
	bool frozen;		/* end_seq stays */
	u64 right_seq;		/* scrolled: the rightmost tick; 0: end_seq */
	int top;		/* bucket; where the plot starts, kept from frame to frame */
	bool top_pinned;
	int below;		/* buckets below 1 us that the user went down to */

	u64 cursor_seq;		/* 0: the newest */
	int cursor_bucket;
	bool cursor_moved;	/* up or down; until then it is on the slowest calls */

	bool rect;		/* from the anchor to the cursor */
	u64 anchor_seq;
	int anchor_bucket;

	bool in_list;		/* the keys move in the list of calls */
	u32 list_at;
	struct heat_parts found, by_what, by_process;
	struct heat_range range;	/* that was found */
	bool stale;		/* find them again */
	bool pending;		/* columns are missing that the next frames will compute */

	struct plot plot;	/* of the last frame */
};

/* ---- heatmap_plot.c ---- */
/* Lays the plot out in `r` (cells only) and brings the columns up. */
void plot_lay_out(struct app *a, struct heatmap *m, struct rect r, bool fills, bool tall);
/* Brings the column of the cursor's tick up: keys may come before the frame that would. */
void plot_need_cursor(struct app *a, struct heatmap *m);
/* Place of a slot and line. */
struct rect plot_cell(const struct plot *p, int slot, int line);
/* Bucket range of a line. */
int plot_line_low(const struct plot *p, int line);
int plot_line_end(const struct plot *p, int line);
int plot_line_of(const struct plot *p, int bucket);
/* The last slot of the tick, -1: not visible. */
int plot_last_slot(const struct plot *p, u64 seq);
/* The highest bucket with a count in all ticks of the plot; at least some octaves over 1 us. */
int plot_highest(const struct plot *p);
/* Calls in buckets low .. end-1, and of a line, in all ticks of the plot. */
u64 plot_count(const struct plot *p, int low, int end);
u64 plot_line_count(const struct plot *p, int line);

/* ---- heatmap.c ---- */
/* The tick and line of the cursor (in the present plot). */
u64 heatmap_cursor_seq(const struct heatmap *m);
int heatmap_cursor_line(const struct heatmap *m);
/* Ticks and lines that are selected: the rectangle, or the cursor's cell. */
void heatmap_selection(const struct heatmap *m, u64 *ret_first, u64 *ret_last,
		       int *ret_top_line, int *ret_bottom_line);
/* No cursor, no rectangle, no scrolling: the newest ticks as they come. */
void heatmap_clear(struct heatmap *m);
/* Of what it is; the filter of the present context; a new newest tick. */
void heatmap_update(struct app *a, struct heatmap *m, const struct heat_source *src);
/* The same of one process (0: all), and of what `row` is of, if it is a row of the source's table. */
void heatmap_update_row(struct app *a, struct heatmap *m, const struct heat_source *src, u64 pid, u64 start_time_ns,
			const struct row *row);

/* Finds the calls of the selection, if it is another one than before. */
void heatmap_find(struct app *a, struct heatmap *m);

/* A map that is only looked at, in r: axes and cells. */
void heatmap_draw_passive(struct app *a, struct heatmap *m, struct canvas *c, struct rect r);

/* What a view is that shows one, but for its name, what it needs and its update: see latencies_view. */
#define HEATMAP_VIEW \
	.state_size = sizeof(struct heatmap), .fini = heatmap_fini, .draw = heatmap_draw, .act = heatmap_act, \
	.status = heatmap_status, .note = heatmap_note
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
/* The selected cell or rectangle in one line. */
void heatmap_describe(struct app *a, const struct heatmap *m, char *buf, size_t cap);
/* Why nothing is listed there: no calls, or nobody looked then. */
void heatmap_absence(struct app *a, const struct heatmap *m, char *buf, size_t cap);
/* Its first few calls: "8 fdatasync postgres 4821, 2 read xz 7712". */
void heatmap_top_calls(const struct heatmap *m, u32 limit, char *buf, size_t cap);

#endif
