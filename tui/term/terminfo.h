/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminfo.h: built-in terminal descriptions; for term.c only. */
#pragma once

/* Registers a built-in description for $TERM with ncurses. Returns setupterm()'s name, or NULL. */
const char *terminfo_built_in(const char *term);
/* Only the name; NULL: not a common terminal. */
const char *terminfo_like(const char *term);
