/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heat.h: what a latency heat map shows, without a screen: one column of
 * histogram buckets for each tick of the history, and what the calls in some of
 * its cells were. Buckets are those of the kernel (hist.h), so nothing is binned
 * again and every count is exact.
 */
#ifndef OTTOP_HEAT_H
#define OTTOP_HEAT_H

#include "bpf/snapshot.h"

/* Which rows of `syscalls` are counted. */
struct heat_filter {
	u64 pid, start_time_ns;	/* of one process; 0: of all */
	bool one_call;		/* only the call nr of abi */
	u64 nr;
	char abi[16];
	bool waits;		/* also calls that wait by design; one_call always shows its own */
};

bool heat_filter_equal(const struct heat_filter *a, const struct heat_filter *b);

/* One tick. `hist` is NULL when system calls were not observed then. */
struct heat_column {
	u64 seq, time_ns, interval_ns;
	const struct hist *hist;
};

/* Columns that were computed so far, oldest first. Zeroed memory is an empty one. */
struct heat {
	struct heat_filter filter;
	struct heat_column *columns;
	u32 n, cap;
};

void heat_free(struct heat *m);
/* Forgets all columns if the filter is another one. */
void heat_set_filter(struct heat *m, const struct heat_filter *f);
/*
 * Computes the columns of the ticks first..last of the history that are not
 * there yet, and drops those whose ticks were merged or let go. `shown` (may be
 * NULL) saves decoding its own tick again.
 */
void heat_need(struct heat *m, struct history *h, const struct snapshot *shown,
	       u32 first, u32 last);
/* The column of that tick, or NULL. */
const struct heat_column *heat_find(const struct heat *m, u64 seq);

/* Buckets low .. end-1; HEAT_ZERO is the bucket of calls under 2^-30 s. */
#define HEAT_ZERO (-1)
u64 heat_count(const struct heat_column *col, int low, int end);
/* The highest bucket that has a count; HEAT_ZERO - 1: none at all. */
int heat_highest(const struct heat_column *col);

/* ---- the calls in some cells ---------------------------------------------- */

struct heat_range {
	u64 first_seq, last_seq;
	int low, end;
};

enum heat_group { HEAT_BY_BOTH, HEAT_BY_CALL, HEAT_BY_PROCESS };

/* The calls of one system call of one process; of all of either when grouped. */
struct heat_part {
	const struct syscalls_row *row;	/* one of them: its names; holds a reference */
	u64 count;
	double time_ns;		/* inside; estimated from the buckets unless time_exact */
	u64 slowest_ns, slowest_at_ns;	/* and the tick (CLOCK_BOOTTIME) it returned in */
	bool time_exact, slowest_exact;
};

/* Most calls first. Zeroed memory is an empty one. */
struct heat_parts {
	struct heat_part *parts;
	u32 n, cap;
	u64 count, of;		/* calls in the range; in all latencies of its ticks */
	double time_ns;
	bool time_exact;
	bool merged;		/* its edge ticks were merged with others meanwhile */
};

void heat_parts_free(struct heat_parts *p);
/* Finds them (in place of what p held). `shown` as above. */
void heat_parts_find(struct heat_parts *p, const struct heat_filter *f, struct history *h,
		     const struct snapshot *shown, const struct heat_range *range);
/* The parts of p added up by call or by process, into `ret` (in place of what it held). */
void heat_parts_group(const struct heat_parts *p, enum heat_group by, struct heat_parts *ret);

/* True when the row passes the filter. */
bool heat_counts(const struct heat_filter *f, const struct syscalls_row *r);
/* The rows that can pass it: first .. end-1 of the table, which is sorted by process. */
void heat_rows(const struct heat_filter *f, const struct snapshot *s, u32 *ret_first, u32 *ret_end);
/* Calls in buckets low .. end-1 of a histogram (NULL: none). */
u64 heat_hist_count(const struct hist *h, int low, int end);

#endif
