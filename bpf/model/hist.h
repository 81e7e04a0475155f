/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hist.h: base-2 exponential histograms of scale 3, as OTLP defines them
 * (opentelemetry-proto metrics.proto, ExponentialHistogramDataPoint): bucket i
 * is (2^(i/8), 2^((i+1)/8)] seconds. The kernel side counts in units of
 * 2^-30 s, so its bucket j is i + 240.
 */
#ifndef OTTOP_HIST_H
#define OTTOP_HIST_H

#include "bpf/model/base.h"

#define HIST_SCALE 3
#define HIST_UNIT_OFFSET (-240)	/* index of kernel bucket 0: 8 * log2(2^-30 s) */
#define HIST_BUCKETS 336	/* 42 octaves: up to 2^12 s; slower calls are in the last */

/*
 * A histogram that no longer changes; shared by reference count. `counts[k]`
 * belongs to bucket `offset + k`; first and last count are not 0.
 * `max_ns` and `min_ns` are 0 when count is 0.
 */
struct hist {
	_Atomic u32 refs;
	s32 offset;
	u32 n;
	u64 zero;	/* values of at most 2^-30 s */
	u64 count;	/* zero included */
	u64 sum_ns, min_ns, max_ns;
	u64 counts[];
};

/* A histogram in the making, dense; index 0 is bucket HIST_UNIT_OFFSET. */
struct hist_acc {
	u64 zero, count, sum_ns, min_ns, max_ns;
	u64 counts[HIST_BUCKETS];
};

/* Kernel bucket (0 .. HIST_BUCKETS-1) of a latency in ns, or -1 for zero. */
int hist_bucket(u64 ns);
/* Bounds of kernel bucket j in ns; the value belongs to (lower, upper]. */
double hist_lower_ns(int j);
double hist_upper_ns(int j);

/* Adds n values of one bucket; -1 is zero. Does not touch sum, min and max. */
void hist_acc_bucket(struct hist_acc *a, int j, u64 n);
/* Adds one value: bucket, count, sum, min, max. */
void hist_acc_value(struct hist_acc *a, u64 ns);
/* Adds a whole histogram; exact. h may be NULL. */
void hist_acc_add(struct hist_acc *a, const struct hist *h);
/* Takes away h, which must be contained in a; min and max stay. */
void hist_acc_sub(struct hist_acc *a, const struct hist *h);
/* A new histogram of what was added; the caller owns one reference. */
const struct hist *hist_seal(const struct hist_acc *a);
/* The sum of two, either may be NULL (then NULL if both). One reference. */
const struct hist *hist_sum(const struct hist *a, const struct hist *b);
/* Puts the sum of both in the place of *to; h stays the caller's. */
void hist_merge(const struct hist **to, const struct hist *h);

const struct hist *hist_get(const struct hist *h);	/* NULL-safe; returns h */
void hist_put(const struct hist *h);			/* NULL-safe */
bool hist_equal(const struct hist *a, const struct hist *b);

/*
 * The quantile q (0 < q <= 1) in ns: geometric midpoint of the bucket that
 * holds rank ceil(q * count), at most max_ns. 0 when there is no value.
 */
u64 hist_quantile(const struct hist *h, double q);

#endif
