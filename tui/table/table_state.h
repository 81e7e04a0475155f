/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_state.h: internal state of a tableview, for table*.c and the console. */
#pragma once

#include "tui/table/filter.h"
#include "tui/table/table.h"

#define GHOST_TICKS 3
#define TABLE_MAX_COLUMNS 40

/* A row of an ended object, kept on the screen for a while. */
struct ghost {
	const struct row *row;	/* one reference */
	u64 ended_seq;		/* of the snapshot in which it was first missing */
};

struct tableview {
	const struct table_spec *spec;	/* in use: `base`, or the grouping's */
	const struct table_spec *base;
	struct groups groups;
	u32 by, by_inside;	/* index in base->groupings, from 1; 0: not grouped */
	void *state;		/* the view's, for its callbacks */
	struct table_row *rows;
	u32 n, cap;
	/* Owners of the rows: a snapshot and single references; released after the next load. */
	const struct snapshot *from;
	const struct row **kept;
	u32 n_kept, cap_kept;
	u32 n_all;		/* without the filter */
	u32 n_new, n_gone;	/* among those that pass the filter */
	u32 n_all_new, n_all_gone;
	u64 seq;		/* of the loaded snapshot */

	struct ghost *ghosts;
	u32 n_ghosts, cap_ghosts;
	const struct row **tags;	/* one reference each */
	u32 n_tags, cap_tags;

	/* The cursor follows this row (a reference); unmoved, or after Home, the first line. */
	const struct row *cursor;
	u32 cursor_i, top;
	bool anchored, follow, ordered;	/* ordered: the user chose the order */
	bool cursor_sunk;	/* the selected row was already below the live ones */
	u32 page;		/* rows on the screen when last drawn */

	int sort_field;		/* index of the member, or -1: by sort_column only */
	int sort_column;	/* index in the spec, or -1 */
	bool ascending;

	struct filter *filter;
	char filter_text[128];
	struct filter *search;	/* a filter that only moves the cursor */
	int shown[TABLE_MAX_COLUMNS];	/* columns of the last layout */
	u64 said;	/* bit i: sparse column i had a value */
	u32 n_shown;
};

struct tableview *table_new(const struct table_spec *spec, void *state);
void table_free(struct tableview *t);	/* NULL-safe */
/* Moves cursor and scroll to the start, drops ghosts and tags: the context changed. */
void table_reset(struct tableview *t);
/* Drops the rows, not the cursor, while hidden. */
void table_unload(struct app *a, struct tableview *t);
/* "CPU%▾": the sort column, for the context line. */
void table_sort_label(const struct tableview *t, char *buf, size_t cap);
/* Moves the sort column by step (-1, 1), in the order of shown[]. */
void table_sort_step(struct tableview *t, int step);
/* Inverts the order. */
void table_invert(struct tableview *t);

/* Sets the search (NULL or "": none). False: invalid pattern. */
bool table_search(struct tableview *t, const char *text);
/* Start of a search: all but the last wrap around, back to the cursor's line. */
enum search_from {
	SEARCH_here,	/* including the cursor's own row */
	SEARCH_inside,	/* rows hidden in its line, then the following lines */
	SEARCH_beyond,	/* the following lines */
	SEARCH_ahead,	/* as SEARCH_inside, to the end of the table only */
};
/*
 * Moves to the next match (step -1: previous), also folded away or grouped rows: to their line or,
 * with `open`, to them. False: none.
 */
bool table_search_move(struct app *a, struct tableview *t, int step, enum search_from from, bool open);
/* Number of matches, and the index of the one under the cursor (1.., 0: none). */
u32 table_search_count(const struct tableview *t, u32 *ret_at);

/* Restored by Backspace. */
struct table_position {
	const struct row *cursor;	/* one reference */
	u32 cursor_i, top;
	bool anchored, follow;
};
void table_save(const struct tableview *t, struct table_position *ret);
void table_restore(struct tableview *t, const struct table_position *p);
void table_position_drop(struct table_position *p);

/* For table_load.c, table_sort.c */
void table_use_spec(struct tableview *t, const struct table_spec *spec);
const struct field *table_column_field(const struct tableview *t, u32 column);
void table_sort_rows(struct tableview *t);
void table_find_cursor(struct tableview *t);
/* Whether it is the selected object; false while the user has not moved the cursor. */
bool table_is_selected(const struct tableview *t, const struct row *r);
