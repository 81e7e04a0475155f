// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame.c: flame graphs of CPU time (tab 2) and waits (tab 3): icicles, root on top, callees below.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/table/pattern.h"
#include "tui/views/flame.h"

#define BUDGET_NS (8 * NSEC_PER_MSEC)	/* time a frame for updating the model */
#define EARLY_NS (3 * NSEC_PER_SEC)
#define FACTS_LINES 3
#define DETAIL_LINES 8
#define LEAST_LINES 6		/* of the graph, before facts are dropped */
#define FEW_SAMPLES 100		/* below this the order of frames is not kept */

/* ---- selection ------------------------------------------------------------------------ */

u32 flame_selected(const struct flame_view *v)
{
	return v->f.n_pins ? v->f.pins[0] : FLAME_ROOT;
}

u32 flame_zoom(const struct flame_view *v)
{
	u32 zoom = v->f.n_pins > 1 ? v->f.pins[v->f.n_pins - 1] : FLAME_ROOT;

	/* If a zoomed frame has no value any more, its caller is shown until it has one again. */
	while (zoom != FLAME_ROOT && !flame_alive(v, zoom))
		zoom = flame_node(v, zoom)->parent;
	return zoom;
}

void flame_select(struct flame_view *v, u32 node)
{
	v->f.pins[0] = node;
	v->moved = true;
	v->f.n_pins = max(v->f.n_pins, 1u);
}

bool flame_is_offcpu(const struct flame_view *v)
{
	return text_is(v->f.scope.kind, "offcpu");
}

void flame_subject(struct app *a, char *buf, size_t cap)
{
	const struct processes_row *p = app_process(a);
	u64 pid = app_context(a)->pid;

	if (pid)
		snprintf(buf, cap, "%s %llu", p && p->comm ? p->comm : "pid", (unsigned long long)pid);
	else
		snprintf(buf, cap, "host");
}

/* ---- amounts --------------------------------------------------------------------------- */

void flame_amount(const struct flame_view *v, double value, char *buf, size_t cap)
{
	double s = flame_real(&v->f, v->f.covered_ns) / 1e9, rate;
	char text[FORMAT_MAX];

	rate = s > 0 ? flame_real(&v->f, value) / s : 0;
	if (flame_is_offcpu(v) && rate >= 999.5e6)
		snprintf(buf, cap, "%s s/s", format_count(text, rate / 1e9));
	else if (flame_is_offcpu(v))
		snprintf(buf, cap, "%s ms/s", format_count(text, rate / 1e6));
	else
		snprintf(buf, cap, "%s %% of a CPU", format_pct(text, rate / 1e7));
}

void flame_signed(const struct flame_view *v, double diff, bool noise, char *buf, size_t cap)
{
	double d = flame_is_offcpu(v) ? diff / 1e6 : diff / 1e7;

	if (noise)
		snprintf(buf, cap, "=");
	else
		snprintf(buf, cap, "%+.*f", fabs(d) < 99.95 ? 1 : 0, d);
}

/* ---- search ------------------------------------------------------------------------------ */

bool flame_seeks(const struct flame_view *v)
{
	return v->same_fn != FLAME_NONE || v->has_regex;
}

static bool is_sought(void *arg, const struct flame_fn *fn, u32 id)
{
	const struct flame_view *v = arg;

	return v->same_fn != FLAME_NONE ? id == flame_names_now(&v->f.names, v->same_fn) : fn->match;
}

u32 flame_sought(const struct flame_view *v, u32 node)
{
	if (!flame_seeks(v))
		return FLAME_NONE;
	return flame_tree_match(&v->f.trees[v->f.shown], &v->f.names, node, is_sought, (void *)v);
}

static void drop_regex(struct flame_view *v)
{
	if (v->has_regex)
		regfree(&v->regex);
	v->has_regex = false;
}

