/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * series.h: data of sparklines: the last values of one member of the table host, up to the shown tick.
 * Fed by ticks, and read from the history after a jump in time, so it is also correct on a paused or
 * replayed screen.
 */
#pragma once

#include "bpf/model/snapshot.h"

#define SERIES_MAX 120

struct series {
	float values[SERIES_MAX];	/* oldest first; NAN: unknown */
	u64 seqs[SERIES_MAX];		/* of their ticks */
	int n;
};

/* Updates s (zeroed: empty) to the shown snapshot; always the same member. Cheap each tick. */
void series_update(struct series *s, struct history *h, const struct snapshot *shown, const char *member);

/* The same for all rows (the "10s" column): levels 0..8 of the last TRAIL_LEN ticks. */
#define TRAIL_LEN 10
struct trails;
struct trails *series_trails_new(enum table_id t, int field, float top);
void series_trails_free(struct trails *t);	/* NULL-safe */
void series_trails_update(struct trails *t, struct history *h, const struct snapshot *shown);
/* TRAIL_LEN levels, oldest first, or NULL. Rows of T_HAS_PID tables: by pid and start. */
const u8 *series_trails_levels(const struct trails *t, u64 pid, u64 start_time_ns);
