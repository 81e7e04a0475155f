/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * past.h: the last minutes of some members of a few rows, on an axis of time:
 * ticks may have been merged, missed or of another length. Read from the history
 * in small portions, so that no frame waits for it; where snapshots are so large that it
 * would, the past begins when it is first looked at.
 */
#ifndef OTTOP_PAST_H
#define OTTOP_PAST_H

#include "bpf/model/snapshot.h"
#include "tui/term/canvas.h"

#define PAST_NS (300 * NSEC_PER_SEC)
#define PAST_TICKS 320
#define PAST_FIELDS 5
#define PAST_LANES 64

struct past_lane {
	const struct row *like;	/* one reference */
	float values[PAST_FIELDS][PAST_TICKS];	/* oldest first; NAN: not known then */
};

/* Zeroed memory is an empty one. */
struct past {
	int table, fields[PAST_FIELDS], n_fields;
	struct past_lane *lanes[PAST_LANES];
	int n_lanes;
	u64 time_ns[PAST_TICKS], interval_ns[PAST_TICKS];
	int n;
	u64 seq;		/* of the newest; 0: none */
	u64 older;		/* the tick before which more is to be read; 0: all is there */
	int portion;		/* ticks that were read at once without being felt */
};

/*
 * Brings it up to the shown snapshot for n rows of one table (those beyond
 * PAST_LANES are left out) and the members named, a NULL at the end.
 */
void past_update(struct past *p, struct history *h, const struct snapshot *shown, enum table_id t,
		 const char *const *members, const struct row *const *rows, int n);
/* Reads some more of the history; true: there is still more, draw again (app_again). */
bool past_more(struct past *p, struct history *h);
void past_free(struct past *p);

/* The lane of a row, or -1. */
int past_find(const struct past *p, const struct row *like);
/*
 * Five minutes as a sparkline in `width` cells, the newest at the right: the mean
 * of what falls into a cell. Returns the top of its scale (0: nothing known);
 * floor: the least it may be.
 */
float past_spark(const struct past *p, int lane, int field, struct canvas *c, int row, int col,
		 int width, u32 style, float floor);
/* Largest and smallest value of the five minutes; false: none is known. */
bool past_range(const struct past *p, int lane, int field, float *ret_min, float *ret_max);

#endif
