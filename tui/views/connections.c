// SPDX-License-Identifier: GPL-2.0-or-later
/* connections.c: TCP connections and UDP flows, retransmits first. First face of tab 5. */
#include <stdio.h>
#include <string.h>

#include "tui/table/table_state.h"
#include "tui/views/net.h"

#define PREVIEW_MIN_COLS 120
#define PREVIEW_MIN_ROWS 30	/* of the body */
#define PREVIEW_ROWS 12
#define PREVIEW_TICKS 3

/* ---- columns ---------------------------------------------------------------------- */

static u32 style_of(const struct table_row *tr)
{
	return tr->mark == MARK_gone ? ROLE_dim : tr->tagged ? ROLE_text | S_BOLD : ROLE_text;
}

/* "› 10.0.0.7:8443": addresses are never truncated; names are, to show the port. */
static void draw_remote(struct app *a, struct canvas *c, int row, int col, int width,
			const struct table_row *tr)
{
	const struct connections_row *r = connections_row(tr->row);
	const char *dir = r->direction, *port;
	char buf[NET_END_MAX];
	int n;

	canvas_text(c, row, col, 1, dir && tr->mark != MARK_gone ? ROLE_accent : ROLE_dim, !dir ? "?" :
		    !strcmp(dir, "accepted") ? "‹" : !strcmp(dir, "opened") ? "›" : " ");
	net_end_fit(a, c, buf, r->remote_addr, r->remote_port, width - 2);
	port = strrchr(buf, ':');
	n = port ? canvas_width(c, port) : 0;
	if (canvas_width(c, buf) <= width - 2 || n + 4 > width) {
		canvas_cut(c, row, col + 2, width - 2, style_of(tr), buf);
		return;
	}
	canvas_text(c, row, col + width - n, n, style_of(tr), port);
	buf[port - buf] = '\0';
	canvas_cut(c, row, col + 2, width - 2 - n, style_of(tr), buf);
}

static void draw_local(struct app *a, struct canvas *c, int row, int col, int width,
		       const struct table_row *tr)
{
	const struct connections_row *r = connections_row(tr->row);
	char buf[NET_END_MAX];

	canvas_cut(c, row, col, width, style_of(tr), net_address(buf, r->local_addr, r->local_port));
}

static void draw_state(struct app *a, struct canvas *c, int row, int col, int width,
		       const struct table_row *tr)
{
	const struct connections_row *r = connections_row(tr->row);
	char buf[24];
	u32 style = net_has_failed(r->end_reason) ? ROLE_bad : r->state ? style_of(tr) : ROLE_dim;

	canvas_cut(c, row, col, width, style, net_state_text(r, buf, sizeof(buf)));
}

static void draw_rtt(struct app *a, struct canvas *c, int row, int col, int width,
		     const struct table_row *tr)
{
	char buf[FORMAT_MAX];

	canvas_right(c, row, col, width, u64_known(connections_row(tr->row)->srtt_ns) ? style_of(tr) : ROLE_dim,
		     net_value(buf, tr->row, "srtt_ns"));
}

static double number_rtt(const struct row *r)
{
	u64 ns = connections_row(r)->srtt_ns;

	return u64_known(ns) ? (double)ns : -1;
}

/* By retransmits, then by traffic. */
static double number_retransmits(const struct row *row)
{
	const struct connections_row *r = connections_row(row);
	double bytes = net_traffic(row);

	if (row->closed)	/* among the ended: failures first */
		return net_has_failed(r->end_reason) ? 1 + bytes : bytes * 1e-9;
	return f32_known(r->retransmit_rate) && r->retransmit_rate > 0 ?
		1e15 * (double)r->retransmit_rate + bytes : bytes;
}

/* The number of a namespace without a name. */
static void draw_netns(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	char buf[24];

	canvas_cut(c, row, col, width, connections_row(tr->row)->netns_name ? style_of(tr) : ROLE_dim,
		   net_netns(connections_row(tr->row)->netns_name, connections_row(tr->row)->netns, buf, sizeof(buf)));
}

static int fit_remote(struct app *a, int width)
{
	int wish = !app_wide(a) ? width : net_state(a)->names || app_cols(a) >= 160 ? 45 : 24;

	return max(wish, net_state(a)->remote_cols + 2);
}

static int fit_local(struct app *a, int width)
{
	return max(width, net_state(a)->local_cols);
}

