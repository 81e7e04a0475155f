/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monkey.h: parts of the monkey: random numbers, and ticks in which everything changes. */
#pragma once

#include "bpf/model/snapshot_build.h"

/* splitmix64: equal seeds give equal keys on every machine. */
struct chance {
	u64 state;
};

static inline u64 chance_u64(struct chance *c)
{
	u64 z = c->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* 0 .. n-1 */
static inline u32 chance(struct chance *c, u32 n)
{
	return (u32)(chance_u64(c) >> 32) % n;
}

static inline bool chance_of(struct chance *c, u32 one_in)
{
	return !chance(c, one_in);
}

/*
 * A successor of `last` (one reference): rows of all tables end, change, come and go, with any
 * values.
 */
const struct snapshot *churn_tick(struct chance *c, const struct snapshot *last);
