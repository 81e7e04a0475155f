// SPDX-License-Identifier: GPL-2.0-or-later
/* connection.c: a page for one connection: its ends, and its last five minutes. */
#include <stdio.h>
#include <string.h>

#include "tui/views/http.h"
#include "tui/views/net.h"

#define NAME_COLS 8
#define NOW_COLS 7
#define MOST_COLS 8		/* maximum of the five minutes */
#define TOTAL_COLS 13
#define SPARK_MAX 120
#define SPARK_LEAST 9		/* width of its title */
#define REQUESTS_MIN_ROWS 14	/* body height from which requests are listed */

struct connection_state {
	const struct row *last;	/* newest row seen: one reference */
	struct past past;
	bool lists;		/* its requests are on the screen */
};

/* ---- history ----------------------------------------------------------------------- */

/* In the order of enum net_past. */
static const char *const past_members[] = {
	"tx_rate", "rx_rate", "srtt_ns", "retransmit_rate", "cwnd", NULL,
};

void connection_past_update(struct app *a, struct past *past, const struct row *row)
{
	past_update(past, app_history(a), app_snapshot(a), TABLE_connections, past_members, &row, 1);
}

static void total_text(char *buf, size_t cap, const struct connections_row *r, enum net_past id)
{
	static const char *const members[] = { "tx_bytes", "rx_bytes", "rtt_min_ns", "retransmits" };
	char value[FORMAT_MAX];
	const char *text = net_value(value, &r->row, members[id]);

	snprintf(buf, cap, id == PAST_RTT && *text ? "min %s" : "%s", text);
}

static const char *most_text(char buf[FORMAT_MAX], enum net_past id, float most)
{
	return id == PAST_RTT ? format_ns(buf, (double)most) :
	       id == PAST_RETR ? format_count(buf, (double)most) : format_bytes(buf, (double)most);
}

/* Columns of a value's sparkline; 0: no room. */
static int spark_cols(struct rect r)
{
	int width = min(r.cols - NAME_COLS - NOW_COLS - MOST_COLS - TOTAL_COLS - 5, SPARK_MAX);

	return width < SPARK_LEAST ? 0 : width;
}

/* "TX/s   10.7K  ▂▂▂▃▃▃▂▂▂   11.0K     41.2M" */
static void past_line(struct canvas *c, struct rect r, const struct connections_row *row,
		      const struct past *past, enum net_past id)
{
	static const char *const titles[] = { "TX/s", "RX/s", "RTT", "RETR/s" };
	bool bad = id == PAST_RETR && net_is_lossy(&row->row);
	int width = spark_cols(r), col = r.col + 1 + NAME_COLS + NOW_COLS;
	char now[FORMAT_MAX], text[FORMAT_MAX + 1], total[FORMAT_MAX + 8];
	int lane = past_find(past, &row->row);
	float least, most;

	canvas_text(c, r.row, r.col + 1, NAME_COLS, ROLE_dim, titles[id]);
	snprintf(text, sizeof(text), "%s%s", bad ? "!" : "", net_value(now, &row->row, past_members[id]));
	canvas_right(c, r.row, col - NOW_COLS, NOW_COLS, bad ? ROLE_bad : strcmp(text, "?") ? ROLE_text : ROLE_dim,
		     row->row.closed ? "" : text);
	if (width)
		past_spark(past, lane, id, c, r.row, col + 2, width, bad ? ROLE_bad : ROLE_accent, 0);
	if (past_range(past, lane, id, &least, &most) && most > 0)
		canvas_right(c, r.row, col + 2 + width, MOST_COLS, ROLE_dim, most_text(now, id, most));
	total_text(total, sizeof(total), row, id);
	canvas_right(c, r.row, col + 2 + width + MOST_COLS, TOTAL_COLS, ROLE_text, total);
}

/* A UDP flow has neither round trips nor retransmits. */
static bool applies(const struct connections_row *r, enum net_past id)
{
	return format_state(schema_field(TABLE_connections, past_members[id]), &r->row) != VALUE_BLANK;
}

