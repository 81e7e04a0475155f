/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rate.h: the one place where two readings of a counter are subtracted. */
#ifndef OTTOP_RATE_H
#define OTTOP_RATE_H

#include "bpf/model/snapshot.h"

/* A counter as last read. Zero-initialized: never read. */
struct counter {
	u64 last;
	bool read;
};

/*
 * The growth since the last reading. The first reading gives `now` when the
 * object is younger than the interval (from_zero), else U64_PENDING. A counter
 * that fell a little (its parts are not read at one instant) has not grown and
 * keeps its level; one that fell by more than an eighth was reset.
 */
u64 counter_advance(struct counter *c, u64 now, bool from_zero);

/* delta per second; F32_PENDING when delta is pending or the interval is 0. */
float rate_per_s(u64 delta, u64 interval_ns);
/* Growth of a level per second; may be negative. Pending on the first reading. */
float rate_of_level(struct counter *c, u64 now, u64 interval_ns);
/* delta_ns of interval_ns in percent. Same rule. */
float rate_pct(u64 delta_ns, u64 interval_ns);

#endif
