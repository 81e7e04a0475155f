// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_fold.c: if the graph is taller than the screen, the frames with which all stacks begin
 * share one line: differences are below them. Python's twelve frames from _start to its evaluator
 * would fill a screen of 80x24.
 */
#include <stdio.h>
#include <string.h>

#include "tui/views/flame.h"

#define LEAST_FOLDED 4
#define NAME_COLUMNS 30

/* The child that takes the whole width, or FLAME_NONE. */
static u32 whole_child(const struct flame_view *v, u32 node, double span, int cols)
{
	u32 c = flame_widest(v, node);

	return c != FLAME_NONE && (span - flame_node(v, c)->value) * cols * 2 < span ? c : FLAME_NONE;
}

/* The last of these frames is not folded: it is the caller of what is shown. */
bool flame_fold(struct flame_view *v, int cols)
{
	double span = flame_node(v, FLAME_ROOT)->value;
	u32 node = FLAME_ROOT, next;
	int n = -1;

	v->fold = 0;
	if (v->f.n_pins > 1 || v->diff || v->unfolded)
		return false;
	while ((next = whole_child(v, node, span, cols)) != FLAME_NONE) {
		if (node != FLAME_ROOT && flame_sought(v, node) != FLAME_NONE)
			return false;	/* a match must be visible */
		v->fold_node = node;
		node = next;
		n++;
	}
	v->fold = n >= LEAST_FOLDED ? n : 0;
	return v->fold;
}

bool flame_is_folded(const struct flame_view *v, u32 node)
{
	u32 p = v->fold ? v->fold_node : FLAME_ROOT;

	/* A key may arrive between a new tree and its first frame. */
	if (node == p || p >= v->f.trees[v->f.shown].n)
		return false;
	while (p != FLAME_ROOT && p != node)
		p = flame_node(v, p)->parent;
	return p != FLAME_ROOT;
}

/* The line, counted from the root, of a node at this depth. */
int flame_fold_depth(const struct flame_view *v, int depth)
{
	if (!v->fold)
		return depth;
	return depth <= v->fold ? min(depth, 1) : depth - v->fold + 1;
}

/* libc's frames between _start and main, the same in every program. */
static bool is_plumbing(const struct flame_fn *fn)
{
	return !strncmp(flame_fn_text(fn), "__libc_start_", 13);
}

/* "12 frames: _start › … › main › run" */
void flame_fold_label(const struct flame_view *v, char *buf, size_t cap, int width)
{
	u32 path[FLAME_DEPTH_MAX + 1], n = 0;
	char name[96], text[1024];
	size_t at;

	for (u32 p = v->fold_node; p != FLAME_ROOT && n < ARRAY_SIZE(path); p = flame_node(v, p)->parent)
		path[n++] = p;
	at = (size_t)snprintf(text, sizeof(text), "%u frame%s:", n, text_plural(n, "s"));
	for (u32 i = n; i-- > 0 && at + sizeof(name) < sizeof(text);) {
		const struct flame_fn *fn = flame_fn_of(v, path[i]);

		if (is_plumbing(fn) && i && is_plumbing(flame_fn_of(v, path[i - 1])))
			continue;
		flame_label(name, sizeof(name), is_plumbing(fn) ? "…" : flame_fn_text(fn), fn->kind,
			    NAME_COLUMNS);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i == n - 1 ? " " : " › ", name);
	}
	flame_label(buf, cap, text, FLAME_GROUP, width);
}
