/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waits_text.h: shortens texts such as "lock on /var/lib/x.db held by 4821 (postgres)": the holder
 * is kept longest, the middle of the path is dropped first.
 */
#pragma once

#include "tui/term/canvas.h"

/* Draws a `waits_on` in at most width columns; returns how many were used. */
int waits_draw(struct canvas *c, int row, int col, int width, u32 style, const char *waits_on);
/* With only the last part of a long path, for a line truncated at its end. */
const char *waits_short(const char *waits_on, char *buf, size_t cap);
/*
 * waits_on without the word it shares with the call's name ("futex", "held by tid 77"). NULL: "".
 */
const char *waits_after(const char *call, const char *waits_on);
