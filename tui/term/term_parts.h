/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * term_parts.h: what the files of the terminal share (term.c, term_show.c, term_keys.c): theirs alone, and
 * the only ones that include ncurses.
 */
#ifndef OTTOP_TERM_PARTS_H
#define OTTOP_TERM_PARTS_H

#define NCURSES_WIDECHAR 1
#include <curses.h>

#include "tui/term/term.h"
#include "tui/term/termio.h"
#include "tui/term/theme.h"
#include "tui/term/typeahead.h"

#include <term.h>	/* last: it defines hundreds of short names */

struct terminal {
	int in_fd, out_fd;
	int write_fd;		/* the same terminal as out_fd, does not block; or out_fd */
	bool ascii, light, gone, redraw;
	enum depth depth;
	int rows, cols;
	FILE *sink, *input;	/* `input` is the pipe of `ahead` */
	struct typeahead ahead;
	int sink_fd;
	const char *like;	/* name of the built-in description; NULL: $TERM is in the database */
	SCREEN *screen;
	WINDOW *keys;		/* a pad: reading from it draws nothing */
	struct cell *shown;	/* what the terminal shows */
	cchar_t *line;
	s16 pairs[N_ROLES][N_ROLES];	/* 0: not made yet */
	int n_pairs;
	s32 rgb[N_ROLES];
};

/* Finds how many colours there are, and which. */
void term_find_colors(struct terminal *t, bool no_color);
/* Whether the background is light, as the environment or the terminal itself says. */
bool term_find_light(struct terminal *t);
/* Sends what ncurses wrote since the last time. */
void term_send(struct terminal *t);
/* Looks how large the terminal is now; the next frame is sent in full. */
void term_find_size(struct terminal *t);
void term_leave_screen(struct terminal *t);

#endif
