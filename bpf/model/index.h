/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index.h: finds places in a growing array by a hash of their contents, which the owner compares. 8
 * bytes a slot, at least two slots a place. Zeroed memory is empty.
 */
#pragma once

#include "bpf/model/base.h"

#define INDEX_NONE UINT32_MAX

struct index {
	struct index_slot { u32 hash, place; } *slots;	/* place + 1; 0: free */
	u32 n_slots, n;
};

/* Folds a multiplicative hash to 32 bits; its upper bits are the better ones. */
static inline u32 index_fold(u64 hash)
{
	return (u32)(hash ^ hash >> 32);
}

/* The next place with this hash, or INDEX_NONE. *at is the position: 0 at first. */
static inline u32 index_next(const struct index *x, u32 hash, u32 *at)
{
	while (x->n_slots) {
		const struct index_slot *s = &x->slots[(hash + *at) & (x->n_slots - 1)];

		if (!s->place)
			break;
		++*at;
		if (s->hash == hash)
			return s->place - 1;
	}
	return INDEX_NONE;
}

/* Adds a place that index_next() did not find. */
void index_add(struct index *x, u32 hash, u32 place);
/* Removes all places; keeps the memory. */
void index_clear(struct index *x);
void index_free(struct index *x);
