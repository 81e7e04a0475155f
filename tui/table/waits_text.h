/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waits_text.h: "lock on /var/lib/x.db held by 4821 (postgres)" where it has to be short: who holds it
 * stays whole as long as anything does, what gives way is the middle of the path.
 */
#ifndef OTTOP_WAITS_TEXT_H
#define OTTOP_WAITS_TEXT_H

#include "tui/term/canvas.h"

/* Draws a `waits_on` in at most width columns; returns how many it took. */
int waits_draw(struct canvas *c, int row, int col, int width, u32 style, const char *waits_on);
/* The same with the last part of a long path alone, for a line that is cut at its end. */
const char *waits_short(const char *waits_on, char *buf, size_t cap);
/*
 * What `waits_on` says where the name of the call stands before it: without the word that both begin
 * with ("futex", "held by tid 77"; "epoll_wait", "3 sockets"). Of waits_on; NULL: "".
 */
const char *waits_after(const char *call, const char *waits_on);

#endif
