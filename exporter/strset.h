/* SPDX-License-Identifier: GPL-2.0-or-later */
/* strset.h: a set of strings, numbered in order of insertion. */
#pragma once

#include "bpf/model/index.h"

struct strset {
	char **items;	/* owned */
	u32 n, cap;
	struct index index;
};

/* Number of the string, which is copied if new. */
u32 strset_add(struct strset *s, const char *text);
/* As strset_add(), for a printf format. */
u32 strset_addf(struct strset *s, const char *fmt, ...) __printf(2, 3);
void strset_free(struct strset *s);
/* Frees the set and hands its array of strings to the caller. */
char **strset_take(struct strset *s);