/* While the pattern is incomplete the last valid one stays in use. */
static void new_search(struct flame_view *v, const char *text)
{
	regex_t regex;

	if (!strcmp(v->search, text ? text : ""))
		return;
	snprintf(v->search, sizeof(v->search), "%s", text ? text : "");
	if (text && pattern_compile(&regex, text, true))
		return;
	drop_regex(v);
	if (text)
		v->regex = regex;
	v->has_regex = text != NULL;
	for (u32 i = 0; i < v->f.names.n; i++)
		v->f.names.fns[i].looked_at = v->f.names.fns[i].spare;
	v->match_version--;
}

static void find_matches(struct app *a, struct flame_view *v)
{
	struct flame_names *names = &v->f.names;
	u32 top = flame_zoom(v);

	new_search(v, app_search_text(a));
	for (u32 i = 0; v->has_regex && i < names->n; i++) {
		struct flame_fn *fn = &names->fns[i];

		if (!fn->looked_at)
			fn->match = i != FLAME_ROOT && !regexec(&v->regex, flame_fn_text(fn), 0, NULL, 0);
		fn->looked_at = true;
	}
	if (!flame_seeks(v) || (v->match_version == v->f.version && v->match_top == top))
		return;
	v->match_version = v->f.version;
	v->match_top = top;
	v->match = flame_tree_matched(flame_tree(&v->f), names, top, is_sought, v);
	if (flame_node(v, top)->value > 0)
		v->match *= 100 / flame_node(v, top)->value;
}

/* ---- view --------------------------------------------------------------------------------- */

/* Opened from a request: shows the thread that served it, during its span. */
static const struct requests_row *request_of(const struct context *ctx)
{
	const struct row *r = ctx->row;

	return r && r->table == TABLE_requests && !r->sum ? requests_row(r) : NULL;
}

/* All waits are shown, because they explain the duration. */
static void set_span(struct flame_view *v, const struct requests_row *q)
{
	struct flame_shape shape = v->f.shape;

	if (!v->f.span != !q) {
		shape.hide_waits = !q;
		flame_set_shape(&v->f, &shape);
	}
	flame_set_span(&v->f, q);
}

static void update(struct app *a, struct flame_view *v, const char *kind)
{
	const struct context *ctx = app_context(a);
	const struct requests_row *q = request_of(ctx);
	struct flame_scope scope = { ctx->pid, ctx->start_time_ns, kind, q ? q->tid : 0 };
	struct flame_shape shape;

	if (!v->ready) {
		flame_init(&v->f);
		v->same_fn = FLAME_NONE;
		v->ready = true;
		v->opened_ns = app_snapshot(a) ? app_snapshot(a)->time_ns : 0;
		shape = v->f.shape;
		shape.by_process = true;
		shape.hide_waits = !strcmp(kind, "offcpu");
		flame_set_shape(&v->f, &shape);
	}
	if (v->f.scope.pid != scope.pid || v->f.scope.start_time_ns != scope.start_time_ns ||
	    v->f.scope.tid != scope.tid) {
		v->same_fn = FLAME_NONE;
		v->diff = v->in_list = v->folds = v->unfolded = false;
		v->scroll = 0;
	}
	flame_set_scope(&v->f, &scope);
	if (!strcmp(kind, "offcpu"))
		set_span(v, q && u64_known(q->duration_ns) ? q : NULL);
	v->complete = false;
}

static void flame_update(struct app *a, void *state)
{
	update(a, state, "cpu");
}

static void offcpu_update(struct app *a, void *state)
{
	update(a, state, "offcpu");
}

static void flame_fini(void *state)
{
	struct flame_view *v = state;

	if (!v->ready)
		return;
	flame_free(&v->f);
	drop_regex(v);
	free(v->boxes);
}

static void flame_view_rest(void *state)
{
	struct flame_view *v = state;

	if (v->ready && flame_rest(&v->f))
		v->n_boxes = 0;		/* of old nodes; keys may arrive before the next frame */
}