static const struct column columns[] = {
	{ "pid", .priority = 2 },
	{ "comm", .priority = 1 },
	{ "proto", .priority = 4 },
	{ "local_addr", .width = 21, .priority = 7, .draw = draw_local, .fit = fit_local, .also = "local_port" },
	{ "remote_addr", .width = 20, .priority = 1, .draw = draw_remote, .fit = fit_remote,
	  .also = "remote_port" },
	{ "state", .priority = 3, .draw = draw_state, .also = "direction" },
	{ "rx_rate", .width = 5, .priority = 1 },
	{ "tx_rate", .width = 5, .priority = 1, .min_width = 50 },
	{ "rx_bytes", .priority = 7 },
	{ "tx_bytes", .priority = 7 },
	{ "srtt_ns", .priority = 2, .draw = draw_rtt, .number = number_rtt },
	{ "retransmit_rate", .width = 7, .priority = 1, .min_width = 60, .alert = net_is_lossy, .number = number_retransmits },
	{ "age_ns", .priority = 6 },
	{ "netns_name", .priority = 8, .min_width = 120, .draw = draw_netns },
	{ "container", .priority = 8, .min_width = 120 },
	{ "owners", .priority = 9, .min_width = 160, .also = "end_reason" },
};

/* ---- rows --------------------------------------------------------------------------- */

/* A failed connection keeps its place for its tick, a closed one sinks. */
static bool has_closed(const struct row *r)
{
	return !net_has_failed(connections_row(r)->end_reason);
}

bool connections_keep(struct app *a, void *state, const struct row *r)
{
	const struct connections_state *st = state;

	return !(st->hide_closed && r->closed);
}

/* Addresses are not cut and columns do not jump: as wide as the longest so far, until a resize. */
void connections_measure(void *state, const struct row *row)
{
	const struct connections_row *r = connections_row(row);
	struct connections_state *st = state;

	st->remote_cols = max(st->remote_cols, net_address_cols(r->remote_addr, r->remote_port));
	st->local_cols = max(st->local_cols, net_address_cols(r->local_addr, r->local_port));
}

/* Mostly nothing is retransmitted: then by traffic. */
static const struct table_spec spec = {
	.table = TABLE_connections, .columns = columns, .n_columns = ARRAY_SIZE(columns),
	.sort = "retransmit_rate", .tie = net_traffic, .noun = "connections", .ghost_ticks = 8, .short_ghosts = 64,
	.keep = connections_keep, .load = connections_measure, .sinks = has_closed, .living_first = true,
	.groupings = connections_groupings, .n_groupings = N_CONNECTIONS_GROUPINGS,
};

/* ---- notes --------------------------------------------------------------------------------- */

static void connections_status(struct app *a, void *state, char *buf, size_t cap)
{
	struct connections_state *st = state;
	const struct tableview *t = app_table(a);
	const struct grouping *by = table_grouping(a, app_table(a));
	bool processes = by && !strcmp(by->title, "process");
	char n[FORMAT_MAX], m[FORMAT_MAX];

	if (!app_collected(a, TABLE_connections)) {
		snprintf(buf, cap, "? connections");
		return;
	}
	if (by)
		snprintf(buf, cap, "%s %s%s, %s connection%s", format_thousands(n, t->n), by->title,
			 text_plural(t->n, processes ? "es" : "s"),
			 format_thousands(m, t->groups.members), text_plural(t->groups.members, "s"));
	else if (t->filter)
		snprintf(buf, cap, "%s of %s connection%s", format_thousands(n, t->n),
			 format_thousands(m, t->n_all), text_plural(t->n_all, "s"));
	else
		snprintf(buf, cap, "%s connection%s", format_thousands(n, t->n_all - t->n_gone),
			 text_plural(t->n_all - t->n_gone, "s"));
	if (!by && !t->filter && t->n_gone)
		text_add(buf, cap, ", ", "%s closed", format_thousands(n, t->n_gone));
	if (!by && st->hide_closed)
		text_add(buf, cap, ", ", "closed hidden");
	if (by)
		text_add(buf, cap, "   ", "by %s", by->title);
	net_names_status(a, buf, cap);
}

static bool connections_note(struct app *a, void *state, char *buf, size_t cap)
{
	const struct table *t = app_snapshot(a) ? &app_snapshot(a)->tables[TABLE_connections] : NULL;

	bool lossy = app_note_peers(a, buf, cap, table_cursor_index(app_table(a)) ? "b: by remote" : "Enter");

	if (!t || t->status != TS_PARTIAL || !t->reason)
		return lossy;
	if (!lossy)
		*buf = '\0';
	text_add(buf, cap, " · ", "%s", t->reason);
	return true;
}

/* ---- keys ------------------------------------------------------------------------------------- */

