/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.h: which rows a person wants to see: "pid:2214 user:shop curl" is two
 * terms on columns and a regular expression on the text of the whole row; all
 * have to match. Values of text columns are POSIX extended regular expressions;
 * those of numbers are a number, or >N or <N. Case matters only where the
 * pattern has an upper-case letter.
 */
#ifndef OTTOP_FILTER_H
#define OTTOP_FILTER_H

#include "bpf/model/snapshot.h"

struct filter;

/*
 * NULL on failure: `error` says what is wrong, at which column. "word:" has to be a
 * column ("\:" is a colon of a text).
 */
struct filter *filter_new(enum table_id t, const char *text, char *error, size_t cap);
/* The same for a search, where "word:" that is no column is part of the text. */
struct filter *filter_new_search(enum table_id t, const char *text, char *error, size_t cap);
bool filter_match(const struct filter *f, const struct row *r);
void filter_free(struct filter *f);	/* NULL-safe */

/* The columns that are typed most, of those the table has: "pid: comm: user:". */
void filter_columns(enum table_id t, char *buf, size_t cap);
/* Field by member name, by an alias (comm, port, ...) or by its title; -1: none. */
int filter_field(enum table_id t, const char *name, size_t n);

#endif
