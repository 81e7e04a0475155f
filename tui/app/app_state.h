/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app_state.h: internal state of the console, shared by app.c, level.c (navigation), action.c
 * (keys), moment.c (the shown tick), prompt.c (line input), palette.c (commands), bars.c and note.c
 * (the lines around a view).
 */
#pragma once

#include "tui/app/app.h"
#include "tui/app/keys.h"
#include "tui/engines/series.h"
#include "tui/table/table_state.h"

#define MAX_LEVELS 16
#define MAX_OVERLAYS 4
#define PROMPT_MAX 200
#define PROMPT_HISTORY 16
#define APP_LOOKED 256	/* processes on one screen */

struct level {
	struct context ctx;	/* holds a reference to its row */
	char label[160];
	int view;		/* the view shown when this level was left */
	int face;
	struct table_position position;	/* of that view's table when a level was entered from it */
	const struct row *process;	/* newest row of ctx's process, also after its end */
	const struct snapshot *end;	/* last tick of an ended process, or NULL: unknown */
	bool end_sought;
	bool found;		/* entered by a search, which resumes where it left */
};

enum prompt_kind { PROMPT_none, PROMPT_search, PROMPT_filter, PROMPT_command };

struct prompt {
	enum prompt_kind kind;
	char text[PROMPT_MAX];
	char error[96];		/* in the current text; "" if valid */
	char before[PROMPT_MAX];	/* filter restored by Esc */
	struct table_position position;	/* where the search started */
	char history[PROMPT_HISTORY][PROMPT_MAX];
	int n_history, at_history;
	int choice;		/* index in the palette's list */
	bool selected;		/* recalled text: the first character typed replaces it */
};

struct host_series {
	struct series cpu, psi_cpu, psi_io, psi_mem;
};

/* The remote address with most retransmits, updated once a snapshot. */
struct worst_peer {
	u64 seq;		/* of the snapshot */
	const struct row *row;	/* a connection to it, one reference; NULL: none */
	float pct;
};

/* The endpoint with a p99 farthest above its own median: slow.c. */
struct slow {
	u64 seq;		/* of the last snapshot processed */
	struct slow_endpoint **all;	/* sorted by key */
	u32 n, ticks, at;	/* ticks: size of their rings; at: index of the last tick */
	const struct row *worst;	/* one reference; NULL: none */
	u64 was_ns;		/* its median */
};

struct app {
	struct app_config config;
	int rows, cols;
	u64 now_ns;
	bool dirty, quit;
	char *copied;		/* for the clipboard, until app_take_copy() */
	bool again;		/* the frame being drawn is incomplete */

	void *states[N_VIEWS];
	u32 unseen[N_VIEWS];	/* ticks since it was last shown */
	struct tableview *tables[N_VIEWS];
	struct context table_ctx[N_VIEWS];	/* of their rows; references its row */
	int faces[N_VIEWS];
	int view, drawn;	/* drawn: view of the last frame, -1: none */
	/* Views below the overlay on the screen; the first one is not an overlay. */
	int below[MAX_OVERLAYS];
	int n_below;
	struct level levels[MAX_LEVELS];
	int n_levels;

	const struct snapshot *latest, *shown;
	struct later {
		const struct row **rows;
		const struct snapshot **snapshots;
		u32 n_rows, cap_rows, n_snapshots, cap_snapshots;
	} later;		/* app_put_later() */
	u64 seen_since_ns[N_TABLES];	/* live: collected without gap since; 0: not collected */
	bool paused;
	bool ticked;		/* a tick arrived since the last app_time() */
	u64 tick_at_ns;		/* when the newest arrived, by app_time(); 0: none yet */
	u64 next_play_ns;	/* replay: time of the next tick; 0: paused */

	struct prompt prompt;
	char search[PROMPT_MAX];
	int search_view;	/* the view it was typed in */
	char message[512];
	enum role message_role;
	u64 message_until_ns;
	int message_view;	/* the view it was shown in, with which it ends */

