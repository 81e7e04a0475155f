/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hist.h: base-2 exponential histograms of scale 3, as in OTLP (opentelemetry-proto metrics.proto,
 * ExponentialHistogramDataPoint): bucket i is (2^(i/8), 2^((i+1)/8)] seconds. BPF counts in units
 * of 2^-30 s: its bucket j is i + 240.
 */
#pragma once

#include "bpf/model/base.h"

#define HIST_SCALE 3
#define HIST_UNIT_OFFSET (-240)	/* index of kernel bucket 0: 8 * log2(2^-30 s) */
#define HIST_BUCKETS 336	/* 42 octaves, up to 2^12 s; the last also has slower calls */

/*
 * An immutable, reference-counted histogram. counts[k] is bucket `offset + k`; first and last are
 * not 0. min_ns and max_ns are 0 when count is 0.
 */
struct hist {
	_Atomic u32 refs;
	s32 offset;
	u32 n;
	u64 zero;	/* values of at most 2^-30 s */
	u64 count;	/* including zero */
	u64 sum_ns, min_ns, max_ns;
	u64 counts[];
};

/* A histogram being filled; index 0 is bucket HIST_UNIT_OFFSET. */
struct hist_acc {
	u64 zero, count, sum_ns, min_ns, max_ns;
	u64 counts[HIST_BUCKETS];
};

/* Kernel bucket (0 .. HIST_BUCKETS-1) of a latency; -1 for zero. */
int hist_bucket(u64 ns);
/* Bounds of kernel bucket j, ns: (lower, upper]. */
double hist_lower_ns(int j);
double hist_upper_ns(int j);

/* Adds n values to bucket j (-1: zero); not to sum, min, max. */
void hist_acc_bucket(struct hist_acc *a, int j, u64 n);
void hist_acc_value(struct hist_acc *a, u64 ns);
/* Adds h exactly; may be NULL. */
void hist_acc_add(struct hist_acc *a, const struct hist *h);
/* Subtracts h, which must be contained; min and max stay. */
void hist_acc_sub(struct hist_acc *a, const struct hist *h);
/* A new histogram (one reference). */
const struct hist *hist_seal(const struct hist_acc *a);
/* The sum (one reference); either may be NULL, if both are it is NULL. */
const struct hist *hist_sum(const struct hist *a, const struct hist *b);
/* Adds h to *to; the caller keeps h. */
void hist_merge(const struct hist **to, const struct hist *h);

const struct hist *hist_get(const struct hist *h);	/* NULL-safe; returns h */
void hist_put(const struct hist *h);			/* NULL-safe */
bool hist_equal(const struct hist *a, const struct hist *b);

/* Quantile q (0 < q <= 1), ns: geometric midpoint of its bucket, at most max_ns. 0: no values. */
u64 hist_quantile(const struct hist *h, double q);
