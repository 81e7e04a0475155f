// SPDX-License-Identifier: GPL-2.0-or-later
/* flame_layout.c: cells of each frame, rounded from cumulative sums: frames never overlap. */

#include "tui/views/flame.h"

struct lay {
	struct flame_view *v;
	struct flame_tree *t;
	double span;		/* value of the full width */
	int cols, last_depth;
};

static int column(const struct lay *l, double value)
{
	int x = (int)floor(value * l->cols / l->span + 0.5);

	return max(min(x, l->cols), 0);
}

static void add_box(struct flame_view *v, u32 node, int depth, int x, int end, u8 shade, bool rest)
{
	v->boxes = grow(v->boxes, v->n_boxes, &v->cap_boxes, sizeof(*v->boxes));
	v->boxes[v->n_boxes++] = (struct flame_box){
		.node = node, .depth = (s16)depth, .x = (s16)x, .end = (s16)end, .shade = shade, .rest = rest,
	};
}

static bool is_narrow(const struct lay *l, u32 node)
{
	return l->t->nodes[node].value * l->cols * 2 < l->span;
}

/* Places the children of a node that starts at `start` (a value, from the left edge). */
static void place_children(struct lay *l, u32 node, double start, int depth)
{
	struct flame_view *v = l->v;
	double sum = start, narrow = 0;
	u8 shade = (u8)(depth & 1);

	if (depth > l->last_depth) {
		v->more |= l->t->nodes[node].first != FLAME_NONE;
		return;
	}
	flame_tree_order(l->t, node);
	for (u32 c = l->t->nodes[node].first; c != FLAME_NONE; c = l->t->nodes[c].next) {
		double value = l->t->nodes[c].value, from = sum;
		int x, end;

		if (!flame_alive(v, c))
			continue;
		if (is_narrow(l, c)) {
			narrow += value;
			continue;
		}
		sum += value;
		x = column(l, from);
		end = column(l, sum);
		if (end == x)
			continue;
		add_box(v, c, depth, x, end, shade, false);
		shade ^= 1;
		place_children(l, c, from, depth + 1);
	}
	if (narrow > 0) {
		int x = column(l, sum), end = max(column(l, sum + narrow), x + 1);

		end = min(end, column(l, start + l->t->nodes[node].value));
		if (end > x)
			add_box(v, node, depth, x, end, 0, true);
	}
}

struct flame_rest flame_rest_of(struct flame_view *v, u32 node)
{
	struct flame_tree *t = flame_tree(&v->f);
	struct lay l = { v, t, t->nodes[flame_zoom(v)].value, v->graph_cols, 0 };
	struct flame_rest rest = { 0 };

	for (u32 c = t->nodes[node].first; c != FLAME_NONE; c = t->nodes[c].next) {
		if (!flame_alive(v, c) || !is_narrow(&l, c))
			continue;
		rest.n++;
		rest.value += t->nodes[c].value;
	}
	return rest;
}

/* Keeps the selected frame visible. */
static void scroll(struct flame_view *v, int rows)
{
	int depth = flame_fold_depth(v, flame_tree_depth(flame_tree(&v->f), flame_selected(v)));

	v->scroll = min(v->scroll, depth);
	v->scroll = max(max(v->scroll, depth - rows + 1), 0);
}

static void find_selected(struct flame_view *v)
{
	for (u32 node = flame_selected(v); node != FLAME_NONE; node = flame_node(v, node)->parent) {
		const struct flame_box *b = flame_box_of(v, flame_is_folded(v, node) ? v->fold_node : node);

		if (b) {
			v->at = (u32)(b - v->boxes);
			return;
		}
	}
	v->at = 0;
}

static void lay_out(struct flame_view *v, int rows, int cols)
{
	struct flame_tree *t = flame_tree(&v->f);
	u32 zoom = flame_zoom(v), node = zoom;
	int depth = flame_tree_depth(t, zoom);
	struct lay l = { v, t, t->nodes[zoom].value, cols, 0 };

	v->n_boxes = 0;
	v->more = v->moved = false;
	scroll(v, rows);
	l.last_depth = v->scroll + rows - 1;
	add_box(v, zoom, depth, 0, cols, (u8)(depth & 1), false);
	for (int d = depth - 1; d >= 0; d--) {
		node = t->nodes[node].parent;
		add_box(v, node, d, 0, cols, (u8)(d & 1), false);
		v->boxes[v->n_boxes - 1].above = true;
	}
	if (v->fold) {
		add_box(v, v->fold_node, 1, 0, cols, 0, false);
		v->boxes[v->n_boxes - 1].fold = true;
		place_children(&l, v->fold_node, 0, 2);
	} else if (l.span > 0) {
		place_children(&l, zoom, 0, depth + 1);
	}
}

void flame_lay_out(struct flame_view *v, int rows, int cols)
{
	v->folds &= rows == v->graph_rows;
	v->graph_rows = rows;
	v->graph_cols = cols;
	v->fold = 0;
	if (!v->folds || !flame_fold(v, cols)) {
		lay_out(v, rows, cols);
		if ((v->more || v->scroll) && flame_fold(v, cols)) {
			v->folds = true;
			lay_out(v, rows, cols);
		}
	} else {
		lay_out(v, rows, cols);
	}
	find_selected(v);
}

const struct flame_box *flame_box_of(const struct flame_view *v, u32 node)
{
	for (u32 i = 0; i < v->n_boxes; i++)
		if (v->boxes[i].node == node && !v->boxes[i].rest)
			return &v->boxes[i];
	return NULL;
}

const struct flame_box *flame_beside(const struct flame_view *v, const struct flame_box *b, int step)
{
	const struct flame_box *best = NULL;

	for (u32 i = 0; i < v->n_boxes; i++) {
		const struct flame_box *o = &v->boxes[i];

		if (o->depth != b->depth || o->rest || (step < 0 ? o->x >= b->x : o->x <= b->x))
			continue;
		if (!best || (step < 0 ? o->x > best->x : o->x < best->x))
			best = o;
	}
	return best;
}

u32 flame_widest(const struct flame_view *v, u32 node)
{
	u32 best = FLAME_NONE;

	for (u32 c = flame_node(v, node)->first; c != FLAME_NONE; c = flame_node(v, c)->next)
		if (flame_alive(v, c) &&
		    (best == FLAME_NONE || flame_node(v, c)->value > flame_node(v, best)->value))
			best = c;
	return best;
}