	bool recording;
	u64 wanted;		/* last request to the source */
	u64 wanted_pid, wanted_start_ns;
	bool scoped;
	u32 looked[APP_LOOKED], n_looked;
	struct host_series host;
	struct worst_peer peer;
	struct slow slow;
};

static inline const struct view *app_view(const struct app *a)
{
	return app_views[a->view];
}

/* The view belonging to the breadcrumb: the one below all overlays. */
static inline int app_ground(const struct app *a)
{
	return a->n_below ? a->below[0] : a->view;
}

static inline struct level *app_level(struct app *a)
{
	return &a->levels[a->n_levels - 1];
}

/* ---- action.c ---- */
/* Writes what is shown; path may be NULL. False: nothing to write here. */
bool app_write(struct app *a, const char *path);

/* ---- app.c ---- */
int app_view_by_name(const char *name, size_t n);	/* -1: none */
bool app_can_open_view(const struct app *a, int view);
/* The shown snapshot, context or view changed: reloads the view. */
void app_refresh(struct app *a);
void app_want(struct app *a);
/* Releases deferred memory now; called when no caller holds references to it any more. */
void app_put_now(struct app *a);
/* Views of a digit that can be opened now; returns their number in ids. */
int app_tab_views(const struct app *a, char digit, int ids[N_VIEWS]);

/* ---- look.c ---- */
/* After drawing: reports the processes on the screen to the source if they changed. */
void look_report(struct app *a);

/* ---- level.c ---- */
void level_drop(struct app *a, struct level *l);
/* A new snapshot is shown: updates the level's process. */
void level_update(struct app *a, struct level *l);
void level_open_digit(struct app *a, char digit);
void level_step_tab(struct app *a, int step);

/* ---- action.c ---- */
void app_do(struct app *a, enum action action, u32 key);

/* ---- moment.c ---- */
void moment_tick(struct app *a, const struct snapshot *s);
bool moment_act(struct app *a, enum action action);
int moment_time(struct app *a);
/* "LIVE 1s", "PAUSED", "-00:15", "REPLAY". */
void moment_mode(const struct app *a, char *buf, size_t cap, bool *ret_live);
/* Live: ns by which the next tick is late, or 0; *ret_until_ns: until it will be (else ~0). */
u64 moment_late_ns(const struct app *a, u64 *ret_until_ns);
/* Draws the time scale in line H-2 while paused. */
void moment_scale(const struct app *a, struct canvas *c, int row);
void moment_status(const struct app *a, char *buf, size_t cap);

/* ---- prompt.c ---- */
void prompt_open(struct app *a, enum prompt_kind kind, const char *text);
/* Opens the list of columns, with the current sort column selected. */
void prompt_open_sort(struct app *a);
void prompt_key(struct app *a, u32 key);
void prompt_draw(const struct app *a, struct canvas *c, int row);
void prompt_again(struct app *a, int step);	/* n and N */

/* ---- palette.c ---- */
#define PALETTE_MAX 80	/* above the number of columns of any table */
struct choice {
	char text[64];		/* what Tab completes to */
	char help[80];
	char key[16];
};
/* The best matches for the typed text, best first. */
u32 palette_choices(const struct app *a, const char *typed, struct choice *ret, u32 cap);
/* Runs a command line; false: *error is the error message. */
bool palette_run(struct app *a, const char *line, char *error, size_t cap);

/* ---- peers.c ---- */
void slow_update(struct app *a);
void slow_free(struct slow *s);

/* ---- losses.c ---- */
struct losses {
	u64 n;			/* since ottop started; unknown if not reported */
	bool now;		/* some of them in this interval */
	const char *cause;	/* the most frequent one; owned by the snapshot; NULL: unknown */
};
/* Losses shown without being asked for. s may be NULL. */
struct losses losses_shown(const struct snapshot *s);

/* ---- bars.c, note.c ---- */
void bars_draw(struct app *a, struct canvas *c);
void note_text(struct app *a, char *buf, size_t cap, u32 *ret_style);
void host_lines(struct app *a, struct canvas *c, int *row);
