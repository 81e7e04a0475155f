/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_state.h: inside of a tableview, for table*.c and the console. */
#ifndef OTTOP_TABLE_STATE_H
#define OTTOP_TABLE_STATE_H

#include "tui/table/filter.h"
#include "tui/table/table.h"

#define GHOST_TICKS 3
#define TABLE_MAX_COLUMNS 40

/* A row whose object ended, kept on the screen for a while. */
struct ghost {
	const struct row *row;	/* one reference */
	u64 ended_seq;		/* of the snapshot that said so */
};

struct tableview {
	const struct table_spec *spec;	/* in use: `base`, or that of the grouping */
	const struct table_spec *base;
	struct groups groups;
	u32 by, by_inside;	/* of base->groupings, from 1; 0: not grouped */
	void *state;		/* of the view, for its callbacks */
	struct table_row *rows;
	u32 n, cap;
	/*
	 * Whose they are: those of a snapshot, and others (ended a moment before, selected).
	 * The references are given back when other rows have been loaded.
	 */
	const struct snapshot *from;
	const struct row **kept;
	u32 n_kept, cap_kept;
	u32 n_all;		/* without the filter */
	u32 n_new, n_gone;	/* of those that the filter leaves */
	u32 n_all_new, n_all_gone;
	u64 seq;		/* of the snapshot that was loaded */

	struct ghost *ghosts;
	u32 n_ghosts, cap_ghosts;
	const struct row **tags;	/* one reference each */
	u32 n_tags, cap_tags;

	/*
	 * The cursor holds on to `cursor` (a reference) once it was moved; before, and
	 * again after Home, it stays on the first row, whatever that is.
	 */
	const struct row *cursor;
	u32 cursor_i, top;
	bool anchored, follow, ordered;	/* ordered: somebody chose the order */
	bool cursor_sunk;	/* the selected row stood below the living already */
	u32 page;		/* rows on the screen when it was last drawn */

	int sort_field;		/* member of the table, or -1: by sort_column only */
	int sort_column;	/* index in the spec, or -1 */
	bool ascending;

	struct filter *filter;
	char filter_text[128];
	struct filter *search;	/* a search is a filter that only moves the cursor */
	int shown[TABLE_MAX_COLUMNS];	/* columns of the last layout */
	u64 said;	/* sparse columns that had a value: bit i is column i */
	u32 n_shown;
};

struct tableview *table_new(const struct table_spec *spec, void *state);
void table_free(struct tableview *t);	/* NULL-safe */
/* Cursor and scroll to the start, ghosts and tags dropped: the rows are of another context. */
void table_reset(struct tableview *t);
/* Forgets the rows, not the cursor: for what is not on the screen any more. */
void table_unload(struct app *a, struct tableview *t);
/* "CPU%▾" of the present sort, for the context line. */
void table_sort_label(const struct tableview *t, char *buf, size_t cap);
/* Index in shown[] order: moves the sort column by step (-1, 1). */
void table_sort_step(struct tableview *t, int step);
/* The other direction of the same order. */
void table_invert(struct tableview *t);

/* Sets the search (NULL or "": none). False: not a valid pattern. */
bool table_search(struct tableview *t, const char *text);
/* Where a search begins: all but the last go once around, to the cursor's own line again. */
enum search_from {
	SEARCH_here,	/* the cursor's own row counts */
	SEARCH_inside,	/* what its line hides, then the lines after it */
	SEARCH_beyond,	/* the lines after it */
	SEARCH_ahead,	/* as inside, to the end of the table only */
};
/*
 * Cursor to the next match after it (or before, step -1). What is folded away or in a group is
 * found too: its line then, or, with `open`, itself. False: none.
 */
bool table_search_move(struct app *a, struct tableview *t, int step, enum search_from from, bool open);
/* Number of matches, and which of them the cursor is on (1.., 0: none). */
u32 table_search_count(const struct tableview *t, u32 *ret_at);

/* What Backspace comes back to. */
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
/* The object that was selected; not the line of one who has not moved yet. */
bool table_is_selected(const struct tableview *t, const struct row *r);

#endif
