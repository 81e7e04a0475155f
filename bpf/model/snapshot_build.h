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
#pragma once

#include "bpf/model/snapshot.h"

/*
 * Interned, counted strings. str_new() copies up to n bytes or a NUL; one reference. Not sanitized.
 */
const char *str_new(const char *s);
const char *str_newn(const char *s, size_t n);
const char *str_get(const char *s);	/* NULL-safe; returns s */
void str_put(const char *s);		/* NULL-safe */
/* Replaces *member; takes over the caller's reference. */
void str_set(const char **member, const char *s);
u64 str_pool_bytes(void);
/* Bytes of a string divided by its references; NULL-safe. */
u64 str_share_bytes(const char *s);

struct builder;

/* Starts a snapshot; equal rows of `prev` (may be NULL) will be shared. */
struct builder *builder_new(const struct snapshot *prev, const struct session *session);
void builder_time(struct builder *b, u64 seq, u64 time_ns, s64 unix_offset_ns, u64 interval_ns);
/*
 * Adds a row of unknown members, to be filled before sealing. STR and HIST members take over
 * references; QUANTILE members are computed by sealing. Of equal keys the later row wins.
 */
void *builder_row(struct builder *b, enum table_id t);
/* Adds an existing row, unchanged; takes over a reference. */
void builder_add(struct builder *b, const struct row *r);
/* snapshot.more and left_out; takes over the array and its rows' references. Once. */
void builder_more(struct builder *b, struct requests_row **rows, u32 n, u64 left_out);
/* For a table not read in this tick: takes the previous tick's open rows and status. */
void builder_keep(struct builder *b, enum table_id t);
/* reason: copied; may be NULL. */
void builder_status(struct builder *b, enum table_id t, enum table_status status,
		    const char *reason, u64 interval_ns);
/* Adds a reason to a table whose status is set, which becomes TS_PARTIAL. */
void builder_lacks(struct builder *b, enum table_id t, const char *what);
/* A table's rows so far; valid until the next builder call. */
const struct row **builder_rows(struct builder *b, enum table_id t, u32 *ret_n);
/* Sorts, computes quantiles, shares equal rows with prev; frees b. One reference. */
const struct snapshot *builder_seal(struct builder *b);

/* A row outside of a builder, every member unknown; one reference. */
void *row_new(enum table_id t);
/* A writable copy (one reference), with histograms if asked. */
struct row *row_clone(const struct row *from, bool with_hists);
/* Makes the caller's row writable: r itself, or a copy if it is shared. */
void *row_own(struct row *r);
bool row_equal(const struct row *a, const struct row *b);
/* Computes the QUANTILE members from the histogram's NAME_tick. */
void row_quantiles(struct row *r);
