// SPDX-License-Identifier: GPL-2.0-or-later
/* flame_facts.c: the fixed lines about the selected frame; with `i` everything known about it. */
#include <stdio.h>
#include <string.h>

#include "tui/views/flame.h"

struct facts {
	u32 node;
	const struct flame_fn *fn;
	double all, total, self;	/* values */
	double n, self_n;
	u32 callees;
};

static struct facts facts_of(const struct flame_view *v)
{
	u32 node = v->boxes[v->at].node;
	const struct flame_node *t = flame_node(v, node);
	struct facts x = {
		.node = node, .fn = flame_fn_of(v, node), .all = flame_node(v, FLAME_ROOT)->value,
		.total = t->value, .self = t->value, .n = t->n, .self_n = t->n,
	};

	for (u32 c = t->first; c != FLAME_NONE; c = flame_node(v, c)->next) {
		if (flame_fn_of(v, c)->kind == FLAME_GROUP && x.fn->kind < FLAME_GROUP)
			continue;	/* the waker is not a callee */
		x.self -= flame_node(v, c)->value;
		x.self_n -= flame_node(v, c)->n;
		x.callees += flame_alive(v, c);
	}
	x.n = flame_real(&v->f, x.n);
	x.self_n = fabs(flame_real(&v->f, x.self_n));
	if (flame_real(&v->f, x.self) < 0.5)	/* rounding error */
		x.self = 0;
	return x;
}

/* Of `all`, in percent. */
static double share(double part, double all)
{
	return all > 0 ? part * 100 / all : 0;
}

/* "schema.js:17", the function's declaration, else its module. */
static void place_text(const struct flame_fn *fn, char *buf, size_t cap)
{
	const struct frames_row *r = fn->row;
	u64 line;

	*buf = '\0';
	if (!r || fn->kind >= FLAME_GROUP)
		return;
	line = u64_known(r->start_line) ? r->start_line : r->line;
	if (r->file && *r->file)
		snprintf(buf, cap, u64_known(line) ? "%s:%llu" : "%s", r->file, (unsigned long long)line);
	else if (r->module)
		snprintf(buf, cap, "%s", r->module);
}

static void numbers(const struct flame_view *v, const struct facts *x, char *buf, size_t cap)
{
	char total[FORMAT_MAX], self[FORMAT_MAX], n[FORMAT_MAX], self_n[FORMAT_MAX], a[FORMAT_MAX], diff[64];
	const struct flame_node *t = flame_node(v, x->node);
	bool noise;
	double d;

	format_count(n, x->n);
	format_count(self_n, x->self_n);
	if (flame_compares(v)) {
		d = flame_diff(&v->f, t->value, t->n, (double)t->a_value, (double)t->a_n, &noise);
		flame_signed(v, d, false, diff, sizeof(diff));
		format_count(a, (double)t->a_n);
		snprintf(buf, cap, "%s %s%s   A %s  B %s %s", diff,
			 flame_is_offcpu(v) ? "ms/s" : "% of a CPU", noise ? " (within chance)" : "", a, n,
			 flame_is_offcpu(v) ? "blocks" : "samples");
		return;
	}
	format_pct(total, share(x->total, x->all));
	format_pct(self, share(x->self, x->all));
	snprintf(buf, cap, "total %s %%  %s   self %s %%  %s %s", total, n, self, self_n,
		 flame_is_offcpu(v) ? "blocks" : "samples");
}

/* Name and location at the left, numbers at the right. */
static void draw_first(const struct flame_view *v, const struct facts *x, struct canvas *c, int row,
		       int width)
{
	char text[256], place[512], name[256];
	const char *kind = flame_kind_name(x->fn->kind);
	int room, col;

	numbers(v, x, text, sizeof(text));
	room = width - canvas_width(c, text) - 2;
	canvas_right(c, row, max(room + 2, 0), min(width, width - room - 2), ROLE_text, text);
	place_text(x->fn, place, sizeof(place));
	col = flame_label(name, sizeof(name), flame_fn_text(x->fn), x->fn->kind, max(room - 8, 8));
	canvas_text(c, row, 0, max(room, 0), ROLE_text | S_BOLD, name);
	col += 2;
	if (*place && room - col > 8 + (int)strlen(kind))
		col += canvas_cut_middle(c, row, col, room - col - (int)strlen(kind) - 2, ROLE_text, place) + 2;
	if (room - col >= (int)strlen(kind) + 2)
		canvas_text(c, row, col, room - col, ROLE_dim, kind);
}

/* "└ onRequest › createOrder › validate": as many nearest callers as fit. */
static void path_text(const struct flame_view *v, const struct canvas *c, u32 node, char *buf, size_t cap,
		      int width)
{
	char text[1024], name[96];

	*buf = '\0';
	for (u32 p = node; p != FLAME_NONE; p = flame_node(v, p)->parent) {
		if (p == FLAME_ROOT)
			break;
		flame_label(name, sizeof(name), flame_fn_text(flame_fn_of(v, p)), flame_fn_of(v, p)->kind, 30);
		snprintf(text, sizeof(text), "%s%s%s", name, *buf ? " › " : "", buf);
		if (canvas_width(c, text) > width - 4) {
			snprintf(text, sizeof(text), "… › %s", buf);
			snprintf(buf, cap, "%s", text);
			return;
		}
		snprintf(buf, cap, "%s", text);
	}
}

