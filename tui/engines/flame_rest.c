// SPDX-License-Identifier: GPL-2.0-or-later
/* flame_rest.c: frees a hidden graph's memory; pinned nodes stay as paths without values. */
#include <stdlib.h>

#include "tui/engines/flame.h"

/* Creates the same path in another tree. */
static u32 make_path(struct flame_tree *to, const struct flame_tree *from, u32 node)
{
	const struct flame_node *n = &from->nodes[node];

	return n->parent == FLAME_NONE ? FLAME_ROOT :
					 flame_tree_child(to, make_path(to, from, n->parent), n->fn);
}

static void rest_trees(struct flame *f)
{
	struct flame_tree paths = { .inverted = f->shape.inverted };

	flame_tree_clear(&paths);
	for (u32 i = 0; i < f->n_pins; i++)
		f->pins[i] = make_path(&paths, flame_tree(f), f->pins[i]);
	flame_tree_free(&f->trees[0]);
	flame_tree_free(&f->trees[1]);
	f->trees[f->shown] = paths;
	flame_tree_clear(&f->trees[!f->shown]);
	f->building = false;
}

static void rest_stacks(struct flame *f)
{
	free(f->stacks);
	free(f->ids);
	free(f->tasks);
	free(f->spare_tasks);
	index_free(&f->by_hash);
	index_free(&f->by_task);
	f->stacks = NULL;
	f->ids = f->spare_tasks = NULL;
	f->tasks = NULL;
	f->n_stacks = f->cap_stacks = f->n_dead = f->n_ids = f->cap_ids = 0;
	f->n_tasks = f->cap_tasks = f->n_spare_tasks = f->sweep_at = 0;
	f->compact_at = FLAME_MANY_DEAD;
}

bool flame_rest(struct flame *f)
{
	const struct flame_tree *t = flame_tree(f);
	bool *used;

	/* a long-running sum, or a window to compare with, could not be rebuilt */
	if (f->has_a || (f->window != FLAME_10S && f->window != FLAME_TICK))
		return false;
	flame_zero(f);
	free(f->ticks);
	f->ticks = NULL;
	f->cap_ticks = 0;
	rest_trees(f);
	rest_stacks(f);
	used = xcalloc(f->names.n, sizeof(*used));
	for (u32 i = 0; i < t->n; i++)
		used[t->nodes[i].fn] = true;
	flame_names_rest(&f->names, used);
	free(used);
	f->version++;
	return true;
}
