/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flame.h: state of the flame views, shared by flame.c (the view), flame_layout.c (cells of each
 * frame), flame_fold.c (frames sharing a line), flame_draw.c, flame_facts.c (lines about the
 * selected frame), flame_list.c (list of functions), flame_status.c (the lines around),
 * flame_keys.c.
 */
#pragma once

#include <regex.h>

#include "tui/app/app.h"
#include "tui/engines/flame.h"

#define FLAME_WIDE 120		/* columns from which functions are listed beside the graph */
#define FLAME_ITEMS 256

/* A frame in the picture. */
struct flame_box {
	u32 node;		/* rest: the parent of the gathered frames */
	s16 depth, x, end;	/* in the graph, without scrolling */
	u8 shade;
	bool rest;		/* gathers frames too narrow to draw */
	bool above;		/* an ancestor of the zoomed frame */
	bool fold;		/* stands for a folded line: flame_fold.c */
};

/* The children of a frame that are too narrow to draw. */
struct flame_rest {
	u32 n;
	double value;
};

struct flame_item {
	u32 fn;
	double key, second;
};

struct flame_view {
	struct flame f;
	bool ready, complete;
	bool blocked;		/* the collector's status is shown instead of the graph */
	u64 opened_ns;		/* CLOCK_BOOTTIME: its stacks may be collected only since */
	bool root_below;	/* drawn from the bottom up */
	bool diff, detail;
	u32 same_fn;		/* FLAME_NONE: none */

	char search[200];
	regex_t regex;
	bool has_regex;
	double match;		/* share of matches in the zoomed frame */
	u32 match_version, match_top;

	struct flame_box *boxes;
	u32 n_boxes, cap_boxes;
	u32 at;			/* box of the selected frame, or of its nearest ancestor */
	bool moved;		/* selection changed since the last frame */
	int cols, graph_rows, graph_cols, scroll;
	bool more;		/* frames are below the last row */
	bool folds;		/* was too tall once: stays folded while it changes */
	bool unfolded;		/* requested with Enter, until Esc */
	int fold;		/* number of frames sharing one line; 0: none */
	u32 fold_node;		/* the last of them */

	bool in_list, by_total;
	u32 list_at, list_top, list_rows;
	u64 seen_seq;		/* the last snapshot for which visible frames were reported */
	u32 seen_node;		/* and the node selected then */
	struct flame_item items[FLAME_ITEMS];
	u32 n_items, items_version;
	bool items_diff, items_total;
};

/* ---- flame.c ---- */
u32 flame_selected(const struct flame_view *v);	/* a node */
u32 flame_zoom(const struct flame_view *v);	/* the node that fills the width */
void flame_select(struct flame_view *v, u32 node);
bool flame_is_offcpu(const struct flame_view *v);
/* The process shown, or "host". */
void flame_subject(struct app *a, char *buf, size_t cap);
/* Whether a search is active. */
bool flame_seeks(const struct flame_view *v);
/* The matching function of the node, its own or one folded into it; FLAME_NONE: none. */
u32 flame_sought(const struct flame_view *v, u32 node);
/* A value in the view's unit: "38.7 % of a CPU", "580 ms/s". */
void flame_amount(const struct flame_view *v, double value, char *buf, size_t cap);
/* ns per second as "+14.9" (percent of a CPU) or "+12.1" (ms/s), "=" within noise. */
void flame_signed(const struct flame_view *v, double diff, bool noise, char *buf, size_t cap);
static inline const struct flame_node *flame_node(const struct flame_view *v, u32 node)
{
	return &v->f.trees[v->f.shown].nodes[node];
}
static inline const struct flame_fn *flame_fn_of(const struct flame_view *v, u32 node)
{
	return &v->f.names.fns[flame_node(v, node)->fn];
}
/* While the windows overlap the plain graph is shown. */
static inline bool flame_compares(const struct flame_view *v)
{
	return v->diff && v->f.has_a && !flame_overlap_ns(&v->f);
}
static inline bool flame_alive(const struct flame_view *v, u32 node)
{
	return flame_real(&v->f, flame_node(v, node)->value) >= 0.5;
}

/* ---- flame_status.c ---- */
void flame_status(struct app *a, void *state, char *buf, size_t cap);
bool flame_note(struct app *a, void *state, char *buf, size_t cap);
bool flame_crumb(struct app *a, void *state, char *buf, size_t cap);
u64 flame_shows_from(struct app *a, void *state);

/* ---- flame_layout.c ---- */
void flame_lay_out(struct flame_view *v, int rows, int cols);
/* The box of a node, or NULL. */
const struct flame_box *flame_box_of(const struct flame_view *v, u32 node);
/* The next box in the same row; NULL: none. */
const struct flame_box *flame_beside(const struct flame_view *v, const struct flame_box *b, int step);
struct flame_rest flame_rest_of(struct flame_view *v, u32 node);
/* The widest child, or FLAME_NONE. */
u32 flame_widest(const struct flame_view *v, u32 node);

/* ---- flame_fold.c ---- */
/* Selects the frames that share one line; false: too few. */
bool flame_fold(struct flame_view *v, int cols);
/* True for all of them but the last, which represents them. */
bool flame_is_folded(const struct flame_view *v, u32 node);
int flame_fold_depth(const struct flame_view *v, int depth);
void flame_fold_label(const struct flame_view *v, char *buf, size_t cap, int width);

/* ---- flame_draw.c ---- */
void flame_draw_graph(struct app *a, const struct flame_view *v, struct canvas *c, struct rect r);
void flame_draw_legend(const struct flame_view *v, struct canvas *c, int row, int col, int width);

/* ---- flame_facts.c ---- */
void flame_draw_facts(struct app *a, struct flame_view *v, struct canvas *c, struct rect r);
void flame_draw_detail(struct app *a, struct flame_view *v, struct canvas *c, struct rect r);

/* ---- flame_list.c ---- */
void flame_draw_list(struct flame_view *v, struct canvas *c, struct rect r);
void flame_list_move(struct flame_view *v, int step);
/* The widest node of a function, or FLAME_NONE. */
u32 flame_widest_of(const struct flame_view *v, u32 fn);

/* ---- flame_seen.c ---- */
/* After drawing: requests source lines for visible frames without any. */
void flame_see(struct app *a, const struct flame_view *v);

/* ---- flame_keys.c ---- */
bool flame_act(struct app *a, void *state, enum action action, u32 key);
