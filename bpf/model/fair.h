/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fair.h: who stays where there is room for so many. Half of the room is shared: groups, and the
 * groups within them, have what they ask for up to a level that is the same for all who ask for more,
 * and of each the heaviest stay. The other half is for the heaviest of all who are left.
 */
#ifndef OTTOP_FAIR_H
#define OTTOP_FAIR_H

#include "bpf/model/base.h"

#define FAIR_LEVELS 3

struct fair {
	u32 group[FAIR_LEVELS];	/* hashes, outermost first */
	u32 place;		/* of the member, as its owner knows it */
	u64 weight;
	bool stays;
};

/* Puts first who stays, in no order; how many these are: all, or as many as there is room for. */
u32 fair_choose(struct fair *all, u32 n, u32 room);

#endif
