/* SPDX-License-Identifier: GPL-2.0-or-later */
/* play.h: plays the help of a view key by key. */
#ifndef OTTOP_SCREEN_PLAY_H
#define OTTOP_SCREEN_PLAY_H

#include "tui/app/app.h"

struct play {
	const char *keys;	/* that lead to the view, separated by blanks */
	/* A new console with all ticks in it, and its canvas. */
	struct app *(*open)(void *arg, struct canvas **ret_c);
	void (*close)(void *arg, struct app *a, struct canvas *c);
	void *arg;
};

/* Keys that are listed and do nothing, or do something and are not listed: prints them, returns how many. */
int play_view(const struct play *p);

/* What is on the screen when all that is drawn in portions is drawn; free() it. */
char *play_screen(struct app *a, struct canvas *c);

#endif
