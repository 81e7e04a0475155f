// SPDX-License-Identifier: GPL-2.0-or-later
/* processes_tree.c: the process tree, worst branch first; a folded row is its branch's sum. */
#include <stdlib.h>
#include <string.h>

#include "tui/views/processes.h"

#define MAX_DEPTH 31	/* bits of last_mask */

/* ---- parents and children --------------------------------------------------------------- */

struct by_pid {
	u64 pid;
	u32 node;
};

static int cmp_pid(const void *pa, const void *pb)
{
	const struct by_pid *a = pa, *b = pb;

	return cmp(a->pid, b->pid);
}

static s32 find_parent(const struct by_pid *index, u32 n, const struct processes_row *p)
{
	struct by_pid key = { .pid = p->ppid };
	const struct by_pid *found;

	if (!u64_known(p->ppid) || p->ppid == p->pid)
		return -1;
	found = bsearch(&key, index, n, sizeof(*index), cmp_pid);
	return found ? (s32)found->node : -1;
}

/* Whether `child` under `parent` would close a cycle, which reused pids can cause. */
static bool makes_circle(const struct node *nodes, s32 parent, s32 child)
{
	for (u32 guard = 0; parent >= 0 && guard < 4096; guard++) {
		if (parent == child)
			return true;
		parent = nodes[parent].parent;
	}
	return parent >= 0;
}

static void append_child(struct node *nodes, s32 *first, s32 *last, s32 child)
{
	if (*last >= 0)
		nodes[*last].next = child;
	else
		*first = child;
	*last = child;
}

static void find_parents(struct processes_state *st)
{
	struct by_pid *index = xcalloc(st->n_nodes, sizeof(*index));

	for (u32 i = 0; i < st->n_nodes; i++)
		index[i] = (struct by_pid){ processes_row(st->nodes[i].row)->pid, i };
	qsort(index, st->n_nodes, sizeof(*index), cmp_pid);
	for (u32 i = 0; i < st->n_nodes; i++) {
		s32 parent = find_parent(index, st->n_nodes, processes_row(st->nodes[i].row));

		if (parent >= 0 && !makes_circle(st->nodes, parent, (s32)i))
			st->nodes[i].parent = parent;
	}
	free(index);
}

static void add_totals(struct processes_state *st)
{
	for (u32 i = 0; i < st->n_nodes; i++) {
		double own = st->nodes[i].total;

		for (s32 up = st->nodes[i].parent; up >= 0; up = st->nodes[up].parent) {
			st->nodes[up].members++;
			st->nodes[up].total += max(own, 0.0);
		}
	}
}

/* ---- order -------------------------------------------------------------------------------- */

struct order {
	const struct node *nodes;
	bool ascending;
};

static int cmp_total(const void *pa, const void *pb, void *arg)
{
	const struct order *o = arg;
	u32 a = *(const u32 *)pa, b = *(const u32 *)pb;
	double x = o->nodes[a].total, y = o->nodes[b].total;

	if (o->nodes[a].past != o->nodes[b].past)
		return o->nodes[a].past ? 1 : -1;
	return (o->ascending ? cmp(x, y) : cmp(y, x)) ?: cmp(a, b);	/* nodes are in the order of the flat table */
}

static s32 link_all(struct processes_state *st, bool ascending, bool sums)
{
	struct order o = { st->nodes, ascending };
	u32 *order = xcalloc(st->n_nodes, sizeof(*order));
	s32 first = -1, last = -1;

	for (u32 i = 0; i < st->n_nodes; i++)
		order[i] = i;
	if (sums)
		qsort_r(order, st->n_nodes, sizeof(*order), cmp_total, &o);
	for (u32 i = 0; i < st->n_nodes; i++) {
		s32 at = (s32)order[i], parent = st->nodes[at].parent;

		if (parent < 0)
			append_child(st->nodes, &first, &last, at);
		else
			append_child(st->nodes, &st->nodes[parent].first_child,
				     &st->nodes[parent].last_child, at);
	}
	free(order);
	return first;
}

