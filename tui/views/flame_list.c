// SPDX-License-Identifier: GPL-2.0-or-later
/* flame_list.c: the list of functions, by self or total cost. */
#include <stdlib.h>

#include "tui/views/flame.h"

/* Insignificant differences sort after all significant ones. */
static double key_of(const struct flame_view *v, const struct flame_cost *c, bool by_total)
{
	bool noise;
	double d;

	if (!flame_compares(v))
		return by_total ? c->value : c->self;
	d = by_total ? flame_diff(&v->f, c->value, c->n, (double)c->a_value, (double)c->a_n, &noise) :
		       flame_diff(&v->f, c->self, c->self_n, (double)c->a_self, (double)c->a_self_n, &noise);
	return noise ? 0 : fabs(d);
}

static int by_key(const void *a, const void *b)
{
	const struct flame_item *x = a, *y = b;

	return cmp(y->key, x->key) ?: cmp(y->second, x->second) ?: cmp(x->fn, y->fn);
}

/* A heap with the smallest item first. */
static void sift_down(struct flame_item *items, u32 n, u32 i)
{
	for (;;) {
		u32 child = 2 * i + 1;
		struct flame_item swap;

		if (child >= n)
			return;
		if (child + 1 < n && items[child + 1].key < items[child].key)
			child++;
		if (items[i].key <= items[child].key)
			return;
		swap = items[i];
		items[i] = items[child];
		items[child] = swap;
		i = child;
	}
}

static void keep_largest(struct flame_view *v, u32 fn, double key, double second)
{
	if (v->n_items < FLAME_ITEMS) {
		v->items[v->n_items++] = (struct flame_item){ fn, key, second };
		if (v->n_items == FLAME_ITEMS)
			for (u32 i = FLAME_ITEMS / 2; i-- > 0;)
				sift_down(v->items, v->n_items, i);
	} else if (key > v->items[0].key) {
		v->items[0] = (struct flame_item){ fn, key, second };
		sift_down(v->items, v->n_items, 0);
	}
}

static void flame_list_load(struct flame_view *v)
{
	const struct flame_tree *t = flame_tree(&v->f);
	u32 chosen = v->list_at < v->n_items ? v->items[v->list_at].fn : FLAME_NONE;
	u32 n = min(t->n_costs, v->f.names.n);

	if (v->items_version == v->f.version && v->items_diff == flame_compares(v) && v->items_total == v->by_total)
		return;
	v->items_version = v->f.version;
	v->items_diff = flame_compares(v);
	v->items_total = v->by_total;
	v->n_items = 0;
	for (u32 fn = 0; fn < n; fn++) {
		const struct flame_cost *c = &t->costs[fn];

		if (v->f.names.fns[fn].kind >= FLAME_GROUP || (flame_real(&v->f, c->value) < 0.5 && !c->a_value))
			continue;
		keep_largest(v, fn, key_of(v, c, v->by_total),
			     flame_compares(v) ? c->value : key_of(v, c, !v->by_total));
	}
	qsort(v->items, v->n_items, sizeof(*v->items), by_key);
	if (!v->in_list)
		return;
	for (u32 i = 0; i < v->n_items; i++)	/* the cursor follows its function */
		if (v->items[i].fn == chosen)
			v->list_at = i;
	v->list_at = v->n_items ? min(v->list_at, v->n_items - 1) : 0;
}

u32 flame_widest_of(const struct flame_view *v, u32 fn)
{
	const struct flame_tree *t = &v->f.trees[v->f.shown];
	u32 best = FLAME_NONE;

	for (u32 i = 0; i < t->n; i++)
		if (t->nodes[i].fn == fn && flame_alive(v, i) &&
		    (best == FLAME_NONE || t->nodes[i].value > t->nodes[best].value))
			best = i;
	return best;
}

