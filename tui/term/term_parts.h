/* SPDX-License-Identifier: GPL-2.0-or-later */
/* term_parts.h: private to term.c, term_show.c and term_keys.c, the only users of ncurses. */
#pragma once

#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "tui/term/term.h"
#include "tui/term/termio.h"
#include "tui/term/theme.h"
#include "tui/term/typeahead.h"

#include <term.h>	/* last: defines hundreds of short names */

struct terminal {
	int in_fd, out_fd;
	int write_fd;		/* out_fd reopened without blocking; or out_fd */
	bool ascii, light, gone, redraw;
	enum depth depth;
	int rows, cols;
	FILE *sink, *input;	/* `input` is the pipe of `ahead` */
	struct typeahead ahead;
	int sink_fd;
	const char *like;	/* name of the built-in description; NULL: from the database */
	SCREEN *screen;
	WINDOW *keys;		/* a pad: reading from it does not draw */
	struct cell *shown;	/* current content of the terminal */
	cchar_t *line;
	s16 pairs[N_ROLES][N_ROLES];	/* 0: not allocated */
	int n_pairs;
	s32 rgb[N_ROLES];
};

/* Determines the number and kind of colours. */
void term_find_colors(struct terminal *t, bool no_color);
/* Whether the background is light, by the environment or the terminal's answer. */
bool term_find_light(struct terminal *t);
/* Sends ncurses's output since the last time. */
void term_send(struct terminal *t);
/* Reads the terminal's size; the next frame is sent in full. */
void term_find_size(struct terminal *t);
void term_leave_screen(struct terminal *t);
