/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app.h: the console: which view is on the screen, in which context, at which
 * moment. It does not depend on the sampler, on recordings or on the terminal:
 *
 *	live	main.c provides callbacks, console_run() waits for keys and ticks
 *	replay	the same with a history that fills from a recording
 *	test	app_new(), app_tick(), app_key(), app_draw() -> canvas_dump()
 */
#pragma once

#include "bpf/model/snapshot.h"
#include "tui/term/canvas.h"
#include "tui/app/keys.h"
#include "tui/table/table.h"
#include "tui/table/table_env.h"
#include "tui/app/view.h"

/* ---- for main.c ---------------------------------------------------------- */

/* Source of snapshots, and callbacks for what the console may request. `arg` is passed through. */
struct app_source {
	void *arg;
	/* For poll(): readable while a snapshot is pending; -1: no more will come. */
	int (*fd)(void *arg);
	/*
	 * Appends the next pending snapshot to the history; one reference, or NULL. A replay only
	 * extends its history.
	 */
	const struct snapshot *(*take)(void *arg);
	/* These may be NULL (replay). */
	void (*want)(void *arg, u64 tables, u64 pid, u64 start_time_ns);
	/* The pids of the rows on the screen; called when they change. */
	void (*look)(void *arg, const u32 *pids, u32 n);
	/* The stack frames on the screen from now on, most important first. */
	void (*see)(void *arg, const u32 *frames, u32 n);
	void (*scope)(void *arg, bool to_the_wanted_process);
	void (*interval)(void *arg, u64 interval_ns);
	/*
	 * Starts (on) or ends a recording; path NULL: choose a name. Returns a message to free();
	 * *ret_on: recording now.
	 */
	char *(*record)(void *arg, bool on, const char *path, bool *ret_on);
	u64 (*record_bytes)(void *arg);
	/*
	 * Writes one snapshot as JSON, or as a profile the stacks of the window from from_ns
	 * (CLOCK_BOOTTIME) to that snapshot; `path` may be NULL. Returns the message to show;
	 * free() it.
	 */
	char *(*write)(void *arg, const struct snapshot *s, u64 tables, u64 from_ns, const char *path);
	/* Asks for an address's name, for the table `names`. Never blocks. May be NULL. */
	void (*ask_name)(void *arg, const char *addr);
	/* Flushes the queue of --otlp. Returns the message to show (free() it). NULL: no --otlp. */
	char *(*send_now)(void *arg);
	/* True: the run is complete; the console draws once more and ends. May be NULL. */
	bool (*done)(void *arg);
	/* Problem of the source (a truncated recording), or NULL. */
	const char *(*problem)(void *arg);
};

struct app_config {
	struct history *history;	/* filled by the source */
	const struct session *session;
	struct app_source source;
	u64 interval_ns;
	bool replay;		/* plays the history from its start */
	bool follow_end;	/* replay of a pipe: show the newest */
	const char *view;	/* name of the first view, or NULL */
	u64 pid;		/* first context, or 0 */
	bool ascii;		/* also set by the terminal's needs */
	bool no_color;
	u64 always;		/* TABLE_BIT()s always needed (by an exporter or a recording) */
};

/*
 * Runs the console on the terminal in_fd, out_fd until the user quits, a signal ends it or the
 * terminal goes away. Exit status: 0, or 1 with an error message on stderr. The terminal is always
 * restored.
 */
struct console_config {
	struct app_config app;
	int in_fd, out_fd;
};
int console_run(const struct console_config *config);

/* Whether there is a view of that name; app_view_names() lists them. */
bool app_view_exists(const char *name);
/* All names, separated by ", "; static. */
const char *app_view_names(void);

/* ---- driving it ----------------------------------------------------------- */

struct app *app_new(const struct app_config *config, int rows, int cols);
void app_free(struct app *a);		/* NULL-safe */
/* Handles a new snapshot, already in the history; takes over the reference. */
void app_tick(struct app *a, const struct snapshot *s);
void app_history_grew(struct app *a);
/* Handles a key; false: quit. */
bool app_key(struct app *a, u32 key);
void app_resize(struct app *a, int rows, int cols);
/* Advances timers: expires messages, plays a replay. Returns ms until the next call, or -1. */
int app_time(struct app *a, u64 now_ns);
/* Draws the whole screen. */
void app_draw(struct app *a, struct canvas *c);
/* Whether something changed since the last app_draw(). */
bool app_dirty(const struct app *a);
/* Text for the terminal's clipboard (free() it), or NULL. */
char *app_take_copy(struct app *a);