/* Moves the cursor; the graph selects the function. */
void flame_list_move(struct flame_view *v, int step)
{
	s64 at = (s64)v->list_at + step;
	u32 node;

	if (!v->n_items)
		return;
	v->list_at = (u32)max(min(at, (s64)v->n_items - 1), (s64)0);
	v->same_fn = v->items[v->list_at].fn;
	v->f.names.fns[v->same_fn].kept = true;
	node = flame_widest_of(v, v->same_fn);
	if (node != FLAME_NONE)
		flame_select(v, node);
}

/* ---- drawing ------------------------------------------------------------------------------ */

static void diff_cell(const struct flame_view *v, double value, double n, double a_value, double a_n,
		      char *buf, size_t cap)
{
	bool noise;
	double d = flame_diff(&v->f, value, n, a_value, a_n, &noise);

	flame_signed(v, d, noise, buf, cap);
}

static void draw_item(struct flame_view *v, struct canvas *c, int row, struct rect r, u32 i, bool chosen)
{
	const struct flame_cost *cost = &flame_tree(&v->f)->costs[v->items[i].fn];
	const struct flame_fn *fn = &v->f.names.fns[v->items[i].fn];
	double all = flame_node(v, FLAME_ROOT)->value;
	char self[64], total[64], n[FORMAT_MAX], name[256];

	if (flame_compares(v)) {
		diff_cell(v, cost->self, cost->self_n, (double)cost->a_self, (double)cost->a_self_n, self,
			  sizeof(self));
		diff_cell(v, cost->value, cost->n, (double)cost->a_value, (double)cost->a_n, total,
			  sizeof(total));
	} else {
		format_pct(self, all > 0 ? cost->self * 100 / all : 0);
		format_pct(total, all > 0 ? cost->value * 100 / all : 0);
	}
	canvas_right(c, row, r.col + 1, 6, ROLE_text, self);
	canvas_right(c, row, r.col + 8, 7, ROLE_text, total);
	canvas_right(c, row, r.col + 16, 5, ROLE_text, format_count(n, flame_real(&v->f, cost->n)));
	canvas_text(c, row, r.col + 22, 6, ROLE_text, flame_kind_name(fn->kind));
	flame_label(name, sizeof(name), flame_fn_text(fn), fn->kind, r.cols - 29);
	canvas_text(c, row, r.col + 29, r.cols - 29, ROLE_text, name);
	if (!chosen)
		return;
	canvas_text(c, row, r.col, 1, ROLE_text, "▌");
	canvas_restyle(c, row, r.col, r.cols, v->in_list ? ROLE_selection : ROLE_accent);
}

static void draw_titles(const struct flame_view *v, struct canvas *c, struct rect r)
{
	canvas_rule(c, r.row, r.col, r.cols, flame_compares(v) ? "functions, B less A" : "functions");
	canvas_right(c, r.row + 1, r.col, 7, v->by_total ? ROLE_text : ROLE_accent,
		     v->by_total ? "SELF%" : "SELF%▾");
	canvas_right(c, r.row + 1, r.col + 8, 7, v->by_total ? ROLE_accent : ROLE_text,
		     v->by_total ? "TOTAL%▾" : "TOTAL%");
	canvas_right(c, r.row + 1, r.col + 16, 5, ROLE_text, "N");
	canvas_text(c, r.row + 1, r.col + 22, -1, ROLE_text, "KIND   FUNCTION");
}

void flame_draw_list(struct flame_view *v, struct canvas *c, struct rect r)
{
	u32 selected = flame_node(v, v->boxes[v->at].node)->fn, rows = (u32)max(r.rows - 2, 0);

	flame_list_load(v);
	draw_titles(v, c, r);
	v->list_rows = rows;
	if (!v->in_list)
		v->list_top = 0;
	else if (v->list_at < v->list_top)
		v->list_top = v->list_at;
	else if (rows && v->list_at >= v->list_top + rows)
		v->list_top = v->list_at - rows + 1;
	for (u32 i = 0; i < rows && v->list_top + i < v->n_items; i++) {
		u32 at = v->list_top + i;

		draw_item(v, c, r.row + 2 + (int)i, r, at,
			  v->in_list ? at == v->list_at : v->items[at].fn == selected);
	}
}
