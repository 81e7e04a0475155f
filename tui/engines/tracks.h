/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracks.h: the values of one member of all rows of a table over the last minutes, for a sparkline in each line.
 * Taken from ticks as they come, and what is not here from the history, a little at a time: also a paused or a
 * replayed screen has them, after some frames.
 */
#ifndef OTTOP_TRACKS_H
#define OTTOP_TRACKS_H

#include "bpf/model/snapshot.h"

struct tracks;

/* Of a u64 member, up to so long before what is shown. */
struct tracks *tracks_new(enum table_id t, int field, u64 span_ns);
void tracks_free(struct tracks *t);	/* NULL-safe */
/* Up to the shown snapshot. True: nothing is left to be read; else the next call goes on. */
bool tracks_update(struct tracks *t, struct history *h, const struct snapshot *shown);
/*
 * n values of the row with this key, oldest first, each the largest of its part of the span; NAN where there was
 * none. Parts begin at multiples of their length, so that what is drawn moves only when a part is full.
 */
void tracks_values(const struct tracks *t, const struct row *like, float *values, u32 n);

#endif
