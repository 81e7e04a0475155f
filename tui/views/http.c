// SPDX-License-Identifier: GPL-2.0-or-later
/* http.c: endpoints of HTTP servers and clients. First face of tab 6; Enter: their requests. */
#include <stdio.h>
#include <string.h>

#include "tui/engines/tracks.h"
#include "tui/term/graph.h"
#include "tui/views/http.h"

#define PREVIEW_MIN_COLS 160
#define PREVIEW_MIN_ROWS 30	/* of the body */
#define PREVIEW_ROWS 14

#define TRACK_NS (300 * NSEC_PER_SEC)
#define TRACK_COLS 30		/* ten seconds each */
#define TRACK_MIN_COLS 180
#define TRACK_LEAST_NS 100000	/* minimum full height: faster is flat */

struct http_state {
	struct heatmap map;	/* of the preview */
	struct tracks *p99;
};

static struct http_state *state_of(struct app *a);

void http_draw_side(struct canvas *c, int row, int col, int width, u32 style, const char *side)
{
	bool server = text_is(side, "server"), client = text_is(side, "client");

	canvas_cut(c, row, col, width, style, server ? "srv" : client ? "cli" : "?");
}

/* "1.1", "1.1 s" inside TLS. */
void http_draw_protocol(struct canvas *c, int row, int col, int width, u32 style, const char *protocol, u64 tls)
{
	char text[24];

	if (protocol && !strncmp(protocol, "http/", 5))
		protocol += 5;
	snprintf(text, sizeof(text), "%.16s%s", protocol ? protocol : "?", tls == 1 ? " s" : "");
	canvas_cut(c, row, col, width, style, text);
}

static u32 style_of(const struct table_row *tr)
{
	return tr->mark == MARK_gone ? ROLE_dim : ROLE_text;
}

static void draw_side(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	http_draw_side(c, row, col, width, style_of(tr), http_row(tr->row)->side);
}

static void draw_protocol(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct http_row *r = http_row(tr->row);

	http_draw_protocol(c, row, col, width, style_of(tr), r->protocol, r->tls);
}

static void draw_path(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct http_row *r = http_row(tr->row);
	int used = 0;

	if (r->method && *r->method)
		used = canvas_text(c, row, col, width, style_of(tr), r->method) + 1;
	canvas_cut_middle(c, row, col + used, width - used, style_of(tr), r->path ? r->path : "?");
}

bool http_path_unknown(const char *protocol, const char *method, const char *path)
{
	bool h2 = protocol && (!strcmp(protocol, "h2") || !strcmp(protocol, "grpc"));

	return h2 && text_is(path, "*") && !text_is(method, "OPTIONS");
}

static bool has_unknown_path(const struct http_row *r)
{
	return !r->row.sum && http_path_unknown(r->protocol, r->method, r->path);
}

static void draw_track(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct http_state *st = state_of(a);
	float values[TRACK_COLS];

	if (!st->p99 || tr->row->sum)
		return;
	width = min(width, TRACK_COLS);
	tracks_values(st->p99, tr->row, values, (u32)width);
	graph_spark(c, row, col, width, style_of(tr), values, width, -TRACK_LEAST_NS);
}

static bool fails(const struct row *r)
{
	return f32_known(http_row(r)->error_pct) && http_row(r)->error_pct > 1;
}

static const struct column columns[] = {
	{ "pid", .priority = 6, .min_width = 100 },
	{ "comm", .priority = 2 },
	{ "side", .width = 4, .priority = 4, .draw = draw_side },
	{ "protocol", .width = 5, .priority = 5, .draw = draw_protocol, .also = "tls" },
	{ "path", .title = "METHOD PATH", .priority = 1, .draw = draw_path, .also = "method" },
	{ "rate", .priority = 1 },
	{ "error_pct", .priority = 1, .alert = fails },
	{ "p50_ns", .priority = 3 },
	{ "p95_ns", .priority = 4 },
	{ "p99_ns", .priority = 1 },
	{ "max_ns", .priority = 7, .min_width = 100 },
	{ "in_flight", .priority = 8, .min_width = 120 },
	{ "in_flight_max_ns", .priority = 8, .min_width = 120 },
	{ "statuses", .priority = 7, .min_width = 140 },
	{ "rx_rate", .priority = 8, .min_width = 160 },
	{ "tx_rate", .priority = 8, .min_width = 160 },
	{ "p99_ns", .title = "p99, 5 minutes", .width = TRACK_COLS, .priority = 9, .min_width = TRACK_MIN_COLS,
	  .draw = draw_track, .help = "The worst p99 of each ten seconds of the last five minutes, newest right, to a scale of its own" },
};

/* The share of a sum is not the sum of the shares. */
static void set_error_pct(struct row *sum)
{
	struct http_row *r = (struct http_row *)sum;
	bool any = f32_known(r->rate) && f32_known(r->error_rate) && r->rate > 0;

	r->error_pct = any ? r->error_rate / r->rate * 100 : F32_BLANK;
}