static void draw_second(struct app *a, struct flame_view *v, const struct facts *x, struct canvas *c,
			int row, int width)
{
	const struct flame_node *t = flame_node(v, x->node);
	char text[160] = "", part[FORMAT_MAX], path[1024];
	int room;

	if (t->parent != FLAME_NONE)
		snprintf(text, sizeof(text), "%s %% of %s",
			 format_pct(part, share(t->value, flame_node(v, t->parent)->value)),
			 v->f.shape.inverted ? "callee" : "caller");
	snprintf(part, sizeof(part), "%u other%s", x->callees, text_plural(x->callees, "s"));
	text_add(text, sizeof(text), ", ", "%s %s", v->f.shape.inverted ? "called by" : "calls",
		 x->callees ? part : v->f.shape.inverted ? "nothing" : "nothing else");
	room = width - canvas_width(c, text) - 2;
	canvas_right(c, row, max(room + 2, 0), min(width, width - room - 2), ROLE_text, text);
	path_text(v, c, x->node, path, sizeof(path), room - 2);
	if (*path) {
		canvas_text(c, row, 0, 2, ROLE_dim, "└ ");
		canvas_cut(c, row, 2, max(room - 2, 0), ROLE_text, path);
	}
}

static void draw_rule(const struct flame_view *v, struct canvas *c, int row, int width)
{
	char title[64] = "";

	if (v->scroll)
		snprintf(title, sizeof(title), "%d above%s", v->scroll, v->more ? ", more below" : "");
	else if (v->more)
		snprintf(title, sizeof(title), "more below");
	canvas_rule(c, row, 0, width, title);
	flame_draw_legend(v, c, row, 20, width - 20);
}

void flame_draw_facts(struct app *a, struct flame_view *v, struct canvas *c, struct rect r)
{
	struct facts x = facts_of(v);

	draw_rule(v, c, r.row, r.cols);
	draw_first(v, &x, c, r.row + 1, r.cols);
	draw_second(a, v, &x, c, r.row + 2, r.cols);
}

/* ---- details -------------------------------------------------------------------------- */

static void say(struct canvas *c, int row, int width, const char *what, const char *text)
{
	canvas_text(c, row, 1, 9, ROLE_dim, what);
	canvas_cut_middle(c, row, 11, width - 11, ROLE_text, text);
}

static void module_text(const struct frames_row *r, char *buf, size_t cap)
{
	snprintf(buf, cap, "%s", r && r->module ? r->module : "?");
	if (r && u64_known(r->addr))
		text_add(buf, cap, "", " +0x%llx", (unsigned long long)r->addr);
	if (r && r->build_id && *r->build_id)
		text_add(buf, cap, "", "  build-id %.16s", r->build_id);
}

static void everywhere_text(struct flame_view *v, const struct facts *x, char *buf, size_t cap)
{
	const struct flame_cost *cost = &flame_tree(&v->f)->costs[flame_node(v, x->node)->fn];
	char total[FORMAT_MAX], self[FORMAT_MAX], amount[64];

	flame_amount(v, cost->value, amount, sizeof(amount));
	snprintf(buf, cap, "wherever it is called: total %s %% (%s)  self %s %%",
		 format_pct(total, share(cost->value, x->all)), amount,
		 format_pct(self, share(cost->self, x->all)));
}

static void folded_text(const struct flame_view *v, u32 node, char *buf, size_t cap)
{
	const struct flame_node *t = flame_node(v, node);

	if (flame_fn_of(v, node)->many)
		snprintf(buf, cap, "%u processes of that name · Enter opens", flame_times(&v->f, node));
	else if (!flame_fn_of(v, node)->row)
		snprintf(buf, cap, "up to %u function%s that start threads or call closures · Enter opens",
			 t->times, text_plural(t->times, "s"));
	else if (t->period > 1)
		snprintf(buf, cap, "up to %u rounds of %u functions that call one another · Enter opens",
			 t->times, t->period);
	else
		snprintf(buf, cap, "calls itself, up to %u deep · Enter opens", t->times);
}

void flame_draw_detail(struct app *a, struct flame_view *v, struct canvas *c, struct rect r)
{
	struct facts x = facts_of(v);
	struct flame_rest rest = flame_rest_of(v, x.node);
	const struct frames_row *row = x.fn->row;
	char text[1100], part[FORMAT_MAX];
	int y = r.row + 3;

	flame_draw_facts(a, v, c, r);
	say(c, y++, r.cols, "name", flame_fn_text(x.fn));
	if (row && x.fn->kind < FLAME_GROUP) {
		module_text(row, text, sizeof(text));
		say(c, y++, r.cols, "module", text);
		*text = '\0';
		if (row->file && *row->file) {
			place_text(x.fn, text, sizeof(text));
			strcat(text, "  ");
		} else if (row->lines && *row->lines && x.fn->named)
			snprintf(text, sizeof(text), "source: %s  ", frame_lines_pending(row) ? "not looked up yet" :
				 row->lines);
		text_add(text, sizeof(text), "", "%s%s%s%s",
			 x.fn->named ? flame_kind_name(x.fn->kind) : "?", x.fn->inlined ? ", inlined into its caller" : "",
			 !x.fn->named ? ", no name: " : row->reason ? "; " : "",
			 row->reason ? row->reason : x.fn->named ? "" : "not looked up yet");
		say(c, y++, r.cols, "from", text);
	}
	if (flame_opens(&v->f, x.node)) {
		folded_text(v, x.node, text, sizeof(text));
		say(c, y++, r.cols, "folded", text);
	}
	if (flame_node(v, x.node)->fn < v->f.trees[v->f.shown].n_costs) {
		everywhere_text(v, &x, text, sizeof(text));
		say(c, y++, r.cols, "function", text);
	}
	if (!rest.n)
		return;
	snprintf(text, sizeof(text), "below it, too narrow to draw: %u frame%s, %s %% together · Enter zooms",
		 rest.n, text_plural(rest.n, "s"), format_pct(part, share(rest.value, x.all)));
	say(c, y, r.cols, "hatched", text);
}
