// SPDX-License-Identifier: GPL-2.0-or-later
/* console.c: the main loop: keys and ticks in, frames out. It blocks only in poll(). */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "tui/app/app.h"
#include "tui/term/term.h"

#define BATCH_NS (100 * NSEC_PER_MSEC)	/* maximum time of handling keys or ticks between frames */

struct console {
	struct app *app;
	struct terminal *term;
	struct canvas *canvas;
	const struct app_source *source;
	u64 last_seq;		/* newest sequence seen in the history */
	struct history *history;
	bool more_keys;		/* pending beyond the limit of one frame */
};

/*
 * Takes pending snapshots, of which only the newest is drawn. If they arrive too fast keys and
 * frames come in between.
 */
static void take_ticks(struct console *con)
{
	u64 until_ns = boottime_ns() + BATCH_NS;
	const struct snapshot *s;
	u32 n;

	while ((s = con->source->take(con->source->arg))) {
		app_tick(con->app, s);
		if (boottime_ns() >= until_ns)
			break;
	}
	n = con->history ? history_len(con->history) : 0;
	/* By sequence number: the length of a full history does not change. */
	if (n && history_seq(con->history, n - 1) != con->last_seq) {
		con->last_seq = history_seq(con->history, n - 1);
		app_history_grew(con->app);
	}
}

static void resize(struct console *con)
{
	int rows = term_rows(con->term), cols = term_cols(con->term);

	canvas_resize(con->canvas, rows, cols);
	app_resize(con->app, rows, cols);
}

static void redraw(struct console *con)
{
	term_redraw(con->term);
	resize(con);
}

/* Handles pending keys in one frame (continuous input: frames at intervals). False: quit. */
static bool take_keys(struct console *con)
{
	u64 until_ns = boottime_ns() + BATCH_NS;
	u32 key;

	while (!(con->more_keys = boottime_ns() >= until_ns) && (key = term_key(con->term)) != K_NONE) {
		if (key == K_CTRL + 'z')
			term_suspend(con->term);
		if (key == K_RESIZE || key == K_CTRL + 'z')
			resize(con);
		else if (key == K_CTRL + 'l')
			redraw(con);
		else if (!app_key(con->app, key))
			return false;
	}
	return true;
}

static void copy(struct console *con)
{
	char *text = app_take_copy(con->app);

	if (text)
		term_copy(con->term, text);
	free(text);
}

static void draw(struct console *con)
{
	if (!app_dirty(con->app))
		return;
	app_draw(con->app, con->canvas);
	term_show(con->term, con->canvas);
}

static void wait_for_something(struct console *con, int in_fd, int timeout_ms)
{
	struct pollfd fds[3] = {
		{ .fd = in_fd, .events = POLLIN },
		{ .fd = term_signal_fd(con->term), .events = POLLIN },
		{ .fd = con->source->fd ? con->source->fd(con->source->arg) : -1, .events = POLLIN },
	};

	poll(fds, ARRAY_SIZE(fds), timeout_ms);
}

static void loop(struct console *con, int in_fd)
{
	for (;;) {
		int timeout_ms;

		if (!take_keys(con))
			return;
		copy(con);
		take_ticks(con);
		timeout_ms = app_time(con->app, boottime_ns());
		draw(con);
		if (con->source->done && con->source->done(con->source->arg))
			return;
		wait_for_something(con, in_fd, con->more_keys || app_dirty(con->app) ? 0 : timeout_ms);
	}
}

int console_run(const struct console_config *config)
{
	struct app_config app = config->app;
	struct term_options options = {
		.in_fd = config->in_fd, .out_fd = config->out_fd,
		.ascii = app.ascii, .no_color = app.no_color,
	};
	struct console con = { .source = &config->app.source, .history = app.history };
	char *error = NULL;

	con.term = term_open(&options, &error);
	if (!con.term) {
		fprintf(stderr, "ottop: %s\n", error);
		free(error);
		return 1;
	}
	log_to_stderr(false);
	con.canvas = canvas_new(term_rows(con.term), term_cols(con.term), term_ascii(con.term),
				term_fills(con.term));
	con.app = app_new(&app, term_rows(con.term), term_cols(con.term));
	loop(&con, config->in_fd);
	term_close(con.term);
	log_to_stderr(true);
	app_free(con.app);
	canvas_free(con.canvas);
	return 0;
}
