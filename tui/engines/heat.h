/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heat.h: what a latency heat map shows, without a screen: one column of
 * histogram buckets for each tick of the history, and what the calls in some of
 * its cells were. Buckets are those of the kernel (hist.h), so nothing is binned
 * again and every count is exact.
 *
 * Going back in the history means decoding, which takes milliseconds a tick, so
 * a tick is looked at once: its column keeps a packed copy of who made which
 * calls (heat_tick.c), and moving a rectangle reads only these.
 */
#ifndef OTTOP_HEAT_H
#define OTTOP_HEAT_H

#include "bpf/model/snapshot.h"

#define HEAT_WHAT 4

/*
 * What a map is of: a histogram of a table with pid, start_time_ns and comm. Its rows
 * are told apart by process and by what was done.
 */
struct heat_source {
	enum table_id table;
	const char *hist;		/* the member */
	const char *what[HEAT_WHAT];	/* members that say what was done */
	void (*name)(const struct row *r, char *buf, size_t cap);	/* the same for people */
	bool (*waits)(const struct row *r);	/* by design: shown on demand only; NULL: none does */
	const char *noun, *title;	/* "call", "SYSCALL" */
	const char *view;		/* that shows the map */
};

extern const struct heat_source heat_of_syscalls, heat_of_http;

/* Which rows are counted. */
struct heat_filter {
	const struct heat_source *source;
	u64 pid, start_time_ns;	/* of one process; 0: of all */
	bool one;		/* only what was done as in `what` (heat_what()) */
	u64 what;
	bool waits;		/* also what waits by design; `one` always shows its own */
};

/*
 * What the row was of, as a number: the same where all members of `what` are the same.
 * False: a number among them is not known (the row is a sum of several).
 */
bool heat_what(const struct heat_source *src, const struct row *r, u64 *ret);

/* The members of a source, looked up. */
struct heat_members {
	const struct field *pid, *start, *comm, *hist, *what[HEAT_WHAT];
};
struct heat_members heat_members_of(const struct heat_source *src);
/* The same as heat_what(). */
bool heat_what_of(const struct heat_members *m, const struct row *r, u64 *ret);

bool heat_filter_equal(const struct heat_filter *a, const struct heat_filter *b);

struct heat_tick;
struct heat_ids;

/*
 * One tick. `hist` is NULL when its table was not observed then; `calls` also
 * when there was no room for them: then they are decoded when they are asked for.
 */
struct heat_column {
	u64 seq, time_ns, interval_ns;
	const struct hist *hist;
	struct heat_tick *calls;
};

/* Columns that were computed so far, oldest first. Zeroed memory is an empty one. */
struct heat {
	struct heat_filter filter;
	struct heat_column *columns;
	u32 n, cap;
	struct heat_ids *ids;
};

void heat_free(struct heat *m);
/* Forgets all columns if the filter is another one. */
void heat_set_filter(struct heat *m, const struct heat_filter *f);
/*
 * Computes the columns of the ticks first..last of the history that are not
 * there yet, the newest first, and drops those whose ticks were merged or let
 * go. `shown` (may be NULL) saves decoding its own tick again. False: it took
 * longer than budget_ns (0: no limit) and the rest is still missing.
 */
bool heat_need(struct heat *m, struct history *h, const struct snapshot *shown,
	       u32 first, u32 last, u64 budget_ns);
/* The column of that tick, or NULL. */
const struct heat_column *heat_find(const struct heat *m, u64 seq);

/* Buckets low .. end-1; HEAT_ZERO is the bucket of calls under 2^-30 s. */
#define HEAT_ZERO (-1)
u64 heat_count(const struct heat_column *col, int low, int end);
/* The highest bucket that has a count; HEAT_ZERO - 1: none at all. */
int heat_highest(const struct heat_column *col);

/* ---- who made the calls of a tick: heat_tick.c ------------------------------ */

/* One kind of operation of one process, as it was called when it was first seen. */
struct heat_id {
	u64 pid, start_time_ns, what;
	char comm[16], name[40];
};

struct heat_ids *heat_ids_new(void);
void heat_ids_free(struct heat_ids *ids);	/* NULL-safe */
/* Forgets the ids that none of these ticks (some may be NULL) has, and numbers the rest anew. */
void heat_ids_compact(struct heat_ids *ids, struct heat_tick *const *ticks, u32 n);
u64 heat_ids_bytes(const struct heat_ids *ids);
u32 heat_ids_len(const struct heat_ids *ids);
const struct heat_id *heat_ids_at(const struct heat_ids *ids, u32 i);

/* The rows of s that pass the filter, packed; and their sum. NULL: not observed. */
struct heat_tick *heat_tick_new(struct heat_ids *ids, const struct heat_filter *f,
				const struct snapshot *s, const struct hist **ret_hist);
void heat_tick_free(struct heat_tick *t);	/* NULL-safe */
u64 heat_tick_bytes(const struct heat_tick *t);

/* The calls of one id in some buckets of one tick. */
struct heat_share {
	u32 id;
	u64 count, of;		/* in the buckets; in all */
	double time_ns;		/* inside: estimated from the buckets unless time_exact */
	u64 slowest_ns;
	bool time_exact, slowest_exact;
};
/* Calls fn for each id that has any calls in the tick. */
void heat_tick_each(const struct heat_tick *t, int low, int end,
		    void (*fn)(void *arg, const struct heat_share *share), void *arg);

/* ---- the calls in some cells: heat_parts.c ---------------------------------- */

struct heat_range {
	u64 first_seq, last_seq;
	int low, end;
};

enum heat_group { HEAT_BY_BOTH, HEAT_BY_WHAT, HEAT_BY_PROCESS };

/* The calls of one kind of one process; of all of either when grouped. */
struct heat_part {
	struct heat_id id;	/* of the first of them */
	u64 count;
	double time_ns;
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
/* Finds them in the columns of m (in place of what p held). */
void heat_parts_find(struct heat_parts *p, struct heat *m, struct history *h,
		     const struct heat_range *range);
/* The parts of p added up by call or by process, into `ret` (in place of what it held). */
void heat_parts_group(const struct heat_parts *p, enum heat_group by, struct heat_parts *ret);

#endif
