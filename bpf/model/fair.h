/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fair.h: selects which members stay in limited room: half is shared fairly (max-min) among groups
 * and their subgroups, each with its heaviest; the other half is for the heaviest of the rest.
 */
#pragma once

#include "bpf/model/base.h"

#define FAIR_LEVELS 3

struct fair {
	u32 group[FAIR_LEVELS];	/* hashes, outermost first */
	u32 place;		/* identifies the member to the caller */
	u64 weight;
	bool stays;
};

/* Moves the members that stay to the front, unordered; returns min(n, room). */
u32 fair_choose(struct fair *all, u32 n, u32 room);
