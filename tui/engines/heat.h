/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heat.h: the data of a latency heat map: one column of histogram buckets for each
 * tick of the history, and the calls in some of its cells. Buckets are those of the
 * kernel (hist.h), so nothing is rebinned and every count is exact.
 *
 * Going back in the history means decoding, which takes milliseconds a tick, so each
 * tick is decoded once: its column keeps a packed copy of the calls by caller
 * (heat_tick.c), and moving a selection reads only these.
 */
#pragma once

#include "bpf/model/snapshot.h"

#define HEAT_WHAT 4

/* The histogram shown, of a table with pid, start_time_ns, comm; rows by process and operation. */
struct heat_source {
	enum table_id table;
	const char *hist;		/* the member */
	const char *what[HEAT_WHAT];	/* members that identify the operation */
	void (*name)(const struct row *r, char *buf, size_t cap);	/* the operation as text */
	bool (*waits)(const struct row *r);	/* by design: shown on request only; NULL: none */
	const char *noun, *title;	/* "call", "SYSCALL" */
	const char *view;		/* the view that shows the map */
};

extern const struct heat_source heat_of_syscalls, heat_of_http;

/* Selects the rows to count. */
struct heat_filter {
	const struct heat_source *source;
	u64 pid, start_time_ns;	/* 0: all processes */
	bool one;		/* only the operation `what` (heat_what()) */
	u64 what;
	bool waits;		/* include rows that wait by design; `one` always includes them */
};

/* Hash of a row's operation. False: a numeric member is unknown (the row is a sum of several). */
bool heat_what(const struct heat_source *src, const struct row *r, u64 *ret);

struct heat_members {
	const struct field *pid, *start, *comm, *hist, *what[HEAT_WHAT];
};
struct heat_members heat_members_of(const struct heat_source *src);
/* As heat_what(). */
bool heat_what_of(const struct heat_members *m, const struct row *r, u64 *ret);

bool heat_filter_equal(const struct heat_filter *a, const struct heat_filter *b);

struct heat_tick;
struct heat_ids;

/* One tick. hist NULL: not observed; calls NULL also: evicted, decoded on demand. */
struct heat_column {
	u64 seq, time_ns, interval_ns;
	const struct hist *hist;
	struct heat_tick *calls;
};

/* Computed columns, oldest first. Zero-initialized: empty. */
struct heat {
	struct heat_filter filter;
	struct heat_column *columns;
	u32 n, cap;
	struct heat_ids *ids;
};

void heat_free(struct heat *m);
/* Drops all columns if the filter changed. */
void heat_set_filter(struct heat *m, const struct heat_filter *f);
/*
 * Computes missing columns of ticks first..last of the history, newest first, and drops columns of
 * evicted and merged ticks. `shown` (may be NULL) saves decoding that tick. False: budget_ns (0: no
 * limit) was exceeded, and columns are missing.
 */
bool heat_need(struct heat *m, struct history *h, const struct snapshot *shown,
	       u32 first, u32 last, u64 budget_ns);
/* The column of a tick, or NULL. */
const struct heat_column *heat_find(const struct heat *m, u64 seq);

/* Buckets low .. end-1; HEAT_ZERO is the bucket of calls under 2^-30 s. */
#define HEAT_ZERO (-1)
u64 heat_count(const struct heat_column *col, int low, int end);
/* The highest non-empty bucket; HEAT_ZERO - 1: none. */
int heat_highest(const struct heat_column *col);

/* ---- calls of a tick by caller: heat_tick.c --------------------------------- */

/* An operation of a process, with the names it had when first seen. */
struct heat_id {
	u64 pid, start_time_ns, what;
	char comm[16], name[40];
};

struct heat_ids *heat_ids_new(void);
void heat_ids_free(struct heat_ids *ids);	/* NULL-safe */
/* Drops ids used by none of these ticks (some may be NULL), and renumbers the rest. */
void heat_ids_compact(struct heat_ids *ids, struct heat_tick *const *ticks, u32 n);
u64 heat_ids_bytes(const struct heat_ids *ids);
u32 heat_ids_len(const struct heat_ids *ids);
const struct heat_id *heat_ids_at(const struct heat_ids *ids, u32 i);

/* Packs the rows of s that pass the filter, with their sum. NULL: not observed. */
struct heat_tick *heat_tick_new(struct heat_ids *ids, const struct heat_filter *f,
				const struct snapshot *s, const struct hist **ret_hist);
void heat_tick_free(struct heat_tick *t);	/* NULL-safe */
u64 heat_tick_bytes(const struct heat_tick *t);

/* The calls of one id in some buckets of a tick. */
struct heat_share {
	u32 id;
	u64 count, of;		/* in the buckets; in all */
	double time_ns;		/* time in the buckets; estimated unless time_exact */
	u64 slowest_ns;
	bool time_exact, slowest_exact;
};
void heat_tick_each(const struct heat_tick *t, int low, int end,
		    void (*fn)(void *arg, const struct heat_share *share), void *arg);

/* ---- the calls in some cells: heat_parts.c ---------------------------------- */

struct heat_range {
	u64 first_seq, last_seq;
	int low, end;
};

enum heat_group { HEAT_BY_BOTH, HEAT_BY_WHAT, HEAT_BY_PROCESS };

/* The calls of one operation of one process; or of all processes, or operations, when grouped. */
struct heat_part {
	struct heat_id id;	/* of the first one */
	u64 count;
	double time_ns;
	u64 slowest_ns, slowest_at_ns;	/* and the tick (CLOCK_BOOTTIME) in which it returned */
	bool time_exact, slowest_exact;
};

/* Most calls first. Zero-initialized: empty. */
struct heat_parts {
	struct heat_part *parts;
	u32 n, cap;
	u64 count, of;		/* calls in the range; in all buckets of its ticks */
	double time_ns;
	bool time_exact;
	bool merged;		/* its edge ticks were merged with others meanwhile */
};

void heat_parts_free(struct heat_parts *p);
/* Finds the calls in the columns of m; replaces the content of p. */
void heat_parts_find(struct heat_parts *p, struct heat *m, struct history *h,
		     const struct heat_range *range);
/* Groups the parts of p by operation or process into `ret`, replacing its content. */
void heat_parts_group(const struct heat_parts *p, enum heat_group by, struct heat_parts *ret);