static int draw_lines(struct canvas *c, struct rect r, const struct connections_row *row, const struct past *past)
{
	int width = spark_cols(r), col = r.col + 1 + NAME_COLS + NOW_COLS, line = 0;

	canvas_right(c, r.row, col - NOW_COLS, NOW_COLS, ROLE_dim, "now");
	if (width)
		canvas_text(c, r.row, col + 2, width, ROLE_dim, "5 minutes");
	canvas_right(c, r.row, col + 2 + width, MOST_COLS, ROLE_dim, "most");
	canvas_right(c, r.row, col + 2 + width + MOST_COLS, TOTAL_COLS, ROLE_dim, "total");
	for (enum net_past id = PAST_TX; id <= PAST_RETR; id++) {
		struct rect at = { r.row + 1 + line, r.col, 1, r.cols };

		if (!applies(row, id) || line + 1 >= r.rows)
			continue;
		past_line(c, at, row, past, id);
		line++;
	}
	return line + 1;
}

/* ---- facts ----------------------------------------------------------------------------- */

/* Why the direction is known, if ottop did not see the connection begin. */
static const char *evidence(const struct connections_row *row)
{
	static const struct { const char *by, *text; } texts[] = {
		{ "bound", " (its port is one of connect)" }, { "listener", " (its port has a listener)" },
		{ "counters", " (as its counters say)" }, { "ports", " (as the ports suggest)" },
	};

	for (u32 i = 0; row->direction_by && i < ARRAY_SIZE(texts); i++)
		if (!strcmp(row->direction_by, texts[i].by))
			return texts[i].text;
	return row->direction ? "" : " (who opened it is not known)";
}

/* "opened by node 2214   ESTABLISHED   netns shop-api   connect took 213ms" */
static void draw_head(struct canvas *c, struct rect r, const struct connections_row *row)
{
	const char *dir = row->direction, *what = !dir ? "of" : *dir ? dir : "of";
	char buf[FORMAT_MAX], state[24], number[24];
	const char *netns;
	int col = r.col;

	col += canvas_printf(c, r.row, col, -1, ROLE_dim, "%s%s ", what, strcmp(what, "of") ? " by" : "");
	col += canvas_text(c, r.row, col, -1, ROLE_text, row->comm ? row->comm : "?");
	if (u64_known(row->pid))
		col += canvas_printf(c, r.row, col, -1, ROLE_text, " %llu", (unsigned long long)row->pid);
	col += canvas_text(c, r.row, col, -1, ROLE_dim, evidence(row));
	col += 3 + canvas_text(c, r.row, col + 3, -1, net_has_failed(row->end_reason) ? ROLE_bad : ROLE_text,
			       net_state_text(row, state, sizeof(state)));
	netns = net_netns(row->netns_name, row->netns, number, sizeof(number));
	if (*netns) {
		col += canvas_text(c, r.row, col, -1, ROLE_dim, "   netns ");
		col += canvas_text(c, r.row, col, -1, strcmp(netns, "?") ? ROLE_text : ROLE_dim, netns);
	}
	if (u64_known(row->connect_ns)) {
		col += canvas_text(c, r.row, col, -1, ROLE_dim, "   connect took ");
		canvas_text(c, r.row, col, -1, ROLE_text, format_ns(buf, (double)row->connect_ns));
	}
}

/* "of 9.6 segments/s 3.1 % resent   cwnd 4 (was 42)" */
static int draw_segments(struct canvas *c, struct rect r, const struct connections_row *row,
			 const struct past *past)
{
	float pct = net_retransmit_pct(row->retransmit_rate, row->segments_rate), low, high;
	char buf[FORMAT_MAX];
	int col = r.col + 1;

	if (!applies(row, PAST_RETR) || r.rows < 1)
		return 0;
	if (f32_known(pct) && row->segments_rate <= 0) {
		col += canvas_text(c, r.row, col, -1, ROLE_dim, "no segments sent in this interval");
	} else if (f32_known(pct)) {
		col += canvas_printf(c, r.row, col, -1, ROLE_text, "of %s segments/s ",
				     format_count(buf, (double)row->segments_rate));
		col += canvas_printf(c, r.row, col, -1, net_is_lossy(&row->row) ? ROLE_bad : ROLE_text,
				     "%.1f %% resent", (double)pct);
	} else {
		col += canvas_text(c, r.row, col, -1, ROLE_dim, "segments resent: ?");
	}
	if (!u64_known(row->cwnd))
		return 1;
	col += canvas_printf(c, r.row, col, -1, ROLE_text, "   cwnd %llu", (unsigned long long)row->cwnd);
	if (past_range(past, past_find(past, &row->row), PAST_CWND, &low, &high) && (u64)high != row->cwnd)
		canvas_printf(c, r.row, col, -1, ROLE_dim, " (was %.0f)", (double)high);
	return 1;
}

