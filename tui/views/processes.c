// SPDX-License-Identifier: GPL-2.0-or-later
/* processes.c: the home view: every process, flat or as a tree. */
#include <stdio.h>
#include <string.h>

#include "tui/table/waits_text.h"
#include "tui/views/processes.h"

#define PREVIEW_MIN_COLS 120
#define PREVIEW_MIN_ROWS 30	/* of the body */
#define IN_CALL_ROOMY 36		/* wide enough for what is waited for */
#define PATH_SHOWN 512		/* longer than any line */

/* Unknown counts as a process. */
static u64 is_kernel(const struct row *r)
{
	return processes_row(r)->kthread == 1;
}

static const struct grouping groupings[] = {
	{ "user", { "kthread", "user" }, .number = is_kernel },
	{ "container", { "kthread", "container" }, .number = is_kernel },
	{ "unit", { "kthread", "unit" }, .number = is_kernel },
	{ "name", { "kthread", "comm" }, .number = is_kernel },
};

/* ---- cells that are not plain members ------------------------------------------------ */

static struct processes_state *state_of(struct app *a);

static void draw_trail(struct app *a, struct canvas *c, int row, int col, int width,
		       const struct table_row *tr)
{
	static const u8 unknown[TRAIL_LEN];
	const struct processes_row *p = processes_row(tr->row);
	const struct processes_state *st = state_of(a);
	const u8 *levels = st->cpu ? series_trails_levels(st->cpu, p->pid, p->start_time_ns) : NULL;

	graph_levels(c, row, col, tr->mark == MARK_gone ? ROLE_dim : ROLE_text,
		     levels ? levels : unknown, min(width, TRAIL_LEN));
}

/* Leaves out a directory that would fill the line: name and arguments are more informative. */
static const char *without_folder(const struct canvas *c, const char *cmdline, int width)
{
	char path[PATH_SHOWN];
	size_t n = strcspn(cmdline, " ");
	const char *slash = *cmdline == '/' ? memrchr(cmdline, '/', n) : NULL;

	if (!slash || slash + 1 == cmdline + n)
		return cmdline;
	snprintf(path, sizeof(path), "%.*s", (int)n, cmdline);
	return canvas_width(c, path) > width / 2 && canvas_width(c, cmdline) > width ? slash + 1 : cmdline;
}

static int draw_command(struct canvas *c, int row, int col, int width, u32 style,
			const struct processes_row *p)
{
	char name[64];

	if (p->cmdline && *p->cmdline)
		return canvas_cut(c, row, col, width, style, without_folder(c, p->cmdline, width));
	if (!p->comm)
		return canvas_cut(c, row, col, width, ROLE_dim, "?");
	snprintf(name, sizeof(name), u64_known(p->kthread) && p->kthread ? "[%s]" : "%s", p->comm);
	return canvas_cut(c, row, col, width, style, name);
}

/* "6: root"; kernel threads are a group of their own: "64: [root]". */
static void draw_group(struct canvas *c, int row, int col, int width, u32 style, const struct row *sum)
{
	char name[96];

	canvas_printf(c, row, col, width, style, is_kernel(sum) ? "%u: [%s]" : "%u: %s", group_members(sum),
		      group_label(sum, name, sizeof(name)));
}

static void draw_command_cell(struct app *a, struct canvas *c, int row, int col, int width,
			      const struct table_row *tr)
{
	const struct processes_row *p = processes_row(tr->row);
	const struct processes_state *st = state_of(a);
	u32 style = tr->mark == MARK_gone ? ROLE_dim : tr->tagged ? ROLE_text | S_BOLD : ROLE_text;
	bool tree = app_face(a) == FACE_TREE && tr->data < st->n_nodes;
	int x = tree ? tree_prefix(st, c, row, col, width, ROLE_dim, tr) : 0, n;
	char folded[32];

	if (tr->row->sum && !group_is_one(tr->row)) {
		draw_group(c, row, col, width, style, tr->row);
		return;
	}
	if (!tree || !st->nodes[tr->data].folded) {
		draw_command(c, row, col + x, width - x, style, p);
		return;
	}
	n = snprintf(folded, sizeof(folded), " (%u folded)", st->nodes[tr->data].members - 1);
	x += canvas_cut(c, row, col + x, max(width - x - n, 4), style, p->comm ? p->comm : "?");
	canvas_text(c, row, col + x, width - x, ROLE_dim, folded);
}

static bool is_blocked(const struct row *r)
{
	return f32_known(processes_row(r)->blocked_pct) && processes_row(r)->blocked_pct >= 50;
}

/* Without a call, or in one that waits by design: sorted last. */
static double number_stuck(const struct row *r)
{
	u64 ns = processes_row(r)->in_call_ns;

	return u64_known(ns) ? (double)ns : -1;
}

