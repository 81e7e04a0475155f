// SPDX-License-Identifier: GPL-2.0-or-later
/* index.c: see index.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/index.h"

static void put(struct index *x, struct index_slot slot)
{
	u32 at = slot.hash & (x->n_slots - 1);

	while (x->slots[at].place)
		at = (at + 1) & (x->n_slots - 1);
	x->slots[at] = slot;
}

static void make_room(struct index *x)
{
	struct index_slot *old = x->slots;
	u32 n_old = x->n_slots;

	if (x->n * 2 < x->n_slots)
		return;
	x->n_slots = max(n_old * 2, 64u);
	x->slots = xcalloc(x->n_slots, sizeof(*x->slots));
	for (u32 i = 0; i < n_old; i++)
		if (old[i].place)
			put(x, old[i]);
	free(old);
}

void index_add(struct index *x, u32 hash, u32 place)
{
	make_room(x);
	put(x, (struct index_slot){ hash, place + 1 });
	x->n++;
}

void index_clear(struct index *x)
{
	if (x->slots)
		memset(x->slots, 0, x->n_slots * sizeof(*x->slots));
	x->n = 0;
}

void index_free(struct index *x)
{
	free(x->slots);
	*x = (struct index){ 0 };
}
