/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h: the generic table of a snapshot's rows: columns that go by priority,
 * sort, filter, search, tags, ghosts of what has ended, and a cursor that holds
 * on to the row's identity (its keys), not to a line.
 */
#ifndef OTTOP_TABLE_H
#define OTTOP_TABLE_H

#include "tui/table/format.h"
#include "tui/table/grouping.h"
#include "tui/term/action.h"
#include "tui/term/canvas.h"

struct app;
struct tableview;
struct table_row;

struct column {
	const char *field;	/* member of the table: its title, width, format; also its name in filters and :sort */
	const char *title;	/* NULL: the schema's */
	const char *help;	/* the same, for columns that show another thing than the member */
	u8 width;		/* 0: the schema's, where 0 is the rest of the line */
	u8 priority;		/* 1 stays longest when the line gets short */
	u8 min_width;		/* of the screen: not on narrower ones; 0: by priority alone */
	bool optional;		/* not there while no row knows its value, unless sorted by it */
	bool sparse;		/* not there before a row has had something to say in it, unless sorted by it */
	/* Instead of the member's value; draws at most `width` columns. */
	void (*draw)(struct app *a, struct canvas *c, int row, int col, int width,
		     const struct table_row *tr);
	/* Instead of canvas_cut(), of a text. */
	int (*cut)(struct canvas *c, int row, int col, int width, u32 style, const char *text);
	/* Instead of the member's number when sorting by this column. */
	double (*number)(const struct row *r);
	/* True: over a threshold: drawn as bad with a '!' before it. */
	bool (*alert)(const struct row *r);
	/* The width it has now, of at least `width`: of texts that are never cut. */
	int (*fit)(struct app *a, int width);
	const char *also;	/* a member that draw() shows too; a column of its own in batch text */
};

struct table_spec {
	enum table_id table;
	const struct column *columns;
	u32 n_columns;
	bool roomy_rest;	/* in 100 columns and more the last one has a quarter of the line, up to 40 */
	const char *sort;	/* field of the default sort */
	bool ascending;		/* default order; descending else */
	/* Rows that the sort column finds equal: the greater number first. NULL: as they came. */
	double (*tie)(const struct row *r);
	bool newest_last;	/* a log: follows its end until the cursor is moved up */
	bool lasting;		/* no row ends */
	bool no_ghosts;		/* what ended is shown in the tick of its end only */
	u32 ghost_ticks;	/* for how many ticks it is shown; 0: 3 */
	u32 short_ghosts;	/* of what came and went in one tick so many stay; 0: 4 */
	/* Ended in this tick: below the living at once? NULL: in its place for that tick. */
	bool (*sinks)(const struct row *r);
	bool living_first;	/* also what ended in this tick is below, until somebody chooses an order */
	bool arrange_first;	/* arrange() makes other rows: they are sorted */
	const struct grouping *groupings;	/* what `b` goes through */
	u32 n_groupings;
	bool (*can_group)(struct app *a);	/* NULL: always */
	const char *noun;	/* what rows are: "processes" (default: the table's name) */
	/* False: the row is not shown at all (before filters). */
	bool (*keep)(struct app *a, void *state, const struct row *r);
	/* Sees each row that passed the filter, while it is at hand. */
	void (*load)(void *state, const struct row *r);
	/*
	 * After filter and sort: may reorder and drop rows and set their `data`
	 * (the tree). Returns the new number of rows.
	 */
	u32 (*arrange)(struct app *a, void *state, struct table_row *rows, u32 n);
	/*
	 * What arrange() dropped because a line stands for it, one after the other (*at: -1 at
	 * first, then the view's own); NULL: no more. A search finds it, and has it shown.
	 */
	const struct row *(*hidden)(void *state, const struct table_row *tr, s32 *at);
	void (*reveal)(void *state, const struct row *r);	/* the table is loaded again then */
};

/* The row whose values a cell shows. */
#define table_shown_row(tr) ((tr)->drawn ? (tr)->drawn : (tr)->row)

enum table_mark { MARK_none, MARK_new, MARK_gone };

struct table_row {
	const struct row *row;
	const struct row *drawn;	/* what cells show instead of it (a folded branch: the sum), or NULL */
	double key;		/* number of the sort column */
	double tie;		/* where those are equal: see table_spec */
	const char *text_key;	/* or its text */
	u32 order;		/* place in the snapshot: makes the sort stable */
	u32 data;		/* the view's own */
	u8 mark;		/* enum table_mark */
	bool past;		/* ended in a tick before: stands below the living */
	bool tagged;
};

/* ---- for views -------------------------------------------------------- */

/* Row under the cursor, or NULL. Stays until the key or tick that is being handled is done (app_put_later). */
const struct row *table_cursor(const struct tableview *t);
/* Number of rows shown, and the i-th of them. */
u32 table_len(const struct tableview *t);
const struct table_row *table_at(const struct tableview *t, u32 i);
/* Rows there are without the filter. */
u32 table_len_unfiltered(const struct tableview *t);
/* Index of the cursor; 0 when there are no rows. */
u32 table_cursor_index(const struct tableview *t);
/* Puts the cursor on the row with the same keys; false when it is not shown. */
bool table_select(struct tableview *t, const struct row *like);
/* Draws titles and rows; the first line of r is the title line. */
void table_draw(struct app *a, struct tableview *t, struct canvas *c, struct rect r);
/* The actions of a table (movement, sort, tag, ...); true: done. */
bool table_act(struct app *a, struct tableview *t, enum action action, u32 key);
/* Sorts by a column, by field name or title; false: no such column. */
bool table_sort(struct tableview *t, const char *column, bool ascending);
/* The same by a person's wish: then the first page is shown, unless a row is followed. */
bool table_reorder(struct tableview *t, const char *column, bool ascending);
bool table_is_ascending(const struct tableview *t);
/* True when the sort column is a number that adds up over rows (not a name or an id). */
bool table_sorts_numbers(const struct tableview *t);
/* Other columns on the same table, in their default order. To be loaded again then. */
void table_use(struct tableview *t, const struct table_spec *spec);
/* By what its rows are grouped now, or NULL. Inside of a process or group there is a choice of its own. */
const struct grouping *table_grouping(struct app *a, struct tableview *t);
/* No grouping, outside and inside. To be loaded again then. */
void table_ungroup(struct tableview *t);
/* Loads again from the shown snapshot (after the view's own filter changed). */
void table_reload(struct app *a, struct tableview *t);
/* Filter text; NULL or "": none. A bad one: false, *ret_error is one line, the one before stays. */
bool table_filter(struct app *a, struct tableview *t, const char *text, char *ret_error, size_t cap);
const char *table_filter_text(const struct tableview *t);
/* "213 processes, 4 new" or "3 of 213 processes". */
void table_count_text(const struct app *a, const struct tableview *t, char *buf, size_t cap);
/* The same, and by what it is grouped: what a table view says that says nothing else. */
void table_status(struct app *a, struct tableview *t, char *buf, size_t cap);

#endif
