/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pattern.h: regular expressions that a person types (POSIX extended ones), as
 * filters and searches. glibc's regcomp() copies what is repeated and, where
 * repetitions follow each other, takes a time that doubles with each; a typed
 * pattern must not stop the console.
 */
#ifndef TUI_PATTERN_H
#define TUI_PATTERN_H

#include <regex.h>
#include <stdbool.h>

#define PATTERN_MAX 700		/* bytes, with what is written in place of braces */

/*
 * Compiles text into *ret (the caller's, for regfree(), when 0 is returned).
 * Case matters only where text has an upper-case letter. literal_braces: '{' and
 * '}' stand for themselves, as in names of functions ("{lambda()#1}").
 * Returns 0 or an error of regcomp(); REG_ESPACE for what is too long or repeats
 * too much.
 */
int pattern_compile(regex_t *ret, const char *text, bool literal_braces);

#endif