/* "read pipe from bash 611": with what it waits on, if there is room. */
static void draw_in_call(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct processes_row *p = processes_row(table_shown_row(tr));
	u32 style = tr->mark == MARK_gone ? ROLE_dim : tr->tagged ? ROLE_text | S_BOLD : ROLE_text;
	int x = canvas_cut(c, row, col, width, p->in_call ? style : ROLE_dim, p->in_call ? p->in_call : "?");

	if (p->waits_on && *p->waits_on && width >= IN_CALL_ROOMY && x + 1 < width)
		waits_draw(c, row, col + x + 1, width - x - 1, style, waits_after(p->in_call, p->waits_on));
}

static int fit_in_call(struct app *a, int width)
{
	return app_cols(a) >= 180 ? IN_CALL_ROOMY : width;
}

static const struct column columns[] = {
	{ "pid", .priority = 1 },
	{ "user", .priority = 4 },
	{ "state", .priority = 3 },
	{ "threads", .priority = 8 },
	{ "cpu_pct", .priority = 1 },
	{ "cpu_pct", .title = "10s", .width = TRAIL_LEN, .priority = 7, .min_width = 100, .draw = draw_trail,
	  .help = "CPU% of the last ten ticks, newest right" },
	{ "runq_wait_pct", .priority = 3 },
	{ "blocked_pct", .priority = 2, .alert = is_blocked },
	{ "rss_bytes", .priority = 2 },
	{ "rss_rate", .priority = 7 },
	{ "read_rate", .priority = 6 },
	{ "write_rate", .priority = 6 },
	{ "rx_rate", .priority = 6, .optional = true },
	{ "tx_rate", .priority = 6, .optional = true },
	{ "syscall_rate", .priority = 4 },
	{ "in_call", .priority = 4, .optional = true, .sparse = true, .draw = draw_in_call, .fit = fit_in_call,
	  .also = "waits_on" },
	{ "in_call_ns", .priority = 3, .optional = true, .sparse = true, .number = number_stuck },
	{ "http_rate", .priority = 6, .optional = true, .sparse = true },
	{ "http_p99_ns", .priority = 4, .optional = true, .sparse = true },
	{ "start_time_ns", .priority = 8 },
	{ "container", .priority = 7, .sparse = true },
	{ "cmdline", .priority = 1, .draw = draw_command_cell },
};

static bool keep(struct app *a, void *state, const struct row *r)
{
	const struct processes_state *st = state;
	const struct processes_row *p = processes_row(r);

	if (!st->show_kernel && u64_known(p->kthread) && p->kthread)
		return false;
	if (*st->user && (!p->user || strcmp(p->user, st->user)))
		return false;
	return !*st->container || text_is(p->container, st->container);
}

/* Tie-breaker: the busiest first. */
static double cpu(const struct row *row)
{
	float pct = processes_row(row)->cpu_pct;

	return f32_known(pct) ? (double)pct : 0;
}

static u32 arrange(struct app *a, void *state, struct table_row *rows, u32 n)
{
	struct tableview *t = app_table(a);

	if (app_face(a) != FACE_TREE || !t)
		return n;
	return tree_arrange(state, rows, n, table_is_ascending(t), table_sorts_numbers(t));
}

static bool is_flat(struct app *a)
{
	return app_face(a) == FACE_FLAT;
}

static const struct table_spec spec = {
	.table = TABLE_processes,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.roomy_rest = true,
	.sort = "cpu_pct", .living_first = true,
	.tie = cpu,
	.noun = "processes",
	.keep = keep,
	.arrange = arrange,
	.hidden = tree_hidden,
	.reveal = tree_reveal,
	.groupings = groupings,
	.n_groupings = ARRAY_SIZE(groupings),
	.can_group = is_flat,
};

/* ---- keys ---------------------------------------------------------------------------- */

static bool sort_by(struct app *a, const char *column)
{
	table_reorder(app_table(a), column, false);
	table_reload(a, app_table(a));
	return true;
}

/* Shows only rows with the same text as the selected one; pressed again: all. */
static bool only_like(struct app *a, char *text, size_t cap, const char *now, const char *what)
{
	if (*text) {
		*text = '\0';
		app_say(a, ROLE_text, "every %s", what);
	} else if (now && *now) {
		snprintf(text, cap, "%s", now);
		app_say(a, ROLE_text, "only %s %s; the same key shows all", what, now);
	} else {
		app_say(a, ROLE_text, "this process has no %s", what);
	}
	table_reload(a, app_table(a));
	return true;
}

/*
 * Goes to the note's process, lifting this view's restrictions that hide it; a typed filter stays.
 */
