/* SPDX-License-Identifier: GPL-2.0-or-later */
/* play.h: plays a view's help key by key. */
#pragma once

#include "tui/app/app.h"

struct play {
	const char *keys;	/* keys leading to the view, separated by blanks */
	/* A new console with all ticks, and its canvas. */
	struct app *(*open)(void *arg, struct canvas **ret_c);
	void (*close)(void *arg, struct app *a, struct canvas *c);
	void *arg;
};

/* Prints listed keys without effect and unlisted keys with one; returns their number. */
int play_view(const struct play *p);

/* The screen once everything is drawn; free() it. */
char *play_screen(struct app *a, struct canvas *c);
