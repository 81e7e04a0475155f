/* SPDX-License-Identifier: GPL-2.0-or-later */
/* strset.h: strings, each once, numbered in the order in which they came. */
#ifndef OTTOP_STRSET_H
#define OTTOP_STRSET_H

#include "bpf/model/index.h"

struct strset {
	char **items;	/* owned */
	u32 n, cap;
	struct index index;
};

/* The number of this string; a new one is copied. */
u32 strset_add(struct strset *s, const char *text);
/* The same for a printf format. */
u32 strset_addf(struct strset *s, const char *fmt, ...) __printf(2, 3);
/* Frees the strings and the set. */
void strset_free(struct strset *s);
/* Frees the set and gives the array of strings away. */
char **strset_take(struct strset *s);

#endif