static void go_to_pressed(struct app *a, struct processes_state *st)
{
	const struct processes_row *p = app_pressed(a);
	struct tableview *t = app_table(a);

	if (!p) {
		app_say(a, ROLE_text, "no pressure now that one process explains");
		return;
	}
	if (table_select(t, &p->row))
		return;
	table_ungroup(t);
	*st->user = *st->container = '\0';
	if (u64_known(p->kthread) && p->kthread && !st->show_kernel) {
		st->show_kernel = true;
		app_say(a, ROLE_text, "kernel threads shown");
	}
	table_reload(a, t);
	if (!table_select(t, &p->row))
		app_say(a, ROLE_text, "%s %llu is not in this list: Del drops the filter",
			p->comm ? p->comm : "?", (unsigned long long)p->pid);
}

static bool act_selected(struct app *a, struct processes_state *st, enum action action,
			 const struct processes_row *p)
{
	switch (action) {
	case ACTION_open:
		app_enter_row(a, p, NULL);
		return true;
	case ACTION_latency:
		if (app_view_exists("heatmap"))
			app_enter_row(a, p, "heatmap");
		return true;
	case ACTION_by_user:
		return only_like(a, st->user, sizeof(st->user), p->user, "user");
	case ACTION_by_container:
		return only_like(a, st->container, sizeof(st->container), p->container, "container");
	default:
		return false;
	}
}

static void group(struct app *a, u32 key)
{
	const struct grouping *by;

	if (app_face(a) != FACE_FLAT)
		app_set_face(a, FACE_FLAT);
	table_act(a, app_table(a), ACTION_group, key);
	by = table_grouping(a, app_table(a));
	app_say(a, ROLE_text, by ? "by %s: Enter shows the members, b goes on" : "not grouped", by ? by->title : "");
}

static bool act(struct app *a, void *state, enum action action, u32 key)
{
	struct processes_state *st = state;
	const struct row *r = table_cursor(app_table(a));

	if (action == ACTION_group) {
		group(a, key);
		return true;
	}
	if (r && !r->sum && act_selected(a, st, action, processes_row(r)))
		return true;
	switch (action) {
	case ACTION_tree:
		app_set_face(a, app_face(a) == FACE_TREE ? FACE_FLAT : FACE_TREE);
		return true;
	case ACTION_named:
		go_to_pressed(a, st);
		return true;
	case ACTION_by_cpu:
		return sort_by(a, "cpu_pct");
	case ACTION_by_memory:
		return sort_by(a, "rss_bytes");
	case ACTION_by_time:
		return sort_by(a, "cpu_ns");
	case ACTION_kernel:
		st->show_kernel = !st->show_kernel;
		app_say(a, ROLE_text, st->show_kernel ? "kernel threads shown" : "kernel threads hidden");
		table_reload(a, app_table(a));
		return true;
	default:
		return tree_act(a, st, action);
	}
}

/* ---- drawing --------------------------------------------------------------------------- */

static void update(struct app *a, void *state)
{
	struct processes_state *st = state;

	if (!st->cpu)
		st->cpu = series_trails_new(TABLE_processes, table_field(TABLE_processes, "cpu_pct"), 100);
	series_trails_update(st->cpu, app_history(a), app_snapshot(a));
}

static void draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct tableview *t = app_table(a);
	bool preview = body.cols >= PREVIEW_MIN_COLS && body.rows >= PREVIEW_MIN_ROWS && table_cursor(t) &&
		!table_cursor(t)->sum;
	struct rect below = { 0 };

	if (app_draw_state(a, c, body, TABLE_processes))
		return;
	if (preview)
		below = rect_bottom(&body, PREVIEW_ROWS);
	table_draw(a, t, c, body);
	if (preview)
		preview_draw(a, c, below, processes_row(table_cursor(t)));
}

static void fini(void *state)
{
	struct processes_state *st = state;

	series_trails_free(st->cpu);
	tree_free(st);
}

const struct view processes_view = {
	.name = "processes",
	.about = "every process: who runs, waits, is blocked",
	.digit = '1',
	.tab = "Proc",
	.tab_wide = "Processes",
	.faces = "flat tree",
	.flags = VIEW_HOST,
	.needs = TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_cpus),
	.table = &spec,
	.state_size = sizeof(struct processes_state),
	.hints = "open back search filter sort_prev tree follow tag pause palette",
	.hints_wide = "open back view search filter sort_prev invert tree unfold follow tag group "
		      "by_user by_container kernel pause step_back write record health palette",
	.legend = "CPU%\tof one CPU: 800 = all of eight; on line 1 100 = the machine\n"
		  "~ =\tbefore a number: sampled; carried over from the tick before\n"
		  "+ ×\tnew in this tick; ended: stays for 3 ticks, below the living unless you choose an order\n"
		  "? ·\tnot known (i says why); not yet\n",
	.fini = fini,
	.update = update,
	.draw = draw,
	.act = act,
};

static struct processes_state *state_of(struct app *a)
{
	return app_view_state(a, &processes_view);
}