/* ---- folding -------------------------------------------------------------------------------- */

static s32 folded_index(const struct processes_state *st, const struct processes_row *p)
{
	for (u32 i = 0; i < st->n_folded; i++)
		if (st->folded[i].pid == p->pid && st->folded[i].start_time_ns == p->start_time_ns)
			return (s32)i;
	return -1;
}

static void fold(struct processes_state *st, const struct processes_row *p)
{
	if (folded_index(st, p) >= 0)
		return;
	st->folded = grow(st->folded, st->n_folded, &st->cap_folded, sizeof(*st->folded));
	st->folded[st->n_folded++] = (struct folded){ p->pid, p->start_time_ns };
}

static bool unfold(struct processes_state *st, const struct processes_row *p)
{
	s32 i = folded_index(st, p);

	if (i < 0)
		return false;
	st->folded[i] = st->folded[--st->n_folded];
	return true;
}

static void sum_branch(struct processes_state *st, const struct sum_plan *plan, s32 at, struct processes_row *sum)
{
	for (s32 i = st->nodes[at].first_child; i >= 0; i = st->nodes[i].next) {
		row_add_numbers(plan, &sum->row, st->nodes[i].row);
		sum_branch(st, plan, i, sum);
	}
}

static void drop_sums(struct processes_state *st)
{
	for (u32 i = 0; i < st->n_nodes; i++)
		free(st->nodes[i].sum);
	st->n_nodes = 0;
}

/* ---- rows in tree order ---- */

struct walk {
	struct processes_state *st;
	struct table_row *out;
	const struct table_row *in;
	struct sum_plan plan;
	u32 n;
};

static void emit(struct walk *w, s32 at, u32 depth, u32 mask)
{
	struct node *node = &w->st->nodes[at];
	struct table_row *tr = &w->out[w->n++];

	node->depth = (u16)min(depth, (u32)MAX_DEPTH);
	node->last_mask = mask | (node->next < 0 && depth <= MAX_DEPTH ? 1u << depth : 0);
	node->folded = node->first_child >= 0 && folded_index(w->st, processes_row(node->row)) >= 0;
	*tr = w->in[at];
	tr->data = (u32)at;
	if (node->folded) {
		node->sum = xmalloc(sizeof(*node->sum));
		memcpy(node->sum, node->row, sizeof(*node->sum));
		sum_branch(w->st, &w->plan, at, node->sum);
		tr->drawn = &node->sum->row;
		return;
	}
	for (s32 i = node->first_child; i >= 0; i = w->st->nodes[i].next)
		emit(w, i, depth + 1, node->last_mask);
}

u32 tree_arrange(struct processes_state *st, struct table_row *rows, u32 n, bool ascending, bool sums)
{
	struct table_row *in = xcalloc(n, sizeof(*in));
	struct walk w = { .st = st, .out = rows, .in = in };

	sum_plan_make(&w.plan, TABLE_processes);
	if (n)
		memcpy(in, rows, n * sizeof(*in));
	drop_sums(st);
	if (st->cap_nodes < n) {
		st->nodes = xrealloc(st->nodes, n * sizeof(*st->nodes));
		st->cap_nodes = n;
	}
	st->n_nodes = n;
	for (u32 i = 0; i < n; i++)
		st->nodes[i] = (struct node){ .row = rows[i].row, .parent = -1, .first_child = -1,
			.last_child = -1, .next = -1, .members = 1, .total = rows[i].key,
			.past = rows[i].past };
	find_parents(st);
	if (sums)
		add_totals(st);
	for (s32 i = link_all(st, ascending, sums); i >= 0; i = st->nodes[i].next)
		emit(&w, i, 0, 0);
	free(in);
	return w.n;
}

