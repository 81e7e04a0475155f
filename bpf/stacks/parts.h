/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parts.h: an unwind table loaded in part: where the whole one does not fit, those pages (64 KiB
 * of a file's addresses, symbolizer/unwind.h) that stacks go through, and what is near to them.
 */
#ifndef OTTOP_PARTS_H
#define OTTOP_PARTS_H

#include "bpf/model/base.h"

/*
 * Which pages of the table `words` to take, so that it needs at most max_words; take[page] becomes
 * 1 or 0. hits: frames seen in each of n_hits pages (NULL: none). Returns the number of words;
 * more than max_words where not even the empty table fits.
 */
u32 parts_choose(const u64 *words, const u32 *hits, u32 n_hits, u32 max_words, u8 *take);
/* Words of the table of these pages. */
u32 parts_words(const u64 *words, const u8 *take);
/* The table of these pages. numbers: of its rules -> of those that all tables share. */
void parts_copy(u64 *to, const u64 *words, const u8 *take, const u16 *numbers);

#endif
