/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * series.h: what sparklines draw: the last values of one member of one row, up
 * to the tick that is shown. Fed by ticks; read again from the history after a
 * jump in time, so a sparkline of a paused or replayed screen is right too.
 */
#ifndef OTTOP_SERIES_H
#define OTTOP_SERIES_H

#include "bpf/model/snapshot.h"

#define SERIES_MAX 120

struct series {
	float values[SERIES_MAX];	/* oldest first; NAN: not known then */
	u64 seqs[SERIES_MAX];		/* of their ticks */
	int n;
	u64 key[2];			/* whose values these are */
	int table, field;
};

/*
 * Brings s up to the shown snapshot. `like` is any row with the wanted key, or
 * NULL for the only row of a T_SINGLE table. Cheap when called each tick; call
 * it from a view's update(). Zeroed memory is an empty series.
 */
void series_update(struct series *s, struct history *h, const struct snapshot *shown,
		   enum table_id t, int field, const struct row *like);

/* What tells rows of a table apart, hashed. NULL: 0. */
void series_key(const struct row *like, u64 key[2]);

/*
 * The same for all rows of a table at once (the "10s" column): levels 0..8 of
 * the last TRAIL_LEN ticks for each process.
 */
#define TRAIL_LEN 10
struct trails;
struct trails *trails_new(enum table_id t, int field, float top);
void trails_free(struct trails *t);	/* NULL-safe */
void trails_update(struct trails *t, struct history *h, const struct snapshot *shown);
/* TRAIL_LEN levels, oldest first, or NULL. Rows of T_HAS_PID tables: by pid and start. */
const u8 *trails_levels(const struct trails *t, u64 pid, u64 start_time_ns);

#endif
