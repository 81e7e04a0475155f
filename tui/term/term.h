/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * term.h: the terminal. term.c opens and restores it, term_show.c turns a canvas into the fewest
 * bytes, term_keys.c bytes into key codes: only these use ncurses. termio.c has the rest: modes,
 * signals, output.
 */
#pragma once

#include "bpf/model/base.h"
#include "tui/term/canvas.h"

struct terminal;

struct term_options {
	int in_fd, out_fd;
	bool ascii;	/* draw ASCII even if the terminal supports more */
	bool no_color;	/* also set by NO_COLOR in the environment */
};

/* Opens the terminal: raw, alternate screen, restored by handlers. NULL: *ret_error, to free(). */
struct terminal *term_open(const struct term_options *o, char **ret_error);
/* Restores the terminal. NULL-safe. */
void term_close(struct terminal *t);

/* Properties for its canvas. */
int term_rows(const struct terminal *t);
int term_cols(const struct terminal *t);
bool term_ascii(const struct terminal *t);
bool term_fills(const struct terminal *t);

/* Shows the canvas; only changes since the last frame are sent. */
void term_show(struct terminal *t, const struct canvas *c);
/* Copies text to the terminal's clipboard (OSC 52); many terminals permit it, none confirms. */
void term_copy(struct terminal *t, const char *text);
/* Sends the next frame in full. */
void term_redraw(struct terminal *t);
/*
 * The next key, K_RESIZE, K_CLOSED or K_NONE; Ctrl-C first. Waits at most for an escape sequence.
 */
u32 term_key(struct terminal *t);
/* For poll(): readable when a signal arrived that term_key() will report. */
int term_signal_fd(const struct terminal *t);
/* Stops the process, as for Ctrl-Z, and reopens the terminal when it continues. */
void term_suspend(struct terminal *t);
