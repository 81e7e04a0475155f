/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot_build.h: the mutators of snapshots. Only bpf/ may include it.
 *
 *	struct builder *b = builder_new(prev, session);
 *	struct host_row *h = builder_row(b, TABLE_host);
 *	h->cpus = 2;
 *	builder_status(b, TABLE_host, TS_OK, NULL, interval_ns);
 *	const struct snapshot *s = builder_seal(b);
 */
#ifndef OTTOP_SNAPSHOT_BUILD_H
#define OTTOP_SNAPSHOT_BUILD_H

#include "bpf/model/snapshot.h"

/*
 * Interned strings, counted. str_new() copies up to n bytes (it stops at NUL)
 * and returns one reference. Raw bytes: they are made safe where they leave.
 */
const char *str_new(const char *s);
const char *str_newn(const char *s, size_t n);
const char *str_get(const char *s);	/* NULL-safe; returns s */
void str_put(const char *s);		/* NULL-safe */
/* Replaces *member by a reference that the caller gives away. */
void str_set(const char **member, const char *s);
u64 str_pool_bytes(void);
/* Bytes of a string, shared evenly among those that have it; NULL-safe. */
u64 str_share_bytes(const char *s);

struct builder;

/* Starts a snapshot after `prev` (or NULL), whose equal rows will be shared. */
struct builder *builder_new(const struct snapshot *prev, const struct session *session);
void builder_time(struct builder *b, u64 seq, u64 time_ns, s64 unix_offset_ns, u64 interval_ns);
/*
 * Adds a row with every member unknown; fill it before sealing. STR members
 * take over a str_new() reference, HIST members a hist reference. QUANTILE
 * members are computed at sealing: leave them. Two rows of one key: the later wins.
 */
void *builder_row(struct builder *b, enum table_id t);
/* Adds a row that exists already (takes over one reference), unchanged. */
void builder_add(struct builder *b, const struct row *r);
/* snapshot.more and left_out: takes over the array (of malloc) and a reference to each row. Once. */
void builder_more(struct builder *b, struct requests_row **rows, u32 n, u64 left_out);
/* Gives a table that was not read in this tick what it had in the one before: rows that had not ended, and its status. */
void builder_keep(struct builder *b, enum table_id t);
/* reason: copied, may be NULL. */
void builder_status(struct builder *b, enum table_id t, enum table_status status,
		    const char *reason, u64 interval_ns);
/* Adds a further deficiency to a table whose status is set: it becomes TS_PARTIAL. */
void builder_lacks(struct builder *b, enum table_id t, const char *what);
/* Rows added so far to a table; valid until the next builder call. */
const struct row **builder_rows(struct builder *b, enum table_id t, u32 *ret_n);
/* Sorts, computes quantiles, shares equal rows with prev; frees b. One reference. */
const struct snapshot *builder_seal(struct builder *b);

/* A row outside any builder, every member unknown; one reference. For decoders and tests. */
void *row_new(enum table_id t);
/* A copy of a row (one reference) that may still be changed; its histograms only if asked. */
struct row *row_clone(const struct row *from, bool with_hists);
/*
 * The row for writing, in the place of the caller's reference to it: itself, or a
 * copy of it where a snapshot has it too.
 */
void *row_own(struct row *r);
bool row_equal(const struct row *a, const struct row *b);
/* Fills the QUANTILE members (p50_ns, p95_ns, p99_ns, max_ns) from NAME_tick of the histogram. */
void row_quantiles(struct row *r);

#endif
