// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_sweep.c: every program that comes and goes leaves functions (for itself, its threads, its
 * unnamed frames) and a task. After a rebuild of the tree the unreferenced ones are freed and their
 * numbers reused; numbers held elsewhere are not.
 */
#include <stdlib.h>

#include "tui/engines/flame.h"

#define SWEEP_FIRST 4096u	/* functions and tasks before the first sweep */

struct used {
	bool *fns, *tasks;
};

static void mark_tree(const struct flame_tree *t, bool *fns)
{
	for (u32 i = 0; i < t->n; i++)
		fns[t->nodes[i].fn] = true;
	for (u32 i = 0; i < t->n_inside; i++)
		fns[t->inside[i].fn] = true;
}

static void mark_stacks(const struct flame *f, struct used *u)
{
	for (u32 i = 0; i < f->n_stacks; i++) {
		u->tasks[f->stacks[i].task] = true;
		u->fns[f->stacks[i].cut_fn] = true;
	}
	for (u32 i = 0; i < f->n_tasks; i++)
		if (u->tasks[i])
			u->fns[f->tasks[i].process_fn] = u->fns[f->tasks[i].thread_fn] = true;
}

static void mark_names(const struct flame_names *n, bool *fns)
{
	fns[FLAME_ROOT] = true;
	for (u32 i = 0; i < n->n_frames; i++) {
		const struct flame_frame *frame = flame_frame_of(n, i);

		if (frame && frame->fn != FLAME_NONE)
			fns[frame->fn] = true;
	}
	for (u32 i = 0; i < n->n; i++)
		fns[i] |= n->fns[i].open || n->fns[i].kept;
}

/* Forgets frames that are in no stack here and were evicted by the collector. */
static void forget_frames(struct flame *f)
{
	struct flame_names *n = &f->names;
	bool *keep = xcalloc(n->n_frames + 1, sizeof(*keep));
	u32 inlined[FLAME_INLINED_MAX];

	for (u32 i = 0; i < n->n_seen; i++)
		if (n->seen[i] && frames_row(n->seen[i])->id < n->n_frames)
			keep[frames_row(n->seen[i])->id] = true;
	for (u32 i = 0; i < f->n_ids; i++) {
		u32 id = f->ids[i], many = flame_names_inlined(n, id, inlined, FLAME_INLINED_MAX);

		if (id < n->n_frames)
			keep[id] = true;
		for (u32 k = 0; k < many; k++)
			if (inlined[k] < n->n_frames)
				keep[inlined[k]] = true;
	}
	flame_names_forget(n, keep);
	free(keep);
}

void flame_sweep(struct flame *f)
{
	struct flame_names *n = &f->names;
	struct used u;

	if (f->building || n->n - n->n_spare + f->n_tasks - f->n_spare_tasks < max(f->sweep_at, SWEEP_FIRST))
		return;
	forget_frames(f);
	u.fns = xcalloc(n->n + 1, sizeof(*u.fns));
	u.tasks = xcalloc(f->n_tasks + 1, sizeof(*u.tasks));
	mark_tree(flame_tree(f), u.fns);
	mark_stacks(f, &u);
	mark_names(n, u.fns);
	flame_names_keep(n, u.fns);
	flame_tree_forget(flame_tree(f), u.fns, n->n);
	flame_tasks_keep(f, u.tasks);
	f->sweep_at = 2 * (n->n - n->n_spare + f->n_tasks - f->n_spare_tasks);
	free(u.fns);
	free(u.tasks);
}
