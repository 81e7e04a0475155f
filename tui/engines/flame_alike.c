// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_alike.c: many processes of one name share a node. The hundred `ls` of a shell script or the
 * compilers of a build would be a column or two each, meaning little, while together they account
 * for the time. Enter shows them one by one.
 */
#include "tui/engines/flame.h"

#define MANY 8		/* processes in the window that are merged */
#define FEW 4		/* until fewer than this remain (hysteresis) */

static u64 key_of(const char *name)
{
	u64 key = 0;

	for (; *name; name++)
		key = (key ^ (u8)*name) * 0x9e3779b97f4a7c15ull;
	return key;
}

/* One process more or less of that name. */
static void count(struct flame *f, u32 group, bool more)
{
	struct flame_fn *fn = &f->names.fns[group];

	if (!group)
		return;
	fn->alive += more ? 1 : fn->alive ? -1 : 0;
	f->regroup |= fn->many != (fn->alive >= (fn->many ? FEW : MANY));
}

void flame_alike_named(struct flame *f, u32 process_fn, const char *name)
{
	u32 group = flame_names_group(&f->names, FLAME_GROUP, key_of(name), 13, name);
	struct flame_fn *fn = &f->names.fns[process_fn];
	u32 before = fn->group;

	if (before == group)
		return;
	fn->group = group;
	if (!fn->alive)
		return;
	count(f, before, false);
	count(f, group, true);
	f->regroup |= f->names.fns[group].many || f->names.fns[before].many;
}

void flame_alike_count(struct flame *f, u32 process_fn, bool more)
{
	struct flame_fn *fn = &f->names.fns[process_fn];

	if (more && !fn->alive++)
		count(f, fn->group, true);
	else if (!more && fn->alive && !--fn->alive)
		count(f, fn->group, false);
}

void flame_alike_zero(struct flame *f)
{
	for (u32 i = 0; i < f->names.n; i++)
		f->names.fns[i].alive = 0;
	f->regroup = true;
}

void flame_alike_update(struct flame *f)
{
	bool changed = false;

	if (!f->regroup)
		return;
	f->regroup = false;
	for (u32 i = 0; i < f->names.n; i++) {
		struct flame_fn *fn = &f->names.fns[i];
		bool many = fn->alive >= (fn->many ? FEW : MANY);

		if (fn->group || fn->many == many)	/* for a process `alive` counts stacks */
			continue;
		fn->many = many;
		changed = true;
	}
	f->renamed |= changed && f->shape.by_process && !f->scope.pid;
}
