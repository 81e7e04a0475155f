/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * totals.h: sums per process and something else (a call, an endpoint). An unchanged row is reused;
 * an ended process gets one last row. Sampler thread only.
 */
#pragma once

#include "bpf/collectors/collector.h"
#include "bpf/model/hash.h"

struct proc;

/* Begins each struct that is in a set. */
struct total {
	struct hash_node node;
	u32 tgid;		/* 0: of no process; never removed */
	u64 start_ns;		/* of the process */
	u64 first_seen_ns;
	const struct hist *hist;	/* since then */
	const struct row *idle_row;	/* the row of a tick in which nothing happened */
	bool active;		/* something happened in this tick */
	bool closed;		/* this is its last row */
};

struct totals {
	size_t size;		/* of a struct that begins with a struct total */
	/* Makes the row of this tick; p is NULL where the process is not known. */
	struct row *(*row)(struct total *t, struct proc *p, const struct tick *tick);
	/* Frees the values of this tick. NULL: none. */
	void (*reset)(struct total *t);
	struct hash_table all;
	u64 began_ns;
};

/* Resets all counters: rows are cumulative since now_ns, or the birth of their process. */
void totals_begin(struct totals *set, u64 now_ns);
/* Adds a new one, which the set owns. */
void *totals_add(struct totals *set, u32 hash, u32 tgid, u64 start_ns);
/* So much of this tick has been counted, in ns. */
u64 totals_interval(const struct totals *set, const struct tick *tick);
/* What came in this tick (its reference is taken; NULL: nothing), and the sum, as a row has them. */
void total_hist(struct total *t, const struct hist *tick, const struct hist **ret_sum, const struct hist **ret_tick);
/* Adds the rows of this tick and gets ready for the next one. */
void totals_rows(struct totals *set, const struct tick *tick);
void totals_clear(struct totals *set);
