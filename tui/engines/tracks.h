/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracks.h: values of one member of all rows of a table over the last minutes, for a sparkline in
 * each line. Taken from ticks as they arrive, the rest from the history a little at a time: a
 * paused or replayed screen is complete after some frames.
 */
#pragma once

#include "bpf/model/snapshot.h"

struct tracks;

/* For a u64 member, over span_ns before the shown snapshot. */
struct tracks *tracks_new(enum table_id t, int field, u64 span_ns);
void tracks_free(struct tracks *t);	/* NULL-safe */
/* Updates to the shown snapshot. True: complete; else the next call continues. */
bool tracks_update(struct tracks *t, struct history *h, const struct snapshot *shown);
/*
 * n values of the row with this key, oldest first, each the maximum of its part of the span; NAN:
 * unknown. Parts start at multiples of their length, so that the line moves only when a part is
 * complete.
 */
void tracks_values(const struct tracks *t, const struct row *like, float *values, u32 n);
