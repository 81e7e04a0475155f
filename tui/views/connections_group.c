// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_group.c: columns of connections by process, remote address, port or container. */
#include <stdio.h>
#include <string.h>

#include "tui/views/net.h"

/* The port of the service: on the side that was connected to. */
static u64 service_port(const struct row *row)
{
	const struct connections_row *r = connections_row(row);

	if (text_is(r->direction, "accepted"))
		return r->local_port;
	if (text_is(r->direction, "opened"))
		return r->remote_port;
	return min(r->local_port, r->remote_port);
}

/* ---- columns ----------------------------------------------------------------------------- */

static u32 style_of(const struct table_row *tr)
{
	return tr->tagged ? ROLE_text | S_BOLD : ROLE_text;
}

static void draw_process(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct connections_row *r = connections_row(tr->row);
	char buf[96];

	snprintf(buf, sizeof(buf), u64_known(r->pid) ? "%.64s %llu" : "%.64s", r->comm && *r->comm ? r->comm : "?",
		 (unsigned long long)r->pid);
	canvas_cut(c, row, col, width, style_of(tr), buf);
}

static void draw_remote(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	char buf[NET_END_MAX];

	canvas_cut(c, row, col, width, style_of(tr), net_end(a, buf, connections_row(tr->row)->remote_addr, U64_BLANK));
}

static void draw_port(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	u64 port = connections_row(tr->row)->remote_port;
	const char *service = net_service(port);
	char buf[64];

	if (u64_known(port))
		snprintf(buf, sizeof(buf), "%5llu %s", (unsigned long long)port, service ? service : "");
	else
		snprintf(buf, sizeof(buf), "    ?");
	canvas_cut(c, row, col, width, style_of(tr), buf);
}

static void draw_container(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	char buf[256];

	canvas_cut(c, row, col, width, style_of(tr), group_label(tr->row, buf, sizeof(buf)));
}

/* "node(4)", "node nginx redis", "node nginx redis sshd +3": only the first name is cut. */
static void draw_names(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	bool peers = !strcmp(group_by(tr->row)->names, "remote_addr");	/* always with a count */
	int x = 0, more_cols = 5;	/* " +12" and a blank */
	u32 i, n = 0, n_all = 0, others, shown;

	while (group_name(tr->row, n_all, &shown))
		n_all++;
	others = shown;
	for (i = 0; i < n_all; i++) {
		const char *name = group_name(tr->row, i, &n);
		char buf[96], times[16] = "";
		bool last = i + 1 == n_all && !others;

		if ((n_all == 1 || peers) && n > 1)
			snprintf(times, sizeof(times), "(%u)", n);
		snprintf(buf, sizeof(buf), "%s%.50s%s", i ? " " : "", name, times);
		if (i && x + canvas_width(c, buf) > width - (last ? 0 : more_cols))
			break;
		x += canvas_cut(c, row, col + x, width - x, style_of(tr), buf);
	}
	if (n_all - i + others)
		canvas_printf(c, row, col + x, max(width - x, 0), style_of(tr), " +%u", n_all - i + others);
}

/* The rest of a narrow line; on wide ones limited, so that the numbers stay close. */
static int fit_names(struct app *a, int width)
{
	return app_cols(a) >= 160 ? 46 : app_wide(a) ? 38 : width;
}

static void draw_rtt(struct canvas *c, int row, int col, int width, u64 ns)
{
	char buf[FORMAT_MAX];

	if (u64_known(ns))
		canvas_right(c, row, col, width, ROLE_text, net_rtt(buf, (double)ns));
}

static void draw_rtt50(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	draw_rtt(c, row, col, width, group_p50(tr->row));
}

static void draw_rtt99(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	draw_rtt(c, row, col, width, group_p99(tr->row));
}

static float retransmit_pct(const struct row *r)
{
	return net_retransmit_pct(connections_row(r)->retransmit_rate, connections_row(r)->segments_rate);
}

static void draw_retransmits(struct app *a, struct canvas *c, int row, int col, int width,
			     const struct table_row *tr)
{
	float pct = retransmit_pct(tr->row);
	char buf[FORMAT_MAX], text[FORMAT_MAX + 1];

	snprintf(text, sizeof(text), "%s%s", net_is_lossy(tr->row) ? "!" : "", format_pct(buf, (double)pct));
	if (f32_known(pct))
		canvas_right(c, row, col, width, *text == '!' ? ROLE_bad : ROLE_text, text);
}

/* By retransmits, then by traffic. */
static double number_retransmits(const struct row *r)
{
	double bytes = net_traffic(r);
	float pct = retransmit_pct(r);

	return f32_known(pct) && pct > 0 ? 1e15 * (double)pct + bytes : bytes;
}

static int fit_key(struct app *a, int width)
{
	const struct grouping *by = table_grouping(a, app_table(a));
	int longest = by && !strcmp(by->title, "remote") ? net_state(a)->remote_cols - 2 : 0;

	/* the address alone, without colon and port */
	return max(app_cols(a) >= 160 ? 45 : app_wide(a) ? 26 : width, min(longest, 41));
}

#define GROUPED(name, key_field, key_title, names_title) \
static const struct column name##_columns[] = { \
	{ key_field, .title = key_title, .width = 20, .priority = 1, .draw = draw_##name, .fit = fit_key }, \
	GROUP_COUNT("CONNS"), \
	{ NULL, .title = names_title, .help = "Of the connections of this row, most first", .priority = 3, .draw = draw_names, .fit = fit_names }, \
	{ "rx_rate", .width = 5, .priority = 1 }, \
	{ "tx_rate", .width = 5, .priority = 1 }, \
	{ NULL, .title = "RTT50", .width = 5, .priority = 2, .draw = draw_rtt50, .number = group_number_p50, \
	  .help = "Half of the connections have a shorter smoothed round trip time" }, \
	{ NULL, .title = "RTT99", .width = 5, .priority = 4, .draw = draw_rtt99, .number = group_number_p99, \
	  .help = "99 of 100 connections have a shorter one" }, \
	{ NULL, .title = "RETR%", .width = 6, .priority = 2, .draw = draw_retransmits, \
	  .number = number_retransmits, .help = "Share of the segments that were sent again" }, \
}; \
static const struct table_spec name##_spec = { \
	.table = TABLE_connections, .columns = name##_columns, .n_columns = ARRAY_SIZE(name##_columns), \
	.sort = "RETR%", .tie = net_traffic, .noun = "connections", .no_ghosts = true, \
	.keep = connections_keep, .load = connections_measure, \
};

GROUPED(process, "comm", "PROCESS", "REMOTES")
GROUPED(remote, "remote_addr", "REMOTE", "PROCESSES")
GROUPED(port, "remote_port", "PORT", "PROCESSES")
GROUPED(container, "container", "CONTAINER", "PROCESSES")

const struct grouping connections_groupings[N_CONNECTIONS_GROUPINGS] = {
	{ "process", { "pid", "start_time_ns" }, .names = "remote_addr", .spread = "srtt_ns", .spec = &process_spec },
	{ "remote", { "remote_addr" }, .names = "comm", .spread = "srtt_ns", .spec = &remote_spec },
	{ "port", { "remote_port" }, .number = service_port, .names = "comm", .spread = "srtt_ns", .spec = &port_spec },
	{ "container", { "container" }, .names = "comm", .spread = "srtt_ns", .spec = &container_spec },
};
