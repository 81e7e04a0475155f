/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h: the generic table of a snapshot's rows: columns dropped by priority, sort, filter,
 * search, tags, ghosts of ended rows, and a cursor that follows the row's identity (its keys), not
 * a line.
 */
#pragma once

#include "tui/table/format.h"
#include "tui/table/grouping.h"
#include "tui/term/action.h"
#include "tui/term/canvas.h"

struct app;
struct tableview;
struct table_row;

struct column {
	const char *field;	/* member: title, width, format; name in filters and :sort */
	const char *title;	/* NULL: the schema's */
	const char *help;	/* the same; for columns that do not show the plain member */
	u8 width;		/* 0: the schema's; if that is 0, the rest of the line */
	u8 priority;		/* 1 is dropped last on narrow screens */
	u8 min_width;		/* hide on narrower screens; 0: by priority alone */
	bool optional;		/* hide while no row knows its value, unless sorted by it */
	bool sparse;		/* hide until a row has a value in it, unless sorted by it */
	/* Draws instead of the member's value, in at most `width` columns. */
	void (*draw)(struct app *a, struct canvas *c, int row, int col, int width,
		     const struct table_row *tr);
	/* Draws a text instead of canvas_cut(). */
	int (*cut)(struct canvas *c, int row, int col, int width, u32 style, const char *text);
	/* Sort key instead of the member's number. */
	double (*number)(const struct row *r);
	/* True: over a threshold: drawn as bad, after a '!'. */
	bool (*alert)(const struct row *r);
	/* Current width, at least `width`, for texts that are never truncated. */
	int (*fit)(struct app *a, int width);
	const char *also;	/* also shown by draw(); a column of its own in batch text */
};

struct table_spec {
	enum table_id table;
	const struct column *columns;
	u32 n_columns;
	bool roomy_rest;	/* last column: a quarter of lines from 100 columns, up to 40 */
	const char *sort;	/* field of the default sort */
	bool ascending;		/* default order; descending else */
	/* Order of equal sort keys, greater first. NULL: the snapshot's order. */
	double (*tie)(const struct row *r);
	bool newest_last;	/* a log: follows its end until the cursor moves up */
	bool lasting;		/* rows never end */
	bool no_ghosts;		/* show an ended row in its last tick only */
	u32 ghost_ticks;	/* number of ticks it stays visible; 0: 3 */
	u32 short_ghosts;	/* rows of a single tick that stay visible; 0: 4 */
	/* An ended row moves below the live ones at once; NULL: after one tick. */
	bool (*sinks)(const struct row *r);
	bool living_first;	/* ended rows sink at once, until the user chooses an order */
	bool arrange_first;	/* arrange() before sorting: it makes other rows */
	const struct grouping *groupings;	/* cycled by `b` */
	u32 n_groupings;
	bool (*can_group)(struct app *a);	/* NULL: always */
	const char *noun;	/* noun for rows: "processes" (default: the table's name) */
	/* False: the row is not shown (before filters). */
	bool (*keep)(struct app *a, void *state, const struct row *r);
	/* Called for each row that passed the filter. */
	void (*load)(void *state, const struct row *r);
	/* After filter and sort: may reorder, drop and annotate rows (the tree). The new number. */
	u32 (*arrange)(struct app *a, void *state, struct table_row *rows, u32 n);
	/*
	 * Rows dropped by arrange() that a line represents, for searches (*at: -1, then the
	 * view's); NULL: no more.
	 */
	const struct row *(*hidden)(void *state, const struct table_row *tr, s32 *at);
	void (*reveal)(void *state, const struct row *r);	/* the table is then reloaded */
};

/* The row with the values shown in a line. */
#define table_shown_row(tr) ((tr)->drawn ? (tr)->drawn : (tr)->row)

enum table_mark { MARK_none, MARK_new, MARK_gone };

struct table_row {
	const struct row *row;
	const struct row *drawn;	/* shown instead of row (a folded branch: its sum), or NULL */
	double key;		/* value of the sort column */
	double tie;		/* tie-breaker: see table_spec */
	const char *text_key;	/* or its text */
	u32 order;		/* index in the snapshot: makes the sort stable */
	u32 data;		/* for the view */
	u8 mark;		/* enum table_mark */
	bool past;		/* ended in an earlier tick: below live rows */
	bool tagged;
};

/* ---- for views -------------------------------------------------------- */

/* Row under the cursor, or NULL. Valid until the current key or tick is handled (app_put_later). */
const struct row *table_cursor(const struct tableview *t);
u32 table_len(const struct tableview *t);
const struct table_row *table_at(const struct tableview *t, u32 i);
/* Number of rows without the filter. */
u32 table_len_unfiltered(const struct tableview *t);
/* Index of the cursor; 0 when there are no rows. */
u32 table_cursor_index(const struct tableview *t);
/* Moves the cursor to the row with the same keys; false: not shown. */
bool table_select(struct tableview *t, const struct row *like);
/* Draws titles and rows; the first line of r is the title line. */
void table_draw(struct app *a, struct tableview *t, struct canvas *c, struct rect r);
/* Handles the actions of a table (movement, sort, tag, ...); true: done. */
bool table_act(struct app *a, struct tableview *t, enum action action, u32 key);
/* Sorts by a column, by field name or title; false: no such column. */
bool table_sort(struct tableview *t, const char *column, bool ascending);
/* As table_sort(), by the user: shows the first page, unless a row is followed. */
bool table_reorder(struct tableview *t, const char *column, bool ascending);
bool table_is_ascending(const struct tableview *t);
/* Whether the sort column is an additive number (not a name or an id). */
bool table_sorts_numbers(const struct tableview *t);
/* Switches to other columns on the same table, in their default order. Reload afterwards. */
void table_use(struct tableview *t, const struct table_spec *spec);
/* Current grouping, or NULL. Inside of a process or group there is a separate one. */
const struct grouping *table_grouping(struct app *a, struct tableview *t);
/* Removes the grouping, outside and inside. Reload afterwards. */
void table_ungroup(struct tableview *t);
/* Reloads from the shown snapshot (after the view's own filter changed). */
void table_reload(struct app *a, struct tableview *t);
/* Sets the filter (NULL, "": none). Invalid: false, *ret_error says why, the old one stays. */
bool table_filter(struct app *a, struct tableview *t, const char *text, char *ret_error, size_t cap);
const char *table_filter_text(const struct tableview *t);
/* "213 processes, 4 new" or "3 of 213 processes". */
void table_count_text(const struct app *a, const struct tableview *t, char *buf, size_t cap);
/* As table_count_text(), with the grouping: the default status of a table view. */
void table_status(struct app *a, struct tableview *t, char *buf, size_t cap);
