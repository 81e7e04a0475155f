// SPDX-License-Identifier: GPL-2.0-or-later
/* flame_tree.c: stacks merged from the root: nodes, their values and their order. */
#include <stdlib.h>
#include <string.h>

#include "tui/engines/flame.h"

#define MOVE_AT_ONCE 16		/* nodes moved with each new one */

/* ---- nodes ------------------------------------------------------------------------ */

static u32 slot_in(const struct flame_tree *t, const u32 *hash, u32 n_hash, u32 parent, u32 fn)
{
	u32 mask = n_hash - 1;
	u32 i = (u32)(((u64)parent << 32 | fn) * 0x9e3779b97f4a7c15ull >> 33) & mask;

	for (; hash[i] != FLAME_NONE; i = (i + 1) & mask) {
		const struct flame_node *node = &t->nodes[hash[i]];

		if (node->parent == parent && node->fn == fn)
			break;
	}
	return i;
}

static void put_in_hash(struct flame_tree *t, u32 id)
{
	const struct flame_node *node = &t->nodes[id];

	t->hash[slot_in(t, t->hash, t->n_hash, node->parent, node->fn)] = id;
}

/* Moves nodes of the smaller table a few at a time, to not stop the screen. */
static void move_some(struct flame_tree *t, u32 n)
{
	for (; t->old_hash && n; n--) {
		if (t->n_moved == t->n_to_move) {
			free(t->old_hash);
			t->old_hash = NULL;
			return;
		}
		put_in_hash(t, t->n_moved++);
	}
}

static void make_room(struct flame_tree *t)
{
	move_some(t, MOVE_AT_ONCE);
	if (t->n * 2 < t->n_hash)
		return;
	move_some(t, UINT32_MAX);
	t->old_hash = t->hash;
	t->n_old_hash = t->n_hash;
	t->n_moved = 0;
	t->n_to_move = t->n;
	t->n_hash = max(t->n_hash * 2, 1024u);
	t->hash = xmalloc(t->n_hash * sizeof(*t->hash));
	memset(t->hash, 0xff, t->n_hash * sizeof(*t->hash));
}

static u32 add_node(struct flame_tree *t, u32 parent, u32 fn)
{
	struct flame_node *p;
	u32 id = t->n;

	make_room(t);
	t->nodes = grow(t->nodes, t->n, &t->cap, sizeof(*t->nodes));
	t->nodes[id] = (struct flame_node){
		.parent = parent, .fn = fn, .first = FLAME_NONE, .last = FLAME_NONE, .next = FLAME_NONE,
		.inside = FLAME_NONE,
	};
	put_in_hash(t, id);
	t->n++;
	if (parent == FLAME_NONE)
		return id;
	p = &t->nodes[parent];
	if (p->last == FLAME_NONE)
		p->first = id;
	else
		t->nodes[p->last].next = id;
	p->last = id;
	return id;
}

void flame_tree_clear(struct flame_tree *t)
{
	free(t->hash);
	free(t->old_hash);
	t->hash = t->old_hash = NULL;
	t->n = t->n_hash = t->stamp = t->n_inside = 0;
	if (t->costs)
		memset(t->costs, 0, t->n_costs * sizeof(*t->costs));
	add_node(t, FLAME_NONE, FLAME_ROOT);
}

void flame_tree_free(struct flame_tree *t)
{
	free(t->nodes);
	free(t->hash);
	free(t->old_hash);
	free(t->costs);
	free(t->inside);
	*t = (struct flame_tree){ 0 };
}

/* FLAME_NONE: not found. */
static u32 flame_tree_find(const struct flame_tree *t, u32 parent, u32 fn)
{
	u32 id = t->hash[slot_in(t, t->hash, t->n_hash, parent, fn)];

	if (id == FLAME_NONE && t->old_hash)
		id = t->old_hash[slot_in(t, t->old_hash, t->n_old_hash, parent, fn)];
	return id;
}

u32 flame_tree_child(struct flame_tree *t, u32 parent, u32 fn)
{
	u32 id = flame_tree_find(t, parent, fn);

	return id == FLAME_NONE ? add_node(t, parent, fn) : id;
}

