// SPDX-License-Identifier: GPL-2.0-or-later
/* dwarf_functions.c: the functions of a unit, and those inlined into them. DWARF 5: 3.3.8. */

#include "symbolizer/dwarf_parts.h"

#define MAX_NEST 200		/* nesting of DIEs */
#define UNTOUCH (1u << 16)	/* DIEs: about 2 MB of .debug_info */

struct walk {
	struct unit *unit;
	u64 base;
	u32 nest, in_function, n;
	bool late;
};

/* Adds a scope for a function that has code; NONE if it has none. */
static u32 add_function(struct dwarf *d, struct walk *w, Dwarf_Die die)
{
	struct unit *u = w->unit;
	Dwarf_Off offset;

	if (!die_ranges(d, die, w->base, &u->funcs, u->n_scopes) ||
	    !good(d, dwarf_dieoffset(die, &offset, &d->err)))
		return NONE;
	u->scopes = grow(u->scopes, u->n_scopes, &u->cap_scopes, sizeof(*u->scopes));
	u->scopes[u->n_scopes] = (struct scope){ .origin = offset, .parent = NONE, .func = u->n_scopes };
	return u->n_scopes++;
}

static u32 add_inlined(struct dwarf *d, struct walk *w, Dwarf_Die die, u32 parent)
{
	struct unit *u = w->unit;

	if (parent == NONE || u->scopes[parent].depth + 1 >= DWARF_MAX_DEPTH ||
	    !die_ranges(d, die, w->base, &u->inlined, u->n_scopes))
		return parent;
	u->scopes = grow(u->scopes, u->n_scopes, &u->cap_scopes, sizeof(*u->scopes));
	u->scopes[u->n_scopes] = (struct scope){
		.origin = die_reference(d, die, DW_AT_abstract_origin), .parent = parent,
		.func = u->scopes[parent].func, .depth = u->scopes[parent].depth + 1,
		.call_file = (u32)die_uint(d, die, DW_AT_call_file),
		.call_line = (u32)die_uint(d, die, DW_AT_call_line),
	};
	return u->n_scopes++;
}

static void walk_children(struct dwarf *d, struct walk *w, Dwarf_Die parent, u32 scope);

static void walk_die(struct dwarf *d, struct walk *w, Dwarf_Die die, u32 scope)
{
	Dwarf_Half tag;

	if (!good(d, dwarf_tag(die, &tag, &d->err)))
		return;
	switch (tag) {
	case DW_TAG_subprogram:
		w->in_function++;
		walk_children(d, w, die, add_function(d, w, die));
		w->in_function--;
		break;
	case DW_TAG_inlined_subroutine:
		walk_children(d, w, die, add_inlined(d, w, die, scope));
		break;
	case DW_TAG_namespace: case DW_TAG_module: case DW_TAG_lexical_block:
	case DW_TAG_try_block: case DW_TAG_catch_block: case DW_TAG_with_stmt:
		walk_children(d, w, die, scope);
		break;
	case DW_TAG_structure_type: case DW_TAG_class_type: case DW_TAG_union_type:
		if (w->in_function)	/* lambdas and local classes: methods within */
			walk_children(d, w, die, NONE);
		break;
	}
}

static void walk_children(struct dwarf *d, struct walk *w, Dwarf_Die parent, u32 scope)
{
	Dwarf_Die die, next;

	if (w->nest >= MAX_NEST || !good(d, dwarf_child(parent, &die, &d->err)))
		return;
	w->nest++;
	for (;;) {
		bool more;

		if (++w->n % 256 == 0 && dwarf_clock_ns() > d->deadline_ns)
			w->late = true;
		if (w->n % UNTOUCH == 0)
			dwarf_untouch(d);
		if (!w->late)
			walk_die(d, w, die, scope);
		more = !w->late && good(d, dwarf_siblingof_b(d->dbg, die, true, &next, &d->err));
		put_die(d, die);
		if (!more)
			break;
		die = next;
	}
	w->nest--;
}

static const struct scope *sort_scopes;	/* qsort() has no argument for it, C11 has no qsort_r() */

static int by_function(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	u32 f = sort_scopes[x->of].func, g = sort_scopes[y->of].func;

	return cmp(f, g) ?: cmp(x->of, y->of);
}

void dwarf_functions_read(struct dwarf *d, struct unit *u, Dwarf_Die cu)
{
	struct walk w = { .unit = u, .base = die_unit_base(d, cu) };

	walk_children(d, &w, cu, NONE);
	die_ranges_sort(&u->funcs, die_range_by_low);
	sort_scopes = u->scopes;
	die_ranges_sort(&u->inlined, by_function);
}

u32 dwarf_functions_scope(const struct unit *u, u64 addr)
{
	const struct range *r = die_ranges_find(&u->funcs, addr);
	const struct ranges *inlined = &u->inlined;
	u32 k, best;

	if (!r)
		return NONE;
	best = r->of;
	k = bisect(i, 0, inlined->n, u->scopes[inlined->all[i].of].func < r->of);
	for (; k < inlined->n && u->scopes[inlined->all[k].of].func == r->of; k++) {
		const struct range *i = &inlined->all[k];

		if (addr >= i->low && addr < i->high && u->scopes[i->of].depth > u->scopes[best].depth)
			best = i->of;
	}
	return best;
}
