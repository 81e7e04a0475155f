// SPDX-License-Identifier: GPL-2.0-or-later
/* flame_build.c: builds a second tree in steps while the first is shown. */
#include <stdlib.h>
#include <string.h>

#include "tui/engines/flame.h"

#define CHECK_EVERY 128		/* stacks between two checks of the clock */
#define PACE 400		/* rebuilds for names alone may use 1/PACE of a CPU, */
#define QUICK_NS NSEC_PER_MSEC	/* unless it is shorter than this */

static struct flame_tree *other_tree(struct flame *f)
{
	return &f->trees[!f->shown];
}

void flame_rebuild(struct flame *f)
{
	f->building = true;
	f->renamed = false;
	f->build_at = 0;
	flame_tree_clear(other_tree(f));
	other_tree(f)->inverted = f->shape.inverted;
}

static void build_one(struct flame *f, u32 i)
{
	struct flame_stack *s = &f->stacks[i];
	u32 other = !f->shown;

	s->leaf[other] = flame_place(f, other_tree(f), s);
	if (s->leaf[other] == FLAME_NONE)
		return;
	if (s->n || s->value)
		flame_tree_add(other_tree(f), &f->names, s->leaf[other], s->value, s->n, false);
	if (f->has_a && (s->a_n || s->a_value))
		flame_tree_add(other_tree(f), &f->names, s->leaf[other], (double)s->a_value,
			       (double)s->a_n, true);
}

/* False: not finished. */
static bool build_some(struct flame *f, u64 end_ns)
{
	while (f->build_at < f->n_stacks) {
		build_one(f, f->build_at++);
		if (end_ns && f->build_at % CHECK_EVERY == 0 && boottime_ns() > end_ns)
			return false;
	}
	return true;
}

bool flame_build(struct flame *f, u64 end_ns)
{
	u64 before;
	bool done;

	if (!f->building)
		return true;
	before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	done = build_some(f, end_ns);
	f->build_cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
	if (!done)
		return false;
	f->build_after_ns = f->build_cpu_ns > QUICK_NS ? boottime_ns() + PACE * f->build_cpu_ns : 0;
	f->build_cpu_ns = 0;
	f->building = false;
	flame_tree_adopt(other_tree(f), flame_tree(f), &f->names);
	for (u32 i = 0; i < f->n_pins; i++)
		f->pins[i] = flame_tree_same(other_tree(f), flame_tree(f), f->pins[i], &f->names);
	f->shown = !f->shown;
	flame_tree_free(other_tree(f));
	flame_sweep(f);
	f->version++;
	return true;
}

/* ---- dropping stacks outside of any window ---- */

static bool is_dead(const struct flame_stack *s)
{
	return !s->n && !s->value && !s->a_n && !s->a_value;
}

bool flame_is_sparse(const struct flame *f)
{
	if (f->building)
		return false;
	if (f->trees[f->shown].n >= FLAME_MAX_NODES / 4 * 3)	/* room is needed */
		return f->n_dead >= f->n_stacks / 8;
	return f->n_dead >= f->compact_at && f->n_dead >= f->n_stacks / 2;
}

/* Renumbers the remaining stacks, also in ticks. Trees do not refer to stacks. */
void flame_compact(struct flame *f)
{
	u32 n = 0, n_ids = 0, *now;

	now = xmalloc(f->n_stacks * sizeof(*now));
	for (u32 i = 0; i < f->n_stacks; i++) {
		struct flame_stack s = f->stacks[i];

		now[i] = is_dead(&s) ? FLAME_NONE : n;
		if (is_dead(&s))
			continue;
		memmove(f->ids + n_ids, f->ids + s.ids, s.n_ids * sizeof(*f->ids));
		s.ids = n_ids;
		n_ids += s.n_ids;
		f->stacks[n++] = s;
	}
	f->n_dead -= f->n_stacks - n;
	f->compact_at = f->n_dead + FLAME_MANY_DEAD;	/* the remaining dead ones belong to A */
	f->n_stacks = n;
	f->n_ids = n_ids;
	for (u32 i = 0; i < f->n_ticks; i++)
		for (u32 k = 0; f->ticks[i].parts && k < f->ticks[i].n_parts; k++)
			f->ticks[i].parts[k].stack = now[f->ticks[i].parts[k].stack];
	free(now);
	flame_index_stacks(f);
	flame_rebuild(f);	/* drops the nodes of removed stacks */
}

void flame_rebuild_living(struct flame *f)
{
	u32 kept = f->compact_at - FLAME_MANY_DEAD;	/* dead ones that belong to A */

	if (f->n_dead >= kept + FLAME_SOME_DEAD && f->n_dead - kept >= f->n_stacks / 4)
		flame_compact(f);
	else
		flame_rebuild(f);
}
