// SPDX-License-Identifier: GPL-2.0-or-later
/* events.c: starts and ends of processes, newest last, including short-lived ones. */
#include <stdio.h>
#include <string.h>

#include "tui/app/app.h"

static bool failed(const struct events_row *e)
{
	return (u64_known(e->signal) && e->signal) || (u64_known(e->exit_code) && e->exit_code) ||
	       text_is(e->kind, "oom");
}

static void draw_result(struct app *a, struct canvas *c, int row, int col, int width,
			const struct table_row *tr)
{
	const struct events_row *e = events_row(tr->row);

	if (e->result)
		canvas_cut(c, row, col, width, failed(e) ? ROLE_warn : ROLE_text, e->result);
}

static const struct column columns[] = {
	{ "time_ns", .priority = 1 },
	{ "kind", .priority = 1 },
	{ "pid", .priority = 1 },
	{ "ppid", .priority = 4 },
	{ "comm", .priority = 2 },
	{ "user", .priority = 6, .min_width = 100 },
	{ "container", .priority = 7, .min_width = 120 },
	{ "result", .priority = 3, .draw = draw_result },
	{ "duration_ns", .priority = 3 },
	{ "rss_peak_bytes", .priority = 5, .min_width = 100 },
	{ "args", .priority = 1 },
};

/* Connection events are left to tab 5: here they would bury the processes. */
static bool keep(struct app *a, void *state, const struct row *r)
{
	static const char *const others[] = { "connect", "accept", "close", "fail" };
	const char *kind = events_row(r)->kind;

	for (u32 i = 0; kind && i < ARRAY_SIZE(others); i++)
		if (!strcmp(kind, others[i]))
			return false;
	return true;
}

static const struct table_spec spec = {
	.table = TABLE_events,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.sort = "time_ns",
	.ascending = true,
	.newest_last = true,
	.noun = "events",
	.keep = keep,
};

static bool act(struct app *a, void *state, enum action action, u32 key)
{
	const struct row *r = table_cursor(app_table(a));
	u64 start;

	if (action != ACTION_open || !r)
		return false;
	start = events_row(r)->start_time_ns;
	app_enter_process(a, events_row(r)->pid, u64_known(start) ? start : 0, NULL);
	return true;
}

static void count_kinds(const struct app *a, u32 *exec, u32 *exits)
{
	const struct snapshot *s = app_snapshot(a);
	const struct table *t = &s->tables[TABLE_events];

	*exec = *exits = 0;
	for (u32 i = 0; i < t->n; i++) {
		const struct events_row *e = events_row(t->rows[i]);

		if (!u64_known(e->time_ns) || e->time_ns + s->interval_ns <= s->time_ns || !e->kind ||
		    (app_context(a)->pid && e->pid != app_context(a)->pid))
			continue;
		*exec += !strcmp(e->kind, "exec");
		*exits += !strcmp(e->kind, "exit");
	}
}

static void status(struct app *a, void *state, char *buf, size_t cap)
{
	const struct tableview *t = app_table(a);
	u32 exec, exits, below = table_len(t) ? table_len(t) - 1 - table_cursor_index(t) : 0;
	char all[FORMAT_MAX], newer[FORMAT_MAX];

	*buf = '\0';
	if (!app_snapshot(a))
		return;
	count_kinds(a, &exec, &exits);
	snprintf(buf, cap, "%s event%s: %u exec, %u exit in this tick", format_thousands(all, table_len(t)),
		 text_plural(table_len(t), "s"), exec, exits);
	if (below)
		text_add(buf, cap, "   ", "%s newer ▾", format_thousands(newer, below));
	else
		text_add(buf, cap, "   ", "newest last, following");
}

const struct view events_view = {
	.name = "events",
	.about = "processes that began and ended",
	.digit = '9',
	.tab = "Exec",
	.tab_wide = "Exec",
	.needs = TABLE_BIT(TABLE_events),
	.table = &spec,
	.hints = "open back search filter follow pause palette",
	.hints_wide = "open back view search filter follow tag pause step_back write record palette",
	.legend = "G F\tto the newest, and follow it\n",
	.act = act,
	.status = status,
};