/* Updates the model to the shown snapshot; the rest is left to the next frames. */
static void catch_up(struct app *a, struct flame_view *v)
{
	u32 version = v->f.version;

	if (!v->complete || v->f.building)
		v->complete = flame_follow(&v->f, app_history(a), app_snapshot(a), BUDGET_NS);
	if (!v->complete)
		app_again(a);
	else if (app_live(a) && app_history(a))	/* from now on samples are added as they arrive */
		history_rest(app_history(a));
	if (version != v->f.version && flame_span(&v->f).n < FEW_SAMPLES)
		flame_tree_unorder(flame_tree(&v->f));
}

/* Stacks of this kind may have been collected only since the view was opened. */
static bool is_early(struct app *a, const struct flame_view *v, const char *subject, struct canvas *c,
		     struct rect r)
{
	u64 now_ns = app_snapshot(a)->time_ns, past_ns = now_ns > v->opened_ns ? now_ns - v->opened_ns : 0;
	char early[96];
	bool is = app_too_early(a, TABLE_stacks, early, sizeof(early));

	if (!is && (!app_live(a) || past_ns >= EARLY_NS))
		return false;
	if (v->f.all_n > 0)
		return false;
	app_draw_words(c, r, ROLE_dim, "collecting: no %s of %s in the first %.0f s",
		       flame_is_offcpu(v) ? "wait" : "sample", subject, flame_real(&v->f, v->f.covered_ns) / 1e9);
	return true;
}

static void draw_empty(struct app *a, struct flame_view *v, struct canvas *c, struct rect r)
{
	double covered = flame_real(&v->f, v->f.covered_ns) / 1e9;
	char subject[96], n[FORMAT_MAX];
	bool off = flame_is_offcpu(v);

	flame_subject(a, subject, sizeof(subject));
	if (!v->complete) {
		app_draw_words(c, r, ROLE_dim, "adding up the window");
		return;
	}
	if (v->f.span) {
		app_draw_words(c, r, ROLE_text, !v->f.span->blocked_in ?
			       "not collected in that span: it is now, for requests that come" :
			       blocked_unattributed_ns(v->f.span) ?
			       "its thread was blocked in that span, by stacks that were not taken or were lost: see !" :
			       "its thread was not blocked in that span");
		return;
	}
	if (is_early(a, v, subject, c, r))
		return;
	if (v->f.all_n > 0) {	/* only waits for new work are left out */
		app_draw_words(c, r, ROLE_text, "%s only waited for new work: %s waits · W shows them", subject,
			       format_thousands(n, (u64)flame_real(&v->f, v->f.all_n)));
		return;
	}
	if (covered <= 0) {
		app_draw_words(c, r, ROLE_dim, "collecting: the first interval is not over");
		return;
	}
	/* For past ticks it is not known whether this kind was collected. */
	if (off)
		r.row += app_draw_words(c, r, ROLE_text, "no wait of %s in %.1f s%s", subject, covered,
					app_live(a) ? "" : ", or 3 was not looked at then");
	else
		r.row += app_draw_words(c, r, ROLE_text, "no samples in %.1f s: %s did not run%s", covered, subject,
					app_live(a) ? "" : ", or 2 was not looked at then");
	app_draw_words(c, r, ROLE_dim, off ? "7: calls that last, since when  ·  2: where it runs  ·  m: a longer window" :
		       "3: what it waits for   ·   m: a longer window");
}

static int list_width(int cols)
{
	return cols < FLAME_WIDE ? 0 : cols < 180 ? 48 : 62;
}

static void draw_panes(struct app *a, struct flame_view *v, struct canvas *c, struct rect body)
{
	int list = list_width(body.cols), facts = v->detail ? DETAIL_LINES : FACTS_LINES;
	struct rect graph;

	if (body.rows < LEAST_LINES + facts)
		facts = body.rows < LEAST_LINES + FACTS_LINES ? 0 : FACTS_LINES;
	graph = rect_top(&body, body.rows - facts);
	graph.cols -= list ? list + 1 : 0;
	find_matches(a, v);
	flame_lay_out(v, graph.rows, graph.cols);
	flame_draw_graph(a, v, c, graph);
	if (list)
		flame_draw_list(v, c, (struct rect){ graph.row, body.cols - list, graph.rows, list });
	if (facts == DETAIL_LINES)
		flame_draw_detail(a, v, c, body);
	else if (facts)
		flame_draw_facts(a, v, c, body);
}

