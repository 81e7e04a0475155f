/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fair.h: selects which members to keep in limited room. Half of the room is shared fairly (max-min)
 * among groups, and among the groups within them; each group keeps its heaviest members. The other half
 * is for the heaviest of all remaining members.
 */
#ifndef OTTOP_FAIR_H
#define OTTOP_FAIR_H

#include "bpf/model/base.h"

#define FAIR_LEVELS 3

struct fair {
	u32 group[FAIR_LEVELS];	/* hashes, outermost first */
	u32 place;		/* identifies the member to the caller */
	u64 weight;
	bool stays;
};

/* Moves the members to keep to the front, in no order; returns their number: min(n, room). */
u32 fair_choose(struct fair *all, u32 n, u32 room);

#endif
