// SPDX-License-Identifier: GPL-2.0-or-later
/* fair.c: see fair.h. */
#include <stdlib.h>

#include "bpf/model/fair.h"

static int compare_weights(const void *a, const void *b)
{
	const struct fair *x = a, *y = b;

	return cmp(y->weight, x->weight);
}

static int compare(const void *a, const void *b)
{
	const struct fair *x = a, *y = b;

	for (u32 i = 0; i < FAIR_LEVELS; i++)
		if (x->group[i] != y->group[i])
			return x->group[i] < y->group[i] ? -1 : 1;
	return compare_weights(x, y);
}

/* Length of the group at the front. */
static u32 group_len(const struct fair *all, u32 n, u32 depth)
{
	u32 len = 1;

	while (len < n && all[len].group[depth] == all[0].group[depth])
		len++;
	return len;
}

/* How many stay if each group has at most `level`. */
static u32 taken(const struct fair *all, u32 n, u32 depth, u32 level)
{
	u32 sum = 0;

	for (u32 i = 0, len; i < n; i += len) {
		len = group_len(all + i, n - i, depth);
		sum += min(len, level);
	}
	return sum;
}

/* all: sorted. */
static void choose(struct fair *all, u32 n, u32 room, u32 depth)
{
	u32 level = 0, most = room, rest;

	if (room >= n || depth == FAIR_LEVELS) {
		for (u32 i = 0; i < n; i++)
			all[i].stays = i < room;
		return;
	}
	while (level < most) {
		u32 middle = (level + most + 1) / 2;

		if (taken(all, n, depth, middle) <= room)
			level = middle;
		else
			most = middle - 1;
	}
	if (!level) {	/* more groups than room */
		qsort(all, n, sizeof(*all), compare_weights);
		choose(all, n, room, FAIR_LEVELS);
		return;
	}
	rest = room - taken(all, n, depth, level);
	for (u32 i = 0, len; i < n; i += len) {
		len = group_len(all + i, n - i, depth);
		if (len > level && rest) {
			choose(all + i, len, level + 1, depth + 1);
			rest--;
		} else {
			choose(all + i, len, min(len, level), depth + 1);
		}
	}
}

/* Moves the members to keep to the front. */
static u32 part(struct fair *all, u32 n)
{
	u32 to = 0;

	for (u32 i = 0; i < n; i++) {
		if (all[i].stays) {
			exchange(all[i], all[to]);
			to++;
		}
	}
	return to;
}

u32 fair_choose(struct fair *all, u32 n, u32 room)
{
	u32 kept;

	if (n <= room)
		return n;
	qsort(all, n, sizeof(*all), compare);
	choose(all, n, room / 2, 0);
	kept = part(all, n);
	qsort(all + kept, n - kept, sizeof(*all), compare_weights);
	return room;
}
