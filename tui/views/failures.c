// SPDX-License-Identifier: GPL-2.0-or-later
/* failures.c: failed and broken connections, newest last: process, remote end, reason. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/views/net.h"

struct failures_state {
	int remote_cols;	/* of the longest address so far: they are never truncated */
};

static bool keep_row(struct app *a, void *state, const struct row *row)
{
	struct failures_state *st = state;
	const struct events_row *e = events_row(row);

	if (!e->kind || (strcmp(e->kind, "fail") && (strcmp(e->kind, "close") || !net_has_failed(e->end_reason))))
		return false;
	if (e->remote)
		st->remote_cols = max(st->remote_cols, (int)strlen(e->remote));
	return true;
}

/* Splits an end "address:port" of an event. Modifies text. */
static const char *split_end(char *text, u64 *ret_port)
{
	char *colon = strrchr(text, ':');
	size_t n;

	*ret_port = U64_BLANK;
	if (colon && (colon == strchr(text, ':') || colon[-1] == ']')) {
		*ret_port = strtoull(colon + 1, NULL, 10);
		*colon = '\0';
	}
	n = strlen(text);
	if (*text == '[' && n && text[n - 1] == ']') {
		text[n - 1] = '\0';
		text++;
	}
	return text;
}

static void draw_remote(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct events_row *e = events_row(tr->row);
	char text[NET_END_MAX], buf[NET_END_MAX];
	const char *addr;
	u64 port;

	if (!e->remote) {
		canvas_text(c, row, col, width, ROLE_dim, "?");
		return;
	}
	snprintf(text, sizeof(text), "%s", e->remote);
	addr = split_end(text, &port);
	canvas_cut(c, row, col, width, ROLE_text, net_end_fit(a, c, buf, addr, port, width));
}

static void draw_reason(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const char *reason = events_row(tr->row)->end_reason;

	canvas_cut(c, row, col, width, reason ? ROLE_bad : ROLE_dim, reason ? reason : "?");
}

static int fit_remote(struct app *a, int width)
{
	const struct failures_state *st = app_view_state(a, &failures_view);

	return max(app_wide(a) ? 47 : width, st->remote_cols);
}

static const struct column columns[] = {
	{ "time_ns", .priority = 2 },
	{ "pid", .priority = 2 },
	{ "comm", .priority = 1 },
	{ "proto", .priority = 5 },
	{ "remote", .width = 21, .priority = 1, .draw = draw_remote, .fit = fit_remote },
	{ "end_reason", .title = "REASON", .priority = 1, .draw = draw_reason },
	{ "duration_ns", .title = "AFTER", .priority = 2 },
	{ "local", .priority = 6, .min_width = 100 },
	{ "user", .priority = 8, .min_width = 120 },
	{ "container", .priority = 8, .min_width = 120 },
};

static const struct table_spec spec = {
	.table = TABLE_events, .columns = columns, .n_columns = ARRAY_SIZE(columns), .sort = "time_ns",
	.ascending = true, .newest_last = true, .noun = "failures", .keep = keep_row,
};

static void failures_status(struct app *a, void *state, char *buf, size_t cap)
{
	if (!app_collected(a, TABLE_connections) && !table_len_unfiltered(app_table(a))) {
		snprintf(buf, cap, "? failures");
		return;
	}
	table_count_text(a, app_table(a), buf, cap);
	net_names_status(a, buf, cap);
}

static void failures_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct tableview *t = app_table(a);
	const struct table *connections = &app_snapshot(a)->tables[TABLE_connections];
	char early[96];

	/* without the collector of connections there are no such events: show its status */
	if (!table_len_unfiltered(t) && connections->status != TS_OK && connections->status != TS_PARTIAL) {
		if (app_draw_state(a, c, body, TABLE_connections))
			return;
	}
	if (!table_len(t) && *table_filter_text(t)) {
		app_draw_state(a, c, body, TABLE_events);
		return;
	}
	if (!table_len(t) && app_too_early(a, TABLE_connections, early, sizeof(early))) {
		canvas_printf(c, body.row + 1, body.col + 3, body.cols - 4, ROLE_dim, "failed connections: %s", early);
		return;
	}
	if (!table_len(t)) {
		canvas_printf(c, body.row + 1, body.col + 3, body.cols - 4, ROLE_dim,
			      "no connection%s has failed", app_context(a)->pid ? " of this process" : "");
		return;
	}
	table_draw(a, t, c, body);
}

static bool failures_act(struct app *a, void *state, enum action action, u32 key)
{
	const struct row *r = table_cursor(app_table(a));
	const struct events_row *e = events_row(r);
	char text[NET_END_MAX], name[400];
	u64 port;

	if (action == ACTION_open && r && u64_known(e->pid)) {
		app_enter_process(a, e->pid, u64_known(e->start_time_ns) ? e->start_time_ns : 0, NULL);
		return true;
	}
	if (action == ACTION_explain && r && e->remote) {
		snprintf(text, sizeof(text), "%s", e->remote);
		net_explain_name(a, split_end(text, &port), name, sizeof(name));
		app_say(a, ROLE_text, "%s", name);
		return true;
	}
	return net_act(a, action);
}

const struct view failures_view = {
	.name = "failures", .digit = '5', .faces = "failures",
	.about = "connections refused, reset or timed out",
	.needs = TABLE_BIT(TABLE_events) | TABLE_BIT(TABLE_connections), .wants = net_wants, .table = &spec,
	.state_size = sizeof(struct failures_state),
	.hints = "open back names ports search filter follow pause",
	.hints_wide = "open back view names ports explain search filter follow tag pause step_back write palette",
	.legend = "REASON\trefused, timed_out, unreachable, reset: what the connect or the connection ended with\n"
		  "AFTER\ttime from the connect to its failure\n"
		  "G F\tto the newest, and follow it\n",
	.draw = failures_draw, .act = failures_act, .status = failures_status,
};