/* Once a tick, and when the selection changes. */
static void report_seen(struct app *a, struct flame_view *v)
{
	u64 seq = app_snapshot(a)->seq;

	if (!v->n_boxes || (v->seen_seq == seq && v->seen_node == flame_selected(v)))
		return;
	v->seen_seq = seq;
	v->seen_node = flame_selected(v);
	flame_see(a, v);
}

static void flame_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	const struct table *t = &app_snapshot(a)->tables[TABLE_stacks];
	struct flame_view *v = state;

	v->cols = body.cols;
	v->n_boxes = v->list_rows = 0;
	catch_up(a, v);
	v->blocked = !v->f.span && !t->n && t->status != TS_OK && t->status != TS_PARTIAL &&
		     app_draw_state(a, c, body, TABLE_stacks);
	if (v->blocked)
		return;
	if (!flame_alive(v, FLAME_ROOT))
		draw_empty(a, v, c, body);
	else
		draw_panes(a, v, c, body);
	report_seen(a, v);
}

/* ---- the two views --------------------------------------------------------------------- */

#define FLAME_HINTS "left up zoom cancel search same diff window flip"
#define FLAME_HINTS_WIDE "left up zoom cancel search same other_pane diff mark window flip no_kernel " \
			 "by_process by_thread explain next_match sort_list pause step_back " \
			 "write"
#define FLAME_LEGEND \
	"width\tshare of the frame on top of the graph; callees below their caller\n" \
	"[k]\tfrom here down it is the kernel\n" \
	"9 frames:\tthose that all stacks begin with, where the graph is too tall (Enter, Esc)\n" \
	"name ×30\tcalls itself so often, or so many frames of a runtime (Enter opens, Esc)\n" \
	"(name)\tinlined into its caller\n" \
	"so+0x1a40\tno name: not looked up yet, or there is none (i says why)\n" \
	"? cut\tstacks whose outer part is missing, and why\n" \
	"░\tframes too narrow to be drawn (i: how many)\n" \
	"·\twhere there are no fills: frames of one or two cells, too narrow for a name\n" \
	"whole\tshare of the stacks that reach their outermost frame\n" \
	"+ - =\tin a comparison: grew, shrank since A, within chance\n"

const struct view flame_view = {
	.name = "flame", .digit = '2', .tab = "CPU", .tab_wide = "CPU flame",
	.about = "where CPU time goes, by stack",
	.needs = TABLE_BIT(TABLE_stacks) | TABLE_BIT(TABLE_frames),
	.state_size = sizeof(struct flame_view),
	.hints = FLAME_HINTS, .hints_wide = FLAME_HINTS_WIDE, .legend = FLAME_LEGEND,
	.fini = flame_fini, .rest = flame_view_rest, .update = flame_update, .draw = flame_draw, .act = flame_act,
	.status = flame_status, .note = flame_note, .crumb = flame_crumb, .shows_from = flame_shows_from,
};

const struct view offcpu_view = {
	.name = "offcpu", .digit = '3', .tab = "Off", .tab_wide = "Off-CPU",
	.about = "what is waited for, by stack",
	.needs = TABLE_BIT(TABLE_stacks) | TABLE_BIT(TABLE_frames) | WANT_OFFCPU,
	.state_size = sizeof(struct flame_view),
	.hints = "idle_waits " FLAME_HINTS, .hints_wide = "idle_waits " FLAME_HINTS_WIDE,
	.legend = FLAME_LEGEND,
	.fini = flame_fini, .rest = flame_view_rest, .update = offcpu_update, .draw = flame_draw, .act = flame_act,
	.status = flame_status, .note = flame_note, .crumb = flame_crumb, .shows_from = flame_shows_from,
};