static void fact(struct canvas *c, struct rect *r, const char *name, const char *text)
{
	if (!text || !*text || r->rows < 1)
		return;
	canvas_text(c, r->row, r->col + 1, 10, ROLE_dim, name);
	canvas_cut(c, r->row, r->col + 12, r->cols - 12, ROLE_text, text);
	rect_top(r, 1);
}

static void draw_facts(struct app *a, struct canvas *c, struct rect r, const struct connections_row *row)
{
	const char *name = net_name(a, row->remote_addr), *service = net_service(row->remote_port);
	char end[NET_END_MAX], text[NET_END_MAX * 2 + 64], rx[FORMAT_MAX], tx[FORMAT_MAX];

	fact(c, &r, "here", net_address(end, row->local_addr, row->local_port));
	net_address(end, row->remote_addr, row->remote_port);
	snprintf(text, sizeof(text), "%s%s%s%s%s%s", end, name ? "   " : "", name ? name : "",
		 service ? "   (" : "", service ? service : "", service ? ")" : "");
	fact(c, &r, "there", text);
	fact(c, &r, "container", row->container);
	fact(c, &r, "held by", row->owners);
	if (u64_known(row->connections) && f32_known(row->connections_rate)) {
		snprintf(text, sizeof(text), "%s short connections so far, in one row",
			 format_thousands(rx, row->connections));
		fact(c, &r, "counts", text);
	}
	if (u64_known(row->rx_packets) || u64_known(row->tx_packets)) {
		snprintf(text, sizeof(text), "%s received, %s sent", net_value(rx, &row->row, "rx_packets"),
			 net_value(tx, &row->row, "tx_packets"));
		fact(c, &r, text_is(row->proto, "udp") ? "datagrams" : "segments", text);
	}
	if (row->row.closed)
		fact(c, &r, "ended", row->end_reason ? row->end_reason : "?");
}

void connection_draw_past(struct app *a, struct canvas *c, struct rect r, const struct connections_row *row,
			  const struct past *past)
{
	bool beside = r.cols >= 160;	/* facts beside the lines */
	struct rect left;

	draw_head(c, r, row);
	rect_top(&r, 1);
	left = beside ? rect_left(&r, r.cols - 64) : r;
	rect_left(&r, 2);	/* between them */
	rect_top(&left, draw_lines(c, left, row, past));
	rect_top(&left, draw_segments(c, left, row, past) + 1);
	draw_facts(a, c, beside ? r : left, row);
}

/* ---- the page ------------------------------------------------------------------------------ */

void connection_open(struct app *a, const struct connections_row *r)
{
	const struct context *ctx = app_context(a);
	char local[NET_END_MAX], remote[NET_END_MAX], owner[80] = "", label[160];

	if (u64_known(r->pid) && ctx->pid != r->pid)
		snprintf(owner, sizeof(owner), "%.40s %llu › ", r->comm ? r->comm : "?", (unsigned long long)r->pid);
	snprintf(label, sizeof(label), "%s%.60s › %.60s %.4s", owner,
		 net_address(local, r->local_addr, r->local_port),
		 net_address(remote, r->remote_addr, r->remote_port), r->proto ? r->proto : "?");
	if (u64_known(r->pid))
		app_enter(a, "connection", r->pid, u64_known(r->start_time_ns) ? r->start_time_ns : 0, &r->row, label);
	else
		app_enter(a, "connection", ctx->pid, ctx->start_time_ns, &r->row, label);
}

static const struct row *row_of(struct app *a, struct connection_state *st)
{
	const struct row *like = app_context(a)->row;

	return like && like->table == TABLE_connections && st->last && !row_cmp_keys(st->last, like) ? st->last : like;
}

static void connection_update(struct app *a, void *state)
{
	struct connection_state *st = state;
	const struct row *like = app_context(a)->row, *now;

	if (!like || like->table != TABLE_connections || !app_snapshot(a))
		return;
	now = snapshot_find(app_snapshot(a), like);
	if (now || !st->last || row_cmp_keys(st->last, like))
		ROW_KEEP(st->last, now ? now : like);
	connection_past_update(a, &st->past, st->last);
}

