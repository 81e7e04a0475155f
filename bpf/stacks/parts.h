/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parts.h: partly loaded unwind tables: if the whole one does not fit, only the grains (512 bytes of a
 * file's addresses) that stacks use, and their neighbours, are loaded. In a page with some grains the
 * missing ones have a row of UNW_INFO_LEFT_OUT; a page without any is UNW_LEFT_OUT.
 */
#pragma once

#include <string.h>

#include "bpf/model/base.h"
#include "symbolizer/unwind.h"

#define PART_BITS 9
#define PART_GRAINS (1u << (UNW_PAGE_BITS - PART_BITS))	/* of a page */
#define PART_HITS_MAX 255

/* Where grains are copied from: two tables of the same pages. */
struct part_from {
	const u64 *words;
	const u16 *numbers;	/* of its rules -> of those that all tables share; NULL: the same */
	const u64 *have;	/* a bit for each grain that is there; NULL: all of the pages that are */
};

static inline u32 part_row(const u64 *words, u32 i)
{
	return (u32)(words[1 + (u32)words[0] + i / 2] >> (i % 2 * 32));
}

static inline bool part_bit(const u64 *bits, u64 grain)
{
	return bits[grain / 64] >> grain % 64 & 1;
}

/* The first grain from i on that was hit, or n. Most never are, so eight are tested at a time. */
static inline u32 part_next_hit(const u8 *hits, u32 i, u32 n)
{
	static const u8 none[8];

	while (i < n && !hits[i])
		i += i + 8 <= n && !memcmp(hits + i, none, 8) ? 8 : 1;
	return i;
}

/*
 * Chooses grains whose table needs at most max_words: sets their bits in `take`, clears the others. hits: frames
 * seen in each grain, the most frequent come first; then, if `near`, their neighbours. Returns a sufficient number
 * of words; more than max_words if not even an empty table fits.
 */
u32 parts_choose(const struct part_from *from, u32 n_from, const u8 *hits, bool near, u32 max_words, u64 *take);
/* Writes the table of these grains, if `to` is not NULL. Returns its words. */
u32 parts_copy(u64 *to, const struct part_from *from, u32 n_from, const u64 *take);
