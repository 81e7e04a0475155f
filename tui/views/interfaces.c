// SPDX-License-Identifier: GPL-2.0-or-later
/* interfaces.c: traffic of each network interface, and below it the kernel's packet drops. */
#include <stdio.h>

#include "tui/views/net.h"

#define DROPS_LINES 6	/* title included */
#define LIST_MIN 4

struct interfaces_state {
	struct past past;
};

static bool is_above_zero(float v)
{
	return f32_known(v) && v > 0;
}

static bool drops_some(const struct row *r)
{
	return is_above_zero(interfaces_row(r)->drop_rate);
}

static bool has_errors(const struct row *r)
{
	return is_above_zero(interfaces_row(r)->error_rate);
}

static void draw_history(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct interfaces_state *st = app_view_state(a, &interfaces_view);

	past_spark(&st->past, past_find(&st->past, tr->row), 0, c, row, col, width,
		   tr->mark == MARK_gone ? ROLE_dim : ROLE_accent, 0);
}

static void draw_netns(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct interfaces_row *r = interfaces_row(tr->row);
	char buf[24];

	canvas_cut(c, row, col, width, r->netns_name ? ROLE_text : ROLE_dim,
		   net_netns(r->netns_name, r->netns, buf, sizeof(buf)));
}

static int fit_history(struct app *a, int width)
{
	return app_wide(a) ? 60 : width;
}

static const struct column columns[] = {
	{ "name", .width = 14, .priority = 1 },
	{ "netns_name", .priority = 8, .min_width = 100, .draw = draw_netns },
	{ "rx_packet_rate", .width = 7, .priority = 3 },
	{ "tx_packet_rate", .width = 7, .priority = 3 },
	{ "rx_rate", .width = 7, .priority = 1 },
	{ "tx_rate", .width = 7, .priority = 1 },
	{ "drop_rate", .width = 7, .priority = 2, .alert = drops_some },
	{ "error_rate", .priority = 6, .min_width = 100, .alert = has_errors },
	{ "rx_bytes", .priority = 7, .min_width = 100 },
	{ "tx_bytes", .priority = 7, .min_width = 100 },
	{ "drops", .priority = 7, .min_width = 100 },
	{ "tx_rate", .title = "TX, 5 minutes", .width = 24, .priority = 4, .draw = draw_history, .fit = fit_history,
	  .help = "Bytes sent a second, newest right; blank where they were not collected" },
};

static double traffic(const struct row *row)
{
	const struct interfaces_row *r = interfaces_row(row);

	return (f32_known(r->rx_rate) ? (double)r->rx_rate : 0) +
	       (f32_known(r->tx_rate) ? (double)r->tx_rate : 0);
}

static const struct table_spec spec = {
	.table = TABLE_interfaces, .columns = columns, .n_columns = ARRAY_SIZE(columns),
	.sort = "tx_rate", .tie = traffic, .noun = "interfaces",
};

static void interfaces_update(struct app *a, void *state)
{
	static const char *const members[] = { "tx_rate", NULL };
	struct interfaces_state *st = state;
	const struct table *t = app_snapshot(a) ? &app_snapshot(a)->tables[TABLE_interfaces] : NULL;

	if (t)
		past_update(&st->past, app_history(a), app_snapshot(a), TABLE_interfaces, members, t->rows,
			    (int)t->n);
}

static void interfaces_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct interfaces_state *st = state;
	int wish = (int)table_len(app_table(a)) + 2;

	if (past_more(&st->past, app_history(a)))
		app_again(a);
	if (app_draw_state(a, c, body, TABLE_interfaces))
		return;
	wish = max(min(wish, body.rows - DROPS_LINES), min(body.rows, LIST_MIN));
	table_draw(a, app_table(a), c, rect_top(&body, wish));
	if (body.rows > 1)
		drops_draw_list(a, c, body);
}

static bool interfaces_act(struct app *a, void *state, enum action action, u32 key)
{
	if (action != ACTION_open)
		return false;
	app_show(a, "drops", -1);
	return true;
}

static void interfaces_fini(void *state)
{
	struct interfaces_state *st = state;

	past_free(&st->past);
}

const struct view interfaces_view = {
	.name = "interfaces", .digit = '5', .faces = "interfaces", .flags = VIEW_HOST,
	.about = "traffic, drops and errors of each interface",
	.needs = TABLE_BIT(TABLE_interfaces) | TABLE_BIT(TABLE_drops), .table = &spec,
	.state_size = sizeof(struct interfaces_state),
	.hints = "open back view search filter sort_prev follow pause write palette",
	.legend = "p/s\tpackets a second; RX/s and TX/s are bytes, with their headers\n"
		  "DROPS/s\tpackets that the interface or its queue dropped, both directions\n",
	.fini = interfaces_fini, .update = interfaces_update, .draw = interfaces_draw, .act = interfaces_act,
};