/* ---- its requests, slowest first ------------------------------------------------------------ */

/* Returns the remaining area. */
static struct rect draw_requests(struct app *a, struct connection_state *st, struct canvas *c, struct rect r)
{
	u32 n = table_len_unfiltered(app_table(a));
	int rows = min((int)min(n, 1000u) + 2, max(r.rows / 3, 4));
	char title[64], text[FORMAT_MAX];
	struct rect list;

	st->lists = n && r.rows >= REQUESTS_MIN_ROWS;
	if (!st->lists)
		return r;
	list = rect_bottom(&r, rows);
	snprintf(title, sizeof(title), "requests on it (%s), slowest first", format_thousands(text, n));
	canvas_rule(c, rect_top(&list, 1).row, r.col, r.cols, title);
	table_draw(a, app_table(a), c, list);
	return r;
}

static u64 connection_wants(const struct app *a, const void *state)
{
	return net_wants(a, state) | TABLE_BIT(TABLE_http) | TABLE_BIT(TABLE_requests) | REQUEST_STACKS;
}

static void connection_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct connection_state *st = state;
	const struct row *row = row_of(a, st);

	if (!row || row->table != TABLE_connections) {
		canvas_text(c, body.row + 1, body.col + 3, -1, ROLE_dim, "no connection here");
		return;
	}
	if (past_more(&st->past, app_history(a)))
		app_again(a);
	connection_draw_past(a, c, draw_requests(a, st, c, body), connections_row(row), &st->past);
}

static void connection_status(struct app *a, void *state, char *buf, size_t cap)
{
	struct connection_state *st = state;
	const struct row *row = row_of(a, st);
	char age[FORMAT_MAX];

	*buf = '\0';
	if (!row || row->table != TABLE_connections)
		return;
	snprintf(buf, cap, "age %s", net_value(age, row, "age_ns"));
}

static bool connection_note(struct app *a, void *state, char *buf, size_t cap)
{
	struct connection_state *st = state;
	const struct row *row = row_of(a, st);
	const struct connections_row *r = connections_row(row);

	if (!row || !app_snapshot(a) || snapshot_find(app_snapshot(a), row))
		return false;
	if (row->closed)
		snprintf(buf, cap, "this connection has ended (%s): its last values",
			 r->end_reason && *r->end_reason ? r->end_reason : "how is not known");
	else
		snprintf(buf, cap, "not seen at this moment: the values of when it was seen last");
	return true;
}

static bool connection_act(struct app *a, void *state, enum action action, u32 key)
{
	struct connection_state *st = state;
	const struct row *row = row_of(a, st);
	char name[400];

	switch (action) {
	case ACTION_open:
		if (st->lists && table_cursor(app_table(a)))
			request_open(a, requests_row(table_cursor(app_table(a))));
		else if (app_context(a)->pid)
			app_show(a, "card", -1);
		else
			app_say(a, ROLE_text, "its process is not known");
		return true;
	case ACTION_explain:
		if (row && row->table == TABLE_connections) {
			net_explain_name(a, connections_row(row)->remote_addr, name, sizeof(name));
			app_say(a, ROLE_text, "%s", name);
		}
		return true;
	default:
		return net_act(a, action);
	}
}

static void connection_fini(void *state)
{
	struct connection_state *st = state;

	row_put(st->last);
	past_free(&st->past);
}

const struct view connection_view = {
	.name = "connection", .digit = '5', .flags = VIEW_PAGE,
	.about = "one connection: its last five minutes",
	.needs = TABLE_BIT(TABLE_connections) | TABLE_BIT(TABLE_events), .wants = connection_wants, .table = &requests_of_connection,
	.state_size = sizeof(struct connection_state),
	.hints = "open back names ports explain pause step_back write",
	.legend = "5 minutes\tthe newest at the right; blank: not known then\n"
		  "most\tlargest value of the five minutes\n"
		  "min\tleast round-trip time of the last minutes, as the kernel keeps it\n"
		  "cwnd\tsegments that may be on the way; was: most of the five minutes\n",
	.fini = connection_fini, .update = connection_update, .draw = connection_draw,
	.act = connection_act, .status = connection_status, .note = connection_note,
};
