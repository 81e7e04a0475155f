/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dictionary.h: tables shared by a message's profiles. Entry 0 is the zero value; entries are
 * unique, after those they refer to.
 */
#pragma once

#include "exporter/otlp/message.h"
#include "exporter/profile.h"
#include "profiles.pb-c.h"

struct dictionary {
	struct scratch *scratch;
	Otlp__ProfilesDictionary *message;
	/* keys of the entries of each table, in order */
	struct strset strings, attributes, mappings, functions, locations, stacks;
};

void dictionary_begin(struct dictionary *d, struct scratch *a);
/* Indexes; 0 for blank and unknown values. */
s32 dictionary_text(struct dictionary *d, const char *text);
s32 dictionary_attribute(struct dictionary *d, const char *key, const char *text);
s32 dictionary_number(struct dictionary *d, const char *key, u64 number);
/* A stack of a profile with its inlined frames and, if it is truncated, a frame that says so. */
s32 dictionary_stack(struct dictionary *d, const struct profile *p, const struct profile_stack *s);
/* Fills the message's tables, which refer to texts of d until dictionary_free(). */
void dictionary_end(struct dictionary *d);
void dictionary_free(struct dictionary *d);

/* A repeated int32 field of those of the n indexes that are not 0; *ret_n: how many. */
s32 *dictionary_indices(struct scratch *a, const s32 *from, u32 n, size_t *ret_n);
