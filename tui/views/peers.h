/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peers.h: peers of one process, for its card and the preview below the list. */
#ifndef OTTOP_VIEWS_PEERS_H
#define OTTOP_VIEWS_PEERS_H

#include "tui/app/app.h"

/*
 * The title and, below it, the addresses with most traffic, in the lines of r; if there are none,
 * why. Returns the lines with an address.
 */
int peers_draw(struct app *a, struct canvas *c, struct rect r, const struct snapshot *s,
	       const struct processes_row *p);

#endif
