/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view.h: what a view is. A view of existing data is one `const struct view`
 * and one line in views.def; a plain table needs no function at all:
 *
 *	static const struct column columns[] = { { "pid", .priority = 2 }, ... };
 *	static const struct table_spec spec = {
 *		.table = TABLE_syscalls, .columns = columns,
 *		.n_columns = ARRAY_SIZE(columns), .sort = "time_rate",
 *	};
 *	const struct view syscalls_view = {
 *		.name = "syscalls", .digit = '7', .tab = "Sys", .tab_wide = "Syscalls",
 *		.faces = "table", .needs = TABLE_BIT(TABLE_syscalls), .table = &spec,
 *		.hints = "open search filter sort_prev pause palette",
 *	};
 *
 * Handlers never draw: they change the state and the next frame shows it.
 */
#ifndef OTTOP_VIEW_H
#define OTTOP_VIEW_H

#include "bpf/model/snapshot.h"
#include "tui/term/action.h"
#include "tui/term/canvas.h"

struct app;
struct table_spec;

enum view_flags {
	VIEW_PROCESS = 1,	/* needs a process as context; then it is what its digit opens */
	VIEW_HOST = 2,		/* shows the host: not offered while a process is the context */
	VIEW_OVERLAY = 4,	/* has no tab; q, Esc and Backspace return to where it was opened */
	VIEW_PAGE = 16,		/* of one row, which is the context; opened by Enter only, no face */
	VIEW_MAP = 32,		/* a heat map: has its keys */
	VIEW_SCOPED = 8,	/* with a process as context, its collectors may leave the others out */
};

struct view {
	const char *name;	/* in views.def, --view, ":view NAME", keys.def */
	char digit;		/* of its tab; 0: none */
	const char *tab;	/* "Proc": of the first view of a digit */
	const char *tab_wide;	/* "Processes" */
	const char *about;	/* what it shows, for the list of views */
	const char *faces;	/* names in tab order, separated by blanks ("flat tree"); NULL: one without name */
	u32 flags;
	u64 needs;		/* TABLE_BIT()s while it is on the screen */
	u64 (*wants)(const struct app *a, const void *state);	/* more of them, as the user chose; NULL: none */
	const struct table_spec *table;	/* NULL: not a table */
	size_t state_size;	/* of its own state; zeroed at start, one for the whole session */
	const char *hints;	/* actions of the hint line, most useful first; help and quit are added */
	const char *hints_wide;	/* from 120 columns; NULL: the same */
	const char *legend;	/* more for the help page, lines "KEY\tmeaning\n"; NULL: none */

	/* All may be NULL. */
	void (*fini)(void *state);
	/* It was not on the screen for a while: gives back what it can have again. Once. */
	void (*rest)(void *state);
	/*
	 * Something changed: another snapshot is shown, another context, or the view
	 * came to the front. Called before draw, never while the view is hidden.
	 */
	void (*update)(struct app *a, void *state);
	/* Draws into body; the clip is set to it. NULL: table_draw(). */
	void (*draw)(struct app *a, void *state, struct canvas *c, struct rect body);
	/*
	 * An action while this view is on the screen (`key` is the key code, K_x or
	 * a character). True: done. False: the table, then the console handles it.
	 */
	bool (*act)(struct app *a, void *state, enum action action, u32 key);
	/* Text for the right part of the context line ("19 syscalls", "window 10s"). */
	void (*status)(struct app *a, void *state, char *buf, size_t cap);
	/* Text for the note line while nothing more urgent is there; false: none. */
	bool (*note)(struct app *a, void *state, char *buf, size_t cap);
	/* One more level of the breadcrumb (a zoomed frame); false: none. */
	bool (*crumb)(struct app *a, void *state, char *buf, size_t cap);
	/* When the window that is shown began (CLOCK_BOOTTIME); `w` writes it. 0: there is none. */
	u64 (*shows_from)(struct app *a, void *state);
	/* A command of the palette that only this view knows; true: done. */
	bool (*command)(struct app *a, void *state, const char *line);
};

#define VIEW(name) extern const struct view name##_view;
#include "tui/app/views.def"
#undef VIEW

#endif