void flame_tree_hide(struct flame_tree *t, u32 node, u32 fn)
{
	for (u32 i = t->nodes[node].inside; i != FLAME_NONE; i = t->inside[i].next)
		if (t->inside[i].fn == fn)
			return;
	t->inside = grow(t->inside, t->n_inside, &t->cap_inside, sizeof(*t->inside));
	t->inside[t->n_inside] = (struct flame_inside){ fn, t->nodes[node].inside };
	t->nodes[node].inside = t->n_inside++;
}

int flame_tree_depth(const struct flame_tree *t, u32 node)
{
	int depth = 0;

	for (; t->nodes[node].parent != FLAME_NONE; node = t->nodes[node].parent)
		depth++;
	return depth;
}

/* ---- values ------------------------------------------------------------------------ */

static void reach(struct flame_tree *t, u32 n_fns)
{
	u32 room = max(n_fns + n_fns / 4, 1024u);

	if (n_fns <= t->n_costs)
		return;
	t->costs = xrealloc(t->costs, room * sizeof(*t->costs));
	memset(t->costs + t->n_costs, 0, (room - t->n_costs) * sizeof(*t->costs));
	t->n_costs = room;
}

void flame_tree_forget(struct flame_tree *t, const bool *used, u32 n)
{
	for (u32 i = 0; i < min(n, t->n_costs); i++)
		if (!used[i])
			t->costs[i] = (struct flame_cost){ .stamp = t->costs[i].stamp };
}

static void add_total(struct flame_cost *c, double value, double n, bool a)
{
	if (a) {
		c->a_value += (float)value;
		c->a_n += (float)n;
	} else {
		c->value += value;
		c->n += n;
	}
}

static void add_self(struct flame_cost *c, double value, double n, bool a)
{
	if (a) {
		c->a_self += (float)value;
		c->a_self_n += (float)n;
	} else {
		c->self += value;
		c->self_n += n;
	}
}

void flame_tree_add(struct flame_tree *t, const struct flame_names *names, u32 leaf, double value,
		    double n, bool a)
{
	u32 self = FLAME_NONE;

	reach(t, names->n);
	t->stamp++;
	for (u32 id = leaf; id != FLAME_NONE; id = t->nodes[id].parent) {
		struct flame_node *node = &t->nodes[id];
		struct flame_cost *c = &t->costs[node->fn];

		if (a) {
			node->a_value += (float)value;
			node->a_n += (float)n;
		} else {
			node->value += value;
			node->n += n;
		}
		/* Inverted: the function that ran is the last real one on the path. */
		if (names->fns[node->fn].kind < FLAME_GROUP && (t->inverted || self == FLAME_NONE))
			self = node->fn;
		if (c->stamp != t->stamp)
			add_total(c, value, n, a);
		c->stamp = t->stamp;
	}
	if (self != FLAME_NONE)
		add_self(&t->costs[self], value, n, a);
}

struct matcher {
	const struct flame_tree *t;
	const struct flame_names *names;
	flame_match_fn match;
	void *arg;
};

u32 flame_tree_match(const struct flame_tree *t, const struct flame_names *names, u32 node,
		     flame_match_fn match, void *arg)
{
	u32 fn = t->nodes[node].fn;

	if (match(arg, &names->fns[fn], fn))
		return fn;
	for (u32 i = t->nodes[node].inside; i != FLAME_NONE; i = t->inside[i].next)
		if (match(arg, &names->fns[t->inside[i].fn], t->inside[i].fn))
			return t->inside[i].fn;
	return FLAME_NONE;
}

static double matched_below(const struct matcher *m, u32 id)
{
	const struct flame_node *node = &m->t->nodes[id];
	double sum = 0;

	if (flame_tree_match(m->t, m->names, id, m->match, m->arg) != FLAME_NONE)
		return node->value;
	for (u32 c = node->first; c != FLAME_NONE; c = m->t->nodes[c].next)
		if (m->t->nodes[c].value > 0)
			sum += matched_below(m, c);
	return sum;
}

double flame_tree_matched(const struct flame_tree *t, const struct flame_names *names, u32 top,
			  flame_match_fn match, void *arg)
{
	struct matcher m = { t, names, match, arg };

	return matched_below(&m, top);
}

