/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app.h: the console: which view is on the screen, in which context, at which
 * moment. It knows nothing of the sampler, of recordings or of the terminal:
 *
 *	live	main.c gives callbacks, console_run() waits for keys and ticks
 *	replay	the same with a history that fills from a recording
 *	test	app_new(), app_tick(), app_key(), app_draw() -> canvas_dump()
 */
#ifndef OTTOP_APP_H
#define OTTOP_APP_H

#include "bpf/model/snapshot.h"
#include "tui/term/canvas.h"
#include "tui/app/keys.h"
#include "tui/table/table.h"
#include "tui/table/table_env.h"
#include "tui/app/view.h"

/* ---- for main.c ---------------------------------------------------------- */

/* Where snapshots come from and what the console may ask for. `arg` is passed on. */
struct app_source {
	void *arg;
	/* For poll(): readable while something waits; -1: nothing will come any more. */
	int (*fd)(void *arg);
	/*
	 * Takes the next snapshot that waits and appends it to the history; the
	 * console owns one reference. NULL: nothing waits. A replay only lets its
	 * history grow and returns NULL.
	 */
	const struct snapshot *(*take)(void *arg);
	/* These may be NULL (replay). */
	void (*want)(void *arg, u64 tables, u64 pid, u64 start_time_ns);
	/* The pids of the rows that are on the screen; told when they change. */
	void (*look)(void *arg, const u32 *pids, u32 n);
	/* Frames of stacks that are seen from now on, those that matter most first. */
	void (*see)(void *arg, const u32 *frames, u32 n);
	void (*scope)(void *arg, bool to_the_wanted_process);
	void (*interval)(void *arg, u64 interval_ns);
	/*
	 * Starts (on) or ends a recording; `path` may be NULL: choose a name. Returns
	 * the line to show (free() it). *ret_on: whether it records now.
	 */
	char *(*record)(void *arg, bool on, const char *path, bool *ret_on);
	u64 (*record_bytes)(void *arg);
	/*
	 * Writes one snapshot as JSON, or the stacks of the window that began at from_ns
	 * (CLOCK_BOOTTIME) and ends with it as a profile; `path` may be NULL. The line to
	 * show; free() it.
	 */
	char *(*write)(void *arg, const struct snapshot *s, u64 tables, u64 from_ns, const char *path);
	/* Looks up the name of an address; the table `names` will say. Never waits. May be NULL. */
	void (*ask_name)(void *arg, const char *addr);
	/* Sends what waits for the collector of --otlp now. The line to show (free() it). NULL: none is. */
	char *(*send_now)(void *arg);
	/* True: enough was taken; the console draws it and ends. May be NULL. */
	bool (*done)(void *arg);
	/* What is wrong with the source (a recording cut short), or NULL. */
	const char *(*problem)(void *arg);
};

struct app_config {
	struct history *history;	/* filled by the source */
	const struct session *session;
	struct app_source source;
	u64 interval_ns;
	bool replay;		/* plays the history from its start */
	bool follow_end;	/* replay of a pipe: shows the newest */
	const char *view;	/* name of the first view, or NULL */
	u64 pid;		/* first context, or 0 */
	bool ascii;		/* --ascii; the terminal may ask for it too */
	bool no_color;
	u64 always;		/* TABLE_BIT()s wanted whatever is shown (an exporter, a recording) */
};

/*
 * Runs the console on the terminal of fds in_fd and out_fd until the user quits,
 * a signal ends it or the terminal goes away. Exit status: 0, or 1 with one
 * line on stderr. The terminal is always restored.
 */
struct console_config {
	struct app_config app;
	int in_fd, out_fd;
};
int console_run(const struct console_config *config);

/* True when there is a view of that name; names are listed by app_view_names(). */
bool app_view_exists(const char *name);
/* All names, separated by ", "; static. */
const char *app_view_names(void);

/* ---- driving it ----------------------------------------------------------- */

struct app *app_new(const struct app_config *config, int rows, int cols);
void app_free(struct app *a);		/* NULL-safe */
/* A new snapshot (in the history already); takes over the reference. */
void app_tick(struct app *a, const struct snapshot *s);
/* The history of a replay grew. */
void app_history_grew(struct app *a);
/* A key; false: the console is to end. */
bool app_key(struct app *a, u32 key);
void app_resize(struct app *a, int rows, int cols);
/* Time passed: messages go away, a replay plays on. Returns ms until it wants to be called again, or -1. */
int app_time(struct app *a, u64 now_ns);
/* Draws the whole screen. */
void app_draw(struct app *a, struct canvas *c);
/* True when something changed since the last app_draw(). */
bool app_dirty(const struct app *a);
/* What the terminal is to have in its clipboard (free() it), or NULL. */
char *app_take_copy(struct app *a);

