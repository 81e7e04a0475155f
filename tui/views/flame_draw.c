// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_draw.c: draws the graph. With colours a frame is filled by its kind, siblings in two
 * shades; without them it is a bar in its first cell and an end mark, and its kind precedes its
 * name.
 */
#include <stdio.h>
#include <string.h>

#include "tui/views/flame.h"

#define LEAST_COLS 3	/* of a frame with a name */

static bool has_fills(const struct canvas *c)
{
	return canvas_fills(c);
}

/* Bars where fills are missing, or do not separate neighbours. */
static bool has_bars(const struct flame_view *v, const struct canvas *c)
{
	return !canvas_fills(c) || canvas_ascii(c) || flame_compares(v);
}

/* ---- labels ------------------------------------------------------------------------- */

static void root_label(struct app *a, const struct flame_view *v, char *buf, size_t cap)
{
	char subject[96], amount[64], n[FORMAT_MAX];
	u64 count = (u64)(flame_span(&v->f).n + 0.5);

	flame_subject(a, subject, sizeof(subject));
	if (v->f.span) {
		snprintf(buf, cap, "all: thread %llu of %s  blocked %s of %s", (unsigned long long)v->f.span->tid, subject,
			 format_ns(amount, flame_node(v, FLAME_ROOT)->value), format_ns(n, (double)v->f.span->duration_ns));
		return;
	}
	flame_amount(v, flame_node(v, FLAME_ROOT)->value, amount, sizeof(amount));
	snprintf(buf, cap, "all: %s  %s %s%s  %s%s", subject, format_thousands(n, count),
		 flame_is_offcpu(v) ? "block" : "sample", text_plural(count, "s"), amount,
		 flame_is_offcpu(v) ? " blocked" : "");
}

/* Prefix of the name: the boundary to the kernel; without colours the kind. */
static const char *prefix_of(const struct flame_view *v, const struct canvas *c, u32 node)
{
	const struct flame_fn *fn = flame_fn_of(v, node);
	u32 parent = flame_node(v, node)->parent;

	if (fn->kernel)
		return parent == FLAME_NONE || !flame_fn_of(v, parent)->kernel ? "[k] " : "";
	if (has_fills(c))
		return "";
	return fn->kind == FLAME_JIT ? "[j] " : fn->kind == FLAME_INTERP ? "[p] " : "";
}

static int cut_label(const struct flame_view *v, u32 node, char *buf, size_t cap, int width)
{
	const char *reason = flame_fn_text(flame_fn_of(v, node));
	char text[256], n[FORMAT_MAX];

	format_thousands(n, (u64)(flame_real(&v->f, flame_node(v, node)->n) + 0.5));
	snprintf(text, sizeof(text), "? cut: %s (%s)", reason, n);
	return flame_label(buf, cap, text, FLAME_CUT, width);
}

/* Label of a node in the graph (without the bar), in at most width columns. */
static int flame_node_label(struct app *a, const struct flame_view *v, const struct canvas *c, u32 node,
			    char *buf, size_t cap, int width)
{
	const struct flame_fn *fn = flame_fn_of(v, node);
	const struct flame_node *t = flame_node(v, node);
	u32 found = flame_sought(v, node);
	char text[512], times[64] = "";
	size_t n = 0;
	bool noise, inlined;
	int room = width;

	*buf = '\0';
	if (flame_compares(v)) {
		double d = flame_diff(&v->f, t->value, t->n, (double)t->a_value, (double)t->a_n, &noise);

		flame_signed(v, d, noise, buf, cap);
		n = strlen(buf);
		n += (size_t)snprintf(buf + n, cap - n, " ");
	}
	if (node == FLAME_ROOT) {
		root_label(a, v, text, sizeof(text));
		return (int)n + flame_label(buf + n, cap - n, text, FLAME_GROUP, width - (int)n);
	}
	if (fn->kind == FLAME_CUT)
		return (int)n + cut_label(v, node, buf + n, cap - n, width - (int)n);
	n += (size_t)snprintf(buf + n, cap - n, "%s", prefix_of(v, c, node));
	if ((int)n >= width)	/* no room for the name: as much of the prefix as fits */
		return flame_label(buf, cap, n ? strcpy(text, buf) : flame_fn_text(fn), FLAME_GROUP, width);
	if (flame_opens(&v->f, node) && (int)n + 8 < width) {
		bool inside = found != FLAME_NONE && found != t->fn && (int)n + 24 < width;

		snprintf(times, sizeof(times), "%s%.20s ×%u", inside ? " in " : "", inside ? flame_fn_text(fn) : "",
			 flame_times(&v->f, node));
		if (inside)	/* show the match, not only the function it is folded into */
			fn = &v->f.names.fns[found];
		width -= (int)strlen(times) - 1;	/* the cross is two bytes */
	}
	inlined = fn->inlined && (int)n + 4 < width;	/* "er…" is more informative than "(…)" */
	if (inlined)
		buf[n++] = '(';
	width = flame_label(buf + n, cap - n, flame_fn_text(fn), fn->kind, width - (int)n - inlined);
	if (inlined)
		text_add(buf, cap, "", ")");
	text_add(buf, cap, "", "%s", times);
	return min((int)n + width + inlined + (*times ? (int)strlen(times) - 1 : 0), room);
}

/* ---- styles --------------------------------------------------------------------------- */

