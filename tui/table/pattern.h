/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pattern.h: regular expressions typed by the user (POSIX extended), for filters and searches.
 * glibc's regcomp() copies repeated parts, and its time doubles with each consecutive repetition: a
 * typed pattern must not stop the console.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>

#define PATTERN_MAX 700		/* bytes, including replaced braces */

/*
 * Compiles text into *ret (the caller's, to regfree(), if 0 is returned). Case matters only if text
 * contains an upper-case letter. literal_braces: '{' and '}' are literals, as in function names
 * ("{lambda()#1}"). Returns 0 or an error of regcomp(); REG_ESPACE if it is too long or too
 * repetitive.
 */
int pattern_compile(regex_t *ret, const char *text, bool literal_braces);
