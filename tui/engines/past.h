/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * past.h: the last minutes of some members of a few rows, on a time axis: ticks may have been
 * merged, missed or of different length. Read from the history in small portions, so that no frame
 * waits for it; if the snapshots are too large for that, recording starts when it is first shown.
 */
#pragma once

#include "bpf/model/snapshot.h"
#include "tui/term/canvas.h"

#define PAST_NS (300 * NSEC_PER_SEC)
#define PAST_TICKS 320
#define PAST_FIELDS 5
#define PAST_LANES 64

struct past_lane {
	const struct row *like;	/* one reference */
	float values[PAST_FIELDS][PAST_TICKS];	/* oldest first; NAN: unknown */
};

/* Zero-initialized: empty. */
struct past {
	int table, fields[PAST_FIELDS], n_fields;
	struct past_lane *lanes[PAST_LANES];
	int n_lanes;
	u64 time_ns[PAST_TICKS], interval_ns[PAST_TICKS];
	int n;
	u64 seq;		/* of the newest tick; 0: none */
	u64 older;		/* continue reading before this tick; 0: complete */
	int portion;		/* ticks read at once within the time budget */
};

/*
 * Updates to the shown snapshot: n rows of a table (PAST_LANES at most), members NULL-terminated.
 */
void past_update(struct past *p, struct history *h, const struct snapshot *shown, enum table_id t,
		 const char *const *members, const struct row *const *rows, int n);
/* Reads some more of the history; true: not complete, draw again (app_again). */
bool past_more(struct past *p, struct history *h);
void past_free(struct past *p);

/* The lane of a row, or -1. */
int past_find(const struct past *p, const struct row *like);
/*
 * Draws five minutes in `width` cells of means, newest right. Returns the scale's top, at least
 * floor; 0: nothing known.
 */
float past_spark(const struct past *p, int lane, int field, struct canvas *c, int row, int col,
		 int width, u32 style, float floor);
/* Minimum and maximum over the five minutes; false: none known. */
bool past_range(const struct past *p, int lane, int field, float *ret_min, float *ret_max);