static u32 fill_of(const struct flame_view *v, const struct flame_box *b)
{
	const struct flame_node *t = flame_node(v, b->node);
	u32 kind = b->fold ? FLAME_GROUP : v->f.names.fns[t->fn].kind;
	bool noise;
	double d;

	if (flame_compares(v)) {
		d = flame_diff(&v->f, t->value, t->n, (double)t->a_value, (double)t->a_n, &noise);
		return noise ? ROLE_flame_same : d > 0 ? ROLE_flame_grew : ROLE_flame_shrank;
	}
	if (kind == FLAME_GROUP)
		return b->shade ? ROLE_flame_group2 : ROLE_flame_group1;
	return ROLE_flame_user1 + 2 * min(kind, (u32)FLAME_UNKNOWN) + b->shade;
}

static bool is_paper(u32 fill)
{
	return fill == ROLE_flame_unknown1 || fill == ROLE_flame_unknown2;
}

/* Dims what does not match, and ancestors of the zoomed frame. */
static bool steps_back(const struct flame_view *v, const struct flame_box *b)
{
	return b->above || (flame_seeks(v) && b->node != FLAME_ROOT &&
			    flame_sought(v, b->node) == FLAME_NONE);
}

static u32 style_of(const struct flame_view *v, const struct canvas *c, const struct flame_box *b)
{
	bool found = flame_sought(v, b->node) != FLAME_NONE;
	u32 fill;

	if (b == &v->boxes[v->at])
		return v->in_list ? ROLE_selection | S_BOLD : ROLE_selection;
	if (steps_back(v, b))
		return ROLE_dim;
	if (!has_fills(c))
		return found ? ROLE_text | S_BOLD : ROLE_text;
	fill = fill_of(v, b);
	return (is_paper(fill) ? ROLE_paper : ROLE_ink) | S_ON(fill) | (found ? S_BOLD : 0);
}

/* ---- frames ----------------------------------------------------------------------------- */

static void draw_box(struct app *a, const struct flame_view *v, struct canvas *c, int row, int col,
		     const struct flame_box *b)
{
	u32 style = style_of(v, c, b);
	bool plain = !S_BACK(style) && S_ROLE(style) != ROLE_selection;
	int width = b->end - b->x, bar = has_bars(v, c) || plain, room = width - bar;
	char label[600];

	if (b->rest) {
		canvas_repeat(c, row, col + b->x, width, ROLE_dim, "░");
		return;
	}
	canvas_repeat(c, row, col + b->x, width, style, " ");
	if (width < LEAST_COLS && has_bars(v, c) && style == ROLE_text) {	/* like a fence */
		canvas_repeat(c, row, col + b->x, width, ROLE_dim, "·");
		return;
	}
	if (bar)	/* in a comparison neighbours may have the same colour: separate them */
		canvas_text(c, row, col + b->x, 1, style, width < LEAST_COLS && S_BACK(style) ? "·" : "│");
	if (width < LEAST_COLS)
		return;
	if (!bar && room > 3)	/* a blank cell before the neighbour */
		room--;
	if (b->fold)
		flame_fold_label(v, label, sizeof(label), room);
	else
		flame_node_label(a, v, c, b->node, label, sizeof(label), room);
	canvas_text(c, row, col + b->x + bar, room, style, label);
}

/* Marks the free end of a frame without fill; not of many narrow ones, like a fence. */
static void draw_end(struct canvas *c, int row, int col, const struct flame_box *b, int cols)
{
	const struct cell *cell;

	if (b->end >= cols || b->end - b->x < LEAST_COLS)
		return;
	cell = canvas_cell(c, row, col + b->end);
	if (cell->ch == ' ' && !S_BACK(cell->style))
		canvas_text(c, row, col + b->end, 1, ROLE_dim, "╎");
}

static int row_of(const struct flame_view *v, struct rect r, const struct flame_box *b)
{
	int y = b->depth - v->scroll;

	if (y < 0 || y >= r.rows)
		return -1;
	return v->root_below ? r.row + r.rows - 1 - y : r.row + y;
}

void flame_draw_graph(struct app *a, const struct flame_view *v, struct canvas *c, struct rect r)
{
	for (u32 i = 0; i < v->n_boxes; i++) {
		int row = row_of(v, r, &v->boxes[i]);

		if (row >= 0)
			draw_box(a, v, c, row, r.col, &v->boxes[i]);
	}
	for (u32 i = 0; has_bars(v, c) && i < v->n_boxes; i++) {
		int row = row_of(v, r, &v->boxes[i]);

		if (row >= 0)
			draw_end(c, row, r.col, &v->boxes[i], r.cols);
	}
}

/* The kinds present in the graph, in their colours. */
void flame_draw_legend(const struct flame_view *v, struct canvas *c, int row, int col, int width)
{
	bool there[FLAME_UNKNOWN + 1] = { false };
	int need = 2;

	if (!has_fills(c) || flame_compares(v))
		return;
	for (u32 i = 0; i < v->n_boxes; i++)
		there[min(flame_fn_of(v, v->boxes[i].node)->kind, (u8)FLAME_UNKNOWN)] |=
			flame_fn_of(v, v->boxes[i].node)->kind != FLAME_GROUP;
	for (u32 k = 0; k <= FLAME_UNKNOWN; k++)
		need += there[k] ? (int)strlen(flame_kind_name(k)) + 3 : 0;
	col += width - need;
	for (u32 k = 0; k <= FLAME_UNKNOWN && need < width; k++) {
		u32 fill = ROLE_flame_user1 + 2 * k;

		if (!there[k])
			continue;
		col += canvas_printf(c, row, col, -1, (is_paper(fill) ? ROLE_paper : ROLE_ink) | S_ON(fill),
				     " %s ", flame_kind_name(k));
		canvas_blank(c, row, col++, 1);
	}
}
