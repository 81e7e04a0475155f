/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dictionary.h: the tables that all profiles of one message share. Of each table the first entry is
 * the zero value, none is there twice, and none that nothing refers to: an entry is made when it is
 * asked for, after what it refers to.
 */
#ifndef OTTOP_OTLP_DICTIONARY_H
#define OTTOP_OTLP_DICTIONARY_H

#include "exporter/otlp/message.h"
#include "exporter/profile.h"
#include "profiles.pb-c.h"

struct dictionary {
	struct scratch *scratch;
	Otlp__ProfilesDictionary *message;
	/* Keys of what is in each table, in its order. */
	struct strset strings, attributes, mappings, functions, locations, stacks;
};

void dictionary_begin(struct dictionary *d, struct scratch *a);
/* Indexes; 0 for what is blank or unknown. */
s32 dictionary_text(struct dictionary *d, const char *text);
s32 dictionary_attribute(struct dictionary *d, const char *key, const char *text);
s32 dictionary_number(struct dictionary *d, const char *key, u64 number);
/* The stack of a profile, with what was inlined, and where it was cut. */
s32 dictionary_stack(struct dictionary *d, const struct profile *p, const struct profile_stack *s);
/* The texts belong to the message until dictionary_free(). */
void dictionary_end(struct dictionary *d);
void dictionary_free(struct dictionary *d);

/* A repeated int32 field with those of the n indexes that are not 0; *ret_n of them. */
s32 *dictionary_indices(struct scratch *a, const s32 *from, u32 n, size_t *ret_n);

#endif
