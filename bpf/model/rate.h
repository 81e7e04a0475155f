/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rate.h: the only place where readings of a counter are subtracted. */
#pragma once

#include "bpf/model/snapshot.h"

/* A counter's last reading. Zeroed: never read. */
struct counter {
	u64 last;
	bool read;
};

/*
 * Growth since the last reading; at first `now` if the object is younger than the interval
 * (from_zero), else U64_PENDING. A counter that fell by up to an eighth (its parts are read at
 * different instants) has not grown and keeps its level; else it was reset.
 */
u64 counter_advance(struct counter *c, u64 now, bool from_zero);

/* delta per second; F32_PENDING if delta is pending or the interval 0. */
float rate_per_s(u64 delta, u64 interval_ns);
/* Growth of a level per second, may be negative; pending at first. */
float rate_of_level(struct counter *c, u64 now, u64 interval_ns);
/* delta_ns in percent of interval_ns; same rule. */
float rate_pct(u64 delta_ns, u64 interval_ns);
