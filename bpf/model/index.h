/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index.h: finds the places of a growing array by a hash of their contents. The owner of the array
 * compares; the index keeps no keys, and 8 bytes for each of at least twice as many slots.
 * Zeroed memory is an empty one.
 */
#ifndef OTTOP_INDEX_H
#define OTTOP_INDEX_H

#include "bpf/model/base.h"

#define INDEX_NONE UINT32_MAX

struct index {
	struct index_slot { u32 hash, place; } *slots;	/* place: + 1; 0: free */
	u32 n_slots, n;
};

/* 32 bits of a hash that was made by multiplying: its upper bits are the better ones. */
static inline u32 index_fold(u64 hash)
{
	return (u32)(hash ^ hash >> 32);
}

/* The next place with this hash, or INDEX_NONE. *at is where to go on: 0 at first. */
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

/* Adds a place, which index_next() has not found. */
void index_add(struct index *x, u32 hash, u32 place);
/* Forgets all places and keeps the memory. */
void index_clear(struct index *x);
void index_free(struct index *x);

#endif