static void explain(struct app *a, const struct row *r)
{
	char name[400];

	if (!r) {
		app_say(a, ROLE_text, "no connection is selected");
		return;
	}
	if (r->sum) {
		app_say(a, ROLE_text, "a sum of several connections: Enter shows them one by one");
		return;
	}
	net_explain_name(a, connections_row(r)->remote_addr, name, sizeof(name));
	if (!u64_known(connections_row(r)->pid))
		app_say(a, ROLE_text, "%s; its process is not known: it was open before ottop, in a namespace "
			"that cannot be read, or is the kernel's own", name);
	else
		app_say(a, ROLE_text, "%s", name);
}

static bool connections_act(struct app *a, void *state, enum action action, u32 key)
{
	struct connections_state *st = state;
	const struct row *r = table_cursor(app_table(a));

	switch (action) {
	case ACTION_open:
		if (r && r->sum)
			return false;
		if (r)
			connection_open(a, connections_row(r));
		return true;
	case ACTION_explain:
		explain(a, r);
		return true;
	case ACTION_closed:
		st->hide_closed = !st->hide_closed;
		app_say(a, ROLE_text, st->hide_closed ? "connections that have ended are hidden"
						      : "connections that have ended stay for some ticks");
		break;
	default:
		return net_act(a, action);
	}
	table_reload(a, app_table(a));
	return true;
}

/* ---- drawing ------------------------------------------------------------------------------------- */

static bool has_preview(struct app *a, struct rect body)
{
	const struct row *r = table_cursor(app_table(a));

	return body.cols >= PREVIEW_MIN_COLS && body.rows >= PREVIEW_MIN_ROWS && r && !r->sum;
}

static void draw_preview(struct app *a, struct connections_state *st, struct canvas *c, struct rect r,
			 const struct row *row)
{
	const struct connections_row *k = connections_row(row);
	char title[NET_END_MAX * 2], local[NET_END_MAX], remote[NET_END_MAX];

	connection_past_update(a, &st->past, row);
	/* while the first row may change each tick its history is not read */
	if ((app_table(a)->anchored || st->past.n >= PREVIEW_TICKS) && past_more(&st->past, app_history(a)))
		app_again(a);
	snprintf(title, sizeof(title), "%s › %s %s", net_address(local, k->local_addr, k->local_port),
		 net_address(remote, k->remote_addr, k->remote_port), k->proto ? k->proto : "?");
	canvas_rule(c, rect_top(&r, 1).row, r.col, r.cols, title);
	connection_draw_past(a, c, r, k, &st->past);
}

static void connections_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct connections_state *st = state;
	struct tableview *t = app_table(a);

	if (app_draw_state(a, c, body, TABLE_connections))
		return;
	if (st->screen_cols != canvas_cols(c)) {
		if (st->screen_cols)
			st->remote_cols = st->local_cols = 0;
		st->screen_cols = canvas_cols(c);
		for (u32 i = 0; i < t->n && !t->rows[i].row->sum; i++)
			connections_measure(st, t->rows[i].row);
	}
	if (has_preview(a, body))
		draw_preview(a, st, c, rect_bottom(&body, PREVIEW_ROWS), table_cursor(t));
	table_draw(a, t, c, body);
}

static void connections_fini(void *state)
{
	struct connections_state *st = state;

	past_free(&st->past);
}

const struct view connections_view = {
	.name = "connections", .digit = '5', .tab = "Net", .tab_wide = "Net", .faces = "connections",
	.about = "TCP and UDP, with their processes",
	.needs = TABLE_BIT(TABLE_connections) | TABLE_BIT(TABLE_events), .wants = net_wants, .table = &spec,
	.state_size = sizeof(struct connections_state),
	.hints = "open group closed names ports filter sort_prev follow pause",
	.hints_wide = "open back view group closed names ports explain search filter sort_prev invert follow tag "
		      "pause step_back write record health palette",
	.legend = "‹ ›\taccepted here; opened from here (? not known; its page: what tells)\n"
		  "RETR/s\tsegments sent again, a second; ! and red: more than 1 % of those sent\n"
		  "RETR%\tof a group: share of its segments that were sent again\n"
		  "new/s\tshort connections of one process, remote and port, counted together: so many a second\n"
		  "×\tended: stays for 8 ticks with the reason as its STATE; c hides it\n"
		  "by port\tthe port of the side that was connected to; not known which: the smaller one\n"
		  "?\tas owner: open before ottop, and its process is in a namespace that cannot be read\n",
	.fini = connections_fini, .draw = connections_draw,
	.act = connections_act, .status = connections_status, .note = connections_note,
};
