/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminfo.h: descriptions of terminals that are compiled in; for term.c only. */
#ifndef OTTOP_TERMINFO_H
#define OTTOP_TERMINFO_H

/*
 * Makes the description that suits a $TERM known to ncurses, also where there is
 * no terminfo database. Returns the name to give to setupterm(), or NULL.
 */
const char *terminfo_built_in(const char *term);
/* The name alone; NULL: no terminal of everyday. */
const char *terminfo_like(const char *term);

#endif
