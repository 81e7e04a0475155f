/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminfo.h: built-in terminal descriptions; for term.c only. */
#ifndef OTTOP_TERMINFO_H
#define OTTOP_TERMINFO_H

/*
 * Registers the description for a $TERM with ncurses, even without a terminfo database. Returns the
 * name for setupterm(), or NULL.
 */
const char *terminfo_built_in(const char *term);
/* Only the name; NULL: not a common terminal. */
const char *terminfo_like(const char *term);

#endif