static const struct grouping groupings[] = {
	{ "process", { "pid", "start_time_ns", "comm", "side" }, .finish = set_error_pct,
	  .counts = "path", .noun = "endpoint" },
	{ "endpoint", { "method", "path", "side" }, .finish = set_error_pct, .counts = "comm", .noun = "proc" },
};

/* A client that made one request and ended sinks below live servers. */
static bool has_ended(const struct row *r)
{
	return r->closed;
}

static const struct table_spec spec = {
	.table = TABLE_http, .sinks = has_ended, .columns = columns, .n_columns = ARRAY_SIZE(columns), .sort = "p99_ns",
	.noun = "endpoints", .no_ghosts = true, .groupings = groupings, .n_groupings = ARRAY_SIZE(groupings),
};

static void open_map_of_group(struct app *a, const struct http_row *r)
{
	const struct context *ctx = app_context(a);
	char label[160];

	if (u64_known(r->pid))		/* all endpoints of a process */
		app_enter_process(a, r->pid, r->start_time_ns, "latencies");
	else
		app_enter(a, "latencies", ctx->pid, ctx->start_time_ns, &r->row,
			  group_label(&r->row, label, sizeof(label)));
}

static bool act(struct app *a, void *state, enum action action, u32 key)
{
	const struct http_row *r = http_row(table_cursor(app_table(a)));
	char label[160];

	if (r && r->row.sum && action == ACTION_latency) {
		open_map_of_group(a, r);
		return true;
	}
	if (!r || r->row.sum || (action != ACTION_open && action != ACTION_explain && action != ACTION_latency))
		return false;
	if (action == ACTION_explain) {
		if (has_unknown_path(r))
			app_say(a, ROLE_text, HTTP_PATH_UNKNOWN);
		else
			app_say(a, ROLE_text, "%s %s: statuses %s", r->method ? r->method : "", r->path ? r->path : "?",
				r->statuses && *r->statuses ? r->statuses : "?");
		return true;
	}
	snprintf(label, sizeof(label), "%s %llu › %s%s%.80s %s", r->comm ? r->comm : "?", (unsigned long long)r->pid,
		 r->method ? r->method : "", r->method && *r->method ? " " : "", r->path ? r->path : "?",
		 r->side ? r->side : "");
	app_enter(a, action == ACTION_open ? "requests" : "latencies", r->pid, r->start_time_ns, &r->row, label);
	return true;
}

static void draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	const struct row *on = table_cursor(app_table(a));
	struct http_state *st = state;
	bool preview = body.cols >= PREVIEW_MIN_COLS && body.rows >= PREVIEW_MIN_ROWS && on && !on->sum;
	struct rect below = { 0 };

	if (app_draw_state(a, c, body, TABLE_http))
		return;
	if (preview)
		below = rect_bottom(&body, PREVIEW_ROWS);
	table_draw(a, app_table(a), c, body);
	if (preview)
		http_preview_draw(a, &st->map, c, below, http_row(on));
}

static void update(struct app *a, void *state)
{
	struct http_state *st = state;

	if (!st->p99)
		st->p99 = tracks_new(TABLE_http, table_field(TABLE_http, "p99_ns"), TRACK_NS);
	tracks_update(st->p99, app_history(a), app_snapshot(a));
}

static void fini(void *state)
{
	struct http_state *st = state;

	heatmap_fini(&st->map);
	tracks_free(st->p99);
}

static bool note(struct app *a, void *state, char *buf, size_t cap)
{
	const struct row *on = table_cursor(app_table(a));

	if (!on || !has_unknown_path(http_row(on)))
		return false;
	snprintf(buf, cap, HTTP_PATH_UNKNOWN);
	return true;
}

/* So that the first request opened can show its waits. */
static u64 wants(const struct app *a, const void *state)
{
	return REQUEST_STACKS;
}

const struct view http_view = {
	.name = "http", .digit = '6', .tab = "HTTP", .tab_wide = "HTTP", .faces = "endpoints",
	.about = "HTTP endpoints: rate, errors, latencies",
	.needs = TABLE_BIT(TABLE_http) | TABLE_BIT(TABLE_requests), .wants = wants, .table = &spec,
	.hints = "open group latency explain search filter sort_prev pause palette",
	.hints_wide = "open back view group latency explain search filter sort_prev invert follow tag pause step_back write palette",
	.legend = "SIDE\tsrv: the process answers; cli: it asks\n"
		  "ERR%\tof a server status 5xx, of a client 4xx too, or no answer\n"
		  "p99\tfirst byte of the request to last byte of the answer\n"
		  "{id}\tpart of the path that differs from request to request\n"
		  "*\tof HTTP/2: path not known, sent before ottop began, or lost; a new connection shows it\n",
	.state_size = sizeof(struct http_state), .fini = fini, .update = update, .draw = draw, .act = act,
	.note = note,
};

static struct http_state *state_of(struct app *a)
{
	return app_view_state(a, &http_view);
}