/* ---- for views (with table_env.h) --------------------------------------------- */

/* Index of the shown snapshot in the history, at most history_len() - 1. -1: none. */
int app_history_index(const struct app *a);
/* False while paused, stepping or replaying. */
bool app_live(const struct app *a);
/* Whether the table was observed in the shown snapshot, so that its rows can be counted. */
bool app_collected(const struct app *a, enum table_id t);
/* Observed too briefly to call the table empty: buf says so. Not for recordings and past ticks. */
bool app_too_early(const struct app *a, enum table_id t, char *buf, size_t cap);
/*
 * Text to show in place of missing rows: `none` if there is evidence for it; else that it is too
 * early, or which part of the table is not observed. pid: the process concerned (0: the host). May
 * return buf.
 */
const char *app_none(const struct app *a, enum table_id t, u64 pid, const char *none, char *buf, size_t cap);
/* Showing a recording: missing data will not arrive. */
bool app_replaying(const struct app *a);
/* Why rows of the context's process are missing: "not read yet", "not recorded" ... */
const char *app_missing(const struct app *a);
/* The process named in the note line when the host is under pressure, or NULL. */
const struct processes_row *app_pressed(const struct app *a);

/* The context's process: its newest row at the shown moment, kept after its end; NULL: none. */
const struct processes_row *app_process(const struct app *a);

/*
 * Enters a level, `label` in the breadcrumb; keeps `row` (or NULL). Backspace returns to this row
 * and scroll position.
 */
void app_enter(struct app *a, const char *view, u64 pid, u64 start_time_ns,
	       const struct row *row, const char *label);
/* Enters a process: its card, or `view` if not NULL. */
void app_enter_process(struct app *a, u64 pid, u64 start_time_ns, const char *view);
/* As app_enter_process(), from a row, which may be of an ended process. */
void app_enter_row(struct app *a, const struct processes_row *p, const char *view);
/* Enters a group of the table on the screen, showing its rows. */
void app_enter_group(struct app *a, const struct row *sum);
/* Switches the view at the same level; face: index of the face, -1: the last one used. */
void app_show(struct app *a, const char *view, int face);
/* Leaves the level; false at the top. */
bool app_up(struct app *a);

int app_cols(const struct app *a);	/* of the screen */
/* Index of the current view's face. */
int app_face(const struct app *a);
void app_set_face(struct app *a, int face);
/* State of a view, for callbacks that do not receive it. */
void *app_view_state(const struct app *a, const struct view *v);
/* The table of the view on the screen, or NULL. */
struct tableview *app_table(const struct app *a);
/* For draw(): the frame is unfinished and is drawn again at once, after pending keys. */
void app_again(struct app *a);
/* Stack frames on the screen, most important first: they get source lines. */
void app_see(struct app *a, const u32 *frames, u32 n);
/* Asks for an address's name, which (or the reason why not) appears in the table `names`. */
void app_ask_name(const struct app *a, const char *addr);
/* Flushes the exporter's queue and shows a message. */
void app_send_now(struct app *a);
/* Copies text, which must be clean, to the terminal's clipboard; `what` names it in the message. */
void app_copy(struct app *a, const char *what, const char *text);
#define LOSSY_PCT 1	/* retransmitted segments for a note: screens.md 2.4 */
/* "10.0.0.7: 3.1 % of segments sent again · KEY": most retransmits above LOSSY_PCT; false: none. */
bool app_note_peers(struct app *a, char *buf, size_t cap, const char *key);
/* "POST /x p99 812ms, was 96ms · KEY": a p99 far above its five-minute median; false: none. */
bool app_note_slow(struct app *a, char *buf, size_t cap, const char *key);
/* "POST /x: 3.1 % failed, server of node 2214 · KEY": highest error rate, servers first. */
bool app_note_failing(const struct app *a, char *buf, size_t cap, const char *key);
/*
 * The view's search text, or NULL for canvas views, where a list's search would only dim the graph.
 */
const char *app_search_text(const struct app *a);

/* Draws a message in place of missing content, wrapped; returns its number of lines. */
int app_draw_words(struct canvas *c, struct rect body, u32 style, const char *fmt, ...) __printf(4, 5);
/*
 * Draws why a table has no rows (off, starting, blocked, not recorded). True: nothing else to draw.
 */
bool app_draw_state(struct app *a, struct canvas *c, struct rect body, enum table_id t);
