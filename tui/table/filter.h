/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.h: selects rows: "pid:2214 user:shop curl" is two terms on columns and a regular
 * expression on the text of the whole row; all must match. Values of text columns are POSIX
 * extended regular expressions, of numeric columns a number, >N or <N. Case matters only if the
 * pattern contains an upper-case letter.
 */
#pragma once

#include "bpf/model/snapshot.h"

struct filter;

/*
 * NULL: `error` says what is wrong, and where. "word:" must be a column ("\:" is a literal colon).
 */
struct filter *filter_new(enum table_id t, const char *text, char *error, size_t cap);
/* As filter_new(), for a search, in which an unknown "word:" is text. */
struct filter *filter_new_search(enum table_id t, const char *text, char *error, size_t cap);
bool filter_match(const struct filter *f, const struct row *r);
void filter_free(struct filter *f);	/* NULL-safe */

/* The most used columns among those the table has: "pid: comm: user:". */
void filter_columns(enum table_id t, char *buf, size_t cap);
/* Index of a field by member name, alias (comm, port, ...) or title; -1: none. */
int filter_field(enum table_id t, const char *name, size_t n);