/* ---- order --------------------------------------------------------------------------- */

struct place {
	u32 node;
	double value;
};

static int by_value(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return cmp(y->value, x->value) ?: cmp(x->node, y->node);
}

static void append(struct flame_tree *t, u32 parent, u32 child)
{
	struct flame_node *p = &t->nodes[parent];

	if (p->last == FLAME_NONE)
		p->first = child;
	else
		t->nodes[p->last].next = child;
	p->last = child;
	t->nodes[child].next = FLAME_NONE;
	t->nodes[child].placed = true;
}

/* Puts children without a position to the right of the others, by share. */
static void place_rest(struct flame_tree *t, u32 parent, u32 first)
{
	struct place *rest = NULL;
	u32 n = 0, cap = 0;

	for (u32 c = first; c != FLAME_NONE; c = t->nodes[c].next) {
		if (t->nodes[c].placed)
			continue;
		rest = grow(rest, n, &cap, sizeof(*rest));
		rest[n++] = (struct place){ c, t->nodes[c].value };
	}
	qsort(rest, n, sizeof(*rest), by_value);
	for (u32 i = 0; i < n; i++)
		append(t, parent, rest[i].node);
	free(rest);
}

void flame_tree_order(struct flame_tree *t, u32 node)
{
	u32 first = t->nodes[node].first;

	if (t->nodes[node].ordered)
		return;
	t->nodes[node].ordered = true;
	if (first == t->nodes[node].last)
		return;
	for (u32 c = first; c != FLAME_NONE; c = t->nodes[c].next)
		t->nodes[c].placed = false;
	t->nodes[node].last = FLAME_NONE;
	place_rest(t, node, first);
}

void flame_tree_unorder(struct flame_tree *t)
{
	for (u32 i = 0; i < t->n; i++)
		t->nodes[i].ordered = false;
}

/* Takes b's list apart: first children that a has, in a's order; the rest by place_rest(). */
static void adopt(struct flame_tree *to, u32 b, struct flame_tree *from, u32 a,
		  const struct flame_names *names)
{
	u32 n = 0, cap = 0, *all = NULL;

	if (!from->nodes[a].ordered)
		return;
	for (u32 c = to->nodes[b].first; c != FLAME_NONE; c = to->nodes[c].next) {
		all = grow(all, n, &cap, sizeof(*all));
		all[n++] = c;
		to->nodes[c].placed = false;
	}
	to->nodes[b].first = to->nodes[b].last = FLAME_NONE;
	to->nodes[b].ordered = true;
	for (u32 c = from->nodes[a].first; c != FLAME_NONE; c = from->nodes[c].next) {
		u32 same = flame_tree_find(to, b, flame_names_now(names, from->nodes[c].fn));

		if (same == FLAME_NONE || to->nodes[same].placed)
			continue;
		append(to, b, same);
		adopt(to, same, from, c, names);
	}
	for (u32 i = 0; i < n; i++)	/* relink the rest for place_rest() */
		if (!to->nodes[all[i]].placed) {
			u32 head = all[i], tail = head;

			for (u32 k = i + 1; k < n; k++)
				if (!to->nodes[all[k]].placed)
					tail = to->nodes[tail].next = all[k];
			to->nodes[tail].next = FLAME_NONE;
			place_rest(to, b, head);
			break;
		}
	free(all);
}

void flame_tree_adopt(struct flame_tree *to, struct flame_tree *from, const struct flame_names *names)
{
	if (to->inverted == from->inverted)
		adopt(to, FLAME_ROOT, from, FLAME_ROOT, names);
}

u32 flame_tree_same(const struct flame_tree *to, const struct flame_tree *from, u32 node,
		    const struct flame_names *names)
{
	const struct flame_node *n = &from->nodes[node];
	u32 parent, same;

	if (n->parent == FLAME_NONE)
		return FLAME_ROOT;
	parent = flame_tree_same(to, from, n->parent, names);
	same = flame_tree_find(to, parent, flame_names_now(names, n->fn));
	return same == FLAME_NONE ? parent : same;
}
