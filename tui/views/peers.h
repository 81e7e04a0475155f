/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peers.h: peers of one process, for its card and the preview below the list. */
#pragma once

#include "tui/app/app.h"

/* Draws a title and the busiest addresses, or why there are none. Returns the lines with one. */
int peers_draw(struct app *a, struct canvas *c, struct rect r, const struct snapshot *s,
	       const struct processes_row *p);
