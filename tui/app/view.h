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
#pragma once

#include "bpf/model/snapshot.h"
#include "tui/term/action.h"
#include "tui/term/canvas.h"

struct app;
struct heat_source;
struct table_spec;

enum view_flags {
	VIEW_PROCESS = 1,	/* needs a process as context; its digit then opens it */
	VIEW_HOST = 2,		/* shows the host: hidden while a process is the context */
	VIEW_OVERLAY = 4,	/* has no tab; q, Esc and Backspace return to the view below */
	VIEW_PAGE = 16,		/* of one row, the context; opened by Enter only, no face */
	VIEW_SCOPED = 8,	/* with a process as context, collectors may skip all others */
};

struct view {
	const char *name;	/* in views.def, --view, ":view NAME", keys.def */
	char digit;		/* of its tab; 0: none */
	const char *tab;	/* "Proc": set for the first view of a digit */
	const char *tab_wide;	/* "Processes" */
	const char *about;	/* description for the list of views */
	const char *faces;	/* names, blank-separated ("flat tree"); NULL: one unnamed face */
	u32 flags;
	u64 needs;		/* TABLE_BIT()s needed while it is on the screen */
	u64 (*wants)(const struct app *a, const void *state);	/* more, by the user's choice; NULL: none */
	const struct table_spec *table;	/* NULL: not a table */
	const struct heat_source *map;	/* data source of a heat map (set by HEATMAP_VIEW()); NULL: not a heat map */
	size_t state_size;	/* of its own state; zeroed at start, kept for the session */
	const char *hints;	/* actions of the hint line, most useful first; help and quit are added */
	const char *hints_wide;	/* from 120 columns; NULL: as hints */
	const char *legend;	/* lines for the help page, "KEY\tmeaning\n"; NULL: none */

	/* All may be NULL. */
	void (*fini)(void *state);
	/* Called once when it has been hidden for a while: frees what can be rebuilt. */
	void (*rest)(void *state);
	/*
	 * Another snapshot or context is shown, or the view opens. Before draw, never while hidden.
	 */
	void (*update)(struct app *a, void *state);
	/* Draws into body, to which the clip is set. NULL: table_draw(). */
	void (*draw)(struct app *a, void *state, struct canvas *c, struct rect body);
	/* Handles an action (key: K_x or a character). False: for the table, then the console. */
	bool (*act)(struct app *a, void *state, enum action action, u32 key);
	/* Text for the right part of the context line ("19 syscalls", "window 10s"). */
	void (*status)(struct app *a, void *state, char *buf, size_t cap);
	/* Text for the note line if nothing more urgent is shown; false: none. */
	bool (*note)(struct app *a, void *state, char *buf, size_t cap);
	/* An additional level of the breadcrumb (a zoomed frame); false: none. */
	bool (*crumb)(struct app *a, void *state, char *buf, size_t cap);
	/* Start of the shown window (CLOCK_BOOTTIME), which `w` writes. 0: none. */
	u64 (*shows_from)(struct app *a, void *state);
	/* A palette command specific to this view; true: handled. */
	bool (*command)(struct app *a, void *state, const char *line);
};

#define VIEW(name) extern const struct view name##_view;
#include "tui/app/views.def"

enum view_id {
#define VIEW(name) VIEW_##name,
#include "tui/app/views.def"
	N_VIEWS
};

extern const struct view *const app_views[N_VIEWS];