/* ---- for views (with table_env.h) --------------------------------------------- */

/* Index of the shown snapshot in the history; it is at most history_len() - 1. -1: none. */
int app_history_index(const struct app *a);
/* False while paused, stepping or replaying. */
bool app_live(const struct app *a);
/* Are there rows of the table to be counted in what is shown? */
bool app_collected(const struct app *a, enum table_id t);
/*
 * Is the table looked at for too short a time to say that something is not there?
 * Then buf is what is said in place of that. Never so in a recording, or of the past.
 */
bool app_too_early(const struct app *a, enum table_id t, char *buf, size_t cap);
/*
 * What is said in place of rows that are not there: `none` only where there is evidence
 * for it; else that it is too early, or what of the table is not observed. pid: of whom
 * (0: the host). The result may be buf.
 */
const char *app_none(const struct app *a, enum table_id t, u64 pid, const char *none, char *buf, size_t cap);
/* What is shown was recorded: what is not there will never come. */
bool app_replaying(const struct app *a);
/* Why rows of the process of the context are missing: "not read yet", "not recorded" ... */
const char *app_missing(const struct app *a);
/* The process that the note line names when the host is under pressure, or NULL. */
const struct processes_row *app_pressed(const struct app *a);

/* The process of the context: its newest row at the shown moment, also after its end; NULL: none. */
const struct processes_row *app_process(const struct app *a);

/*
 * One level down: `label` is what the breadcrumb says of it. `row` (may be NULL)
 * is kept. Backspace comes back here, to the same row and scroll position.
 */
void app_enter(struct app *a, const char *view, u64 pid, u64 start_time_ns,
	       const struct row *row, const char *label);
/* One level down to a process: its card, or `view` when that is not NULL. */
void app_enter_process(struct app *a, u64 pid, u64 start_time_ns, const char *view);
/* The same for a process whose row is at hand: it may have ended. */
void app_enter_row(struct app *a, const struct processes_row *p, const char *view);
/* One level down to a group of the table on the screen: its rows. */
void app_enter_group(struct app *a, const struct row *sum);
/* Another view at the same level; face: index in its faces, -1: as it was left. */
void app_show(struct app *a, const char *view, int face);
/* One level up; false at the top. */
bool app_up(struct app *a);

int app_cols(const struct app *a);
/* Face of the present view, 0.. */
int app_face(const struct app *a);
void app_set_face(struct app *a, int face);
/* The state of a view (for callbacks that are not given it). */
void *app_view_state(const struct app *a, const struct view *v);
/* The table of the view on the screen, or NULL. */
struct tableview *app_table(const struct app *a);
/*
 * For draw(): there was more to compute than one frame may take. It is drawn
 * again at once, but keys come first.
 */
void app_again(struct app *a);
/* Frames of stacks that are on the screen, those that matter most first: they get source lines. */
void app_see(struct app *a, const u32 *frames, u32 n);
/* Asks the source for the name of an address: the table `names` will have it, or why there is none. */
void app_ask_name(const struct app *a, const char *addr);
/* Has the exporter send what waits now, and says so. */
void app_send_now(struct app *a);
/* Puts text, which must be clean, into the clipboard of the terminal; `what` is said to be copied. */
void app_copy(struct app *a, const char *what, const char *text);
#define LOSSY_PCT 1	/* above this share of segments sent again it is said: screens.md 2.4 */
/*
 * "10.0.0.7: 3.1 % of segments sent again · KEY" for the remote address that loses
 * most, when it is more than LOSSY_PCT; false: none.
 */
bool app_note_peers(struct app *a, char *buf, size_t cap, const char *key);
/* "POST /x p99 812ms, was 96ms · KEY": an endpoint whose p99 left its own median of five minutes; false: none. */
bool app_note_slow(struct app *a, char *buf, size_t cap, const char *key);
/* "POST /x: 3.1 % failed, server of node 2214 · KEY": the one that fails most often, servers first; false: none. */
bool app_note_failing(const struct app *a, char *buf, size_t cap, const char *key);
/*
 * The search text that was typed in this view, or NULL; canvas views search themselves.
 * What was sought in a list would only dim all of a graph.
 */
const char *app_search_text(const struct app *a);

/* A statement in place of what is not there, in as many lines as it takes: their number. */
int app_draw_words(struct canvas *c, struct rect body, u32 style, const char *fmt, ...) __printf(4, 5);
/*
 * Draws the state of a table that has no rows to show (off, starting, blocked:
 * what, why, do, else; not recorded). True: it did, and the view draws nothing more.
 */
bool app_draw_state(struct app *a, struct canvas *c, struct rect body, enum table_id t);

#endif