int tree_prefix(const struct processes_state *st, struct canvas *c, int row, int col, int width,
		u32 style, const struct table_row *tr)
{
	const struct node *node = &st->nodes[tr->data];
	bool deep;
	int x = 0;

	width -= 12;	/* leave room for a name */
	deep = (int)node->depth * 3 > width;
	if (deep)	/* room for the depth */
		width = max(width - 2, 0);
	for (u32 d = 1; d < node->depth && x + 3 <= width; d++)
		x += canvas_text(c, row, col + x, 3, style,
				 node->last_mask & (1u << d) ? "   " : "│  ");
	if (deep) {	/* the line does not fit */
		x += canvas_printf(c, row, col + x, -1, style, "…%u%s ", node->depth, node->folded ? "▸" : "");
	} else if (node->depth) {
		bool last = node->last_mask & (1u << node->depth);

		x += canvas_text(c, row, col + x, 2, style, last ? "└─" : "├─");
		x += canvas_text(c, row, col + x, 2, style, node->folded ? "▸ " : " ");
	} else if (node->folded) {
		x += canvas_text(c, row, col + x, 2, style, "▸ ");
	}
	return x;
}

/* ---- folded rows ------------------------------------------------------------------------- */

/* The next node of the branch in preorder; -1: end. */
static s32 next_in_branch(const struct node *nodes, s32 top, s32 at)
{
	if (nodes[at].first_child >= 0)
		return nodes[at].first_child;
	while (at != top && nodes[at].next < 0)
		at = nodes[at].parent;
	return at == top ? -1 : nodes[at].next;
}

const struct row *tree_hidden(void *state, const struct table_row *tr, s32 *at)
{
	const struct processes_state *st = state;

	if (!tr->drawn || tr->data >= st->n_nodes || !st->nodes[tr->data].folded)
		return NULL;
	*at = next_in_branch(st->nodes, (s32)tr->data, *at < 0 ? (s32)tr->data : *at);
	return *at < 0 ? NULL : st->nodes[*at].row;
}

void tree_reveal(void *state, const struct row *r)
{
	struct processes_state *st = state;
	s32 at = 0;

	while (at < (s32)st->n_nodes && st->nodes[at].row != r)
		at++;
	if (at == (s32)st->n_nodes)
		return;
	while ((at = st->nodes[at].parent) >= 0)
		unfold(st, processes_row(st->nodes[at].row));
}

/* ---- keys ------------------------------------------------------------------------------------- */

static void fold_all(struct processes_state *st)
{
	if (st->n_folded) {
		st->n_folded = 0;
		return;
	}
	for (u32 i = 0; i < st->n_nodes; i++)
		if (st->nodes[i].first_child >= 0 && st->nodes[i].depth >= 1)
			fold(st, processes_row(st->nodes[i].row));
}

/* Folds the branch or, on a leaf, its parent's, moving the cursor there. */
static void fold_here(struct app *a, struct processes_state *st, const struct node *node)
{
	if ((node->first_child < 0 || node->folded) && node->parent >= 0)
		node = &st->nodes[node->parent];
	if (node->first_child < 0)
		return;
	fold(st, processes_row(node->row));
	table_select(app_table(a), node->row);
}

bool tree_act(struct app *a, struct processes_state *st, enum action action)
{
	struct tableview *t = app_table(a);
	const struct table_row *tr = table_len(t) ? table_at(t, table_cursor_index(t)) : NULL;

	if (action != ACTION_fold && action != ACTION_unfold && action != ACTION_fold_all)
		return false;
	if (app_face(a) != FACE_TREE) {
		app_say(a, ROLE_text, "t shows the tree, where branches can be folded");
		return true;
	}
	if (!tr || tr->data >= st->n_nodes)
		return true;
	if (action == ACTION_fold_all)
		fold_all(st);
	else if (action == ACTION_fold)
		fold_here(a, st, &st->nodes[tr->data]);
	else
		unfold(st, processes_row(tr->row));
	table_reload(a, t);
	return true;
}

void tree_free(struct processes_state *st)
{
	drop_sums(st);
	free(st->nodes);
	free(st->folded);
}
