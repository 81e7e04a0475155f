/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * term.h: the terminal. term.c takes it and gives it back, term_show.c turns a canvas into the
 * fewest bytes, term_keys.c bytes into key codes: only these know ncurses. termio.c has the parts
 * that need none: modes, signals, the way out.
 */
#ifndef OTTOP_TERM_H
#define OTTOP_TERM_H

#include "bpf/model/base.h"
#include "tui/term/canvas.h"

struct terminal;

struct term_options {
	int in_fd, out_fd;
	bool ascii;	/* draw ASCII even where the terminal could do more */
	bool no_color;	/* also set by NO_COLOR in the environment */
};

/*
 * Takes the terminal: raw mode, alternate screen, signal handlers that give it
 * back whatever happens. NULL: *ret_error is one line (free() it).
 */
struct terminal *term_open(const struct term_options *o, char **ret_error);
/* Gives the terminal back as it was. NULL-safe. */
void term_close(struct terminal *t);

/* What the canvas for it has to be. */
int term_rows(const struct terminal *t);
int term_cols(const struct terminal *t);
bool term_ascii(const struct terminal *t);
bool term_fills(const struct terminal *t);

/* Shows the canvas; only what changed since the last time is sent. */
void term_show(struct terminal *t, const struct canvas *c);
/* Asks the terminal to keep text in its clipboard (OSC 52); many permit it, none answers. */
void term_copy(struct terminal *t, const char *text);
/* The next frame is sent in full. */
void term_redraw(struct terminal *t);
/*
 * The next key that waits, K_RESIZE, K_CLOSED, or K_NONE; Ctrl-C before all others. Never waits longer
 * than an escape sequence takes.
 */
u32 term_key(struct terminal *t);
/* Another descriptor for poll(): readable when a signal came that term_key() will report. */
int term_signal_fd(const struct terminal *t);
/* Stops the process as Ctrl-Z does elsewhere, and takes the terminal again when it goes on. */
void term_suspend(struct terminal *t);

#endif
