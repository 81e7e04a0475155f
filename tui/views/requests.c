// SPDX-License-Identifier: GPL-2.0-or-later
/* requests.c: recent requests, newest last; of one endpoint slowest first. Second face of tab 6. */
#include <stdio.h>
#include <string.h>

#include "bpf/model/grpc_codes.h"
#include "tui/term/graph.h"
#include "tui/views/heatmap.h"
#include "tui/views/http.h"

#define MAP_MIN_ROWS 15		/* body height from which an endpoint has a map */
#define MAP_MIN_COLS 60
#define MAP_MAX_ROWS 14		/* with edge and axis: twelve octaves; the rest is for requests */

struct requests_state {
	struct heatmap map;
};

static const struct http_row *endpoint(const struct app *a)
{
	const struct row *r = app_context(a)->row;

	return r && r->table == TABLE_http && !r->sum ? http_row(r) : NULL;
}

static bool is_of_endpoint(const struct requests_row *r, const struct http_row *e)
{
	return text_same(r->side, e->side) && text_same(r->protocol, e->protocol) &&
	       (e->row.other || (text_same(r->method, e->method) && text_same(r->endpoint, e->path)));
}

bool request_is_of(const struct requests_row *r, const struct http_row *e)
{
	return r->pid == e->pid && r->process_start_ns == e->start_time_ns && is_of_endpoint(r, e);
}

static bool keep(struct app *a, void *state, const struct row *row)
{
	const struct context *ctx = app_context(a);
	const struct requests_row *r = requests_row(row);
	const struct http_row *e = endpoint(a);

	if (ctx->pid && (r->pid != ctx->pid || r->process_start_ns != ctx->start_time_ns))
		return false;
	return !e || is_of_endpoint(r, e);
}

/* ---- columns ---- */

static bool is_grpc(const struct requests_row *r)
{
	return text_is(r->protocol, "grpc");
}

bool request_failed(const struct requests_row *r)
{
	bool client = text_is(r->side, "client");

	if (!u64_known(r->status))	/* an unknown status is not a failure */
		return r->status == U64_BLANK;
	return is_grpc(r) ? grpc_code_failed(client, r->status) : r->status >= (client ? 400 : 500);
}

const char *request_status(const struct requests_row *r, char buf[REQUEST_STATUS_MAX])
{
	const char *name = u64_known(r->status) && is_grpc(r) ? grpc_code_name(r->status) : NULL;

	if (!u64_known(r->status))
		return r->status == U64_BLANK ? "none" : "?";
	if (name)
		return name;
	snprintf(buf, REQUEST_STATUS_MAX, "%llu", (unsigned long long)r->status);
	return buf;
}

void request_draw_status(struct canvas *c, int row, int col, int width, const struct requests_row *r)
{
	u32 style = request_failed(r) ? ROLE_warn : ROLE_text;
	char buf[REQUEST_STATUS_MAX];
	const char *text = request_status(r, buf);

	if ((int)strlen(text) > width)	/* five letters distinguish gRPC's codes */
		canvas_cut(c, row, col, width, style, text);
	else
		canvas_right(c, row, col, width, style, text);
}

static void draw_status(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	request_draw_status(c, row, col, width, requests_row(tr->row));
}

static void draw_side(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	http_draw_side(c, row, col, width, ROLE_text, requests_row(tr->row)->side);
}

static void draw_method(struct canvas *c, int row, int col, int width, const char *method, const char *path)
{
	int used = 0;

	if (method && *method)
		used = canvas_text(c, row, col, width, ROLE_text, method) + 1;
	canvas_cut_middle(c, row, col + used, width - used, ROLE_text, path ? path : "?");
}

static void draw_path(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	draw_method(c, row, col, width, requests_row(tr->row)->method, requests_row(tr->row)->path);
}

static void draw_endpoint(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	draw_method(c, row, col, width, requests_row(tr->row)->method, requests_row(tr->row)->endpoint);
}

static const struct column columns[] = {
	{ "start_time_ns", .priority = 1 },
	{ "pid", .priority = 7, .min_width = 100 },
	{ "comm", .priority = 3 },
	{ "side", .width = 4, .priority = 5, .draw = draw_side },
	{ "status", .priority = 1, .draw = draw_status },
	{ "duration_ns", .priority = 1 },
	{ "first_byte_ns", .priority = 4 },
	{ "rx_bytes", .priority = 6 },
	{ "tx_bytes", .priority = 6 },
	{ "peer", .priority = 7, .min_width = 100 },
	{ "trace_id", .priority = 8, .min_width = 160 },
	{ "path", .title = "METHOD PATH", .priority = 1, .draw = draw_path, .also = "method" },
};

/* For one endpoint, which is named above. */
static const struct column endpoint_columns[] = {
	{ "start_time_ns", .priority = 1 },
	{ "status", .priority = 1, .draw = draw_status },
	{ "duration_ns", .priority = 1 },
	{ "first_byte_ns", .priority = 2 },
	{ "rx_bytes", .priority = 3 },
	{ "tx_bytes", .priority = 3 },
	{ "peer", .priority = 2 },
	{ "tid", .priority = 5, .min_width = 100 },
	{ "trace_id", .priority = 6, .min_width = 120 },
	{ "path", .priority = 4 },
};

/* For one connection, with the direction. */
static const struct column connection_columns[] = {
	{ "start_time_ns", .priority = 1 },
	{ "status", .priority = 1, .draw = draw_status },
	{ "duration_ns", .priority = 1 },
	{ "first_byte_ns", .priority = 3 },
	{ "rx_bytes", .priority = 4 },
	{ "tx_bytes", .priority = 4 },
	{ "tid", .priority = 5, .min_width = 100 },
	{ "trace_id", .priority = 6, .min_width = 120 },
	{ "path", .title = "METHOD PATH", .priority = 1, .draw = draw_path, .also = "method" },
};

/* ---- grouping ---- */

/* Ports of clients differ from connection to connection: not part of the key. */
static size_t host_len(const char *peer)
{
	const char *colon = strrchr(peer, ':');

	return colon ? (size_t)(colon - peer) : strlen(peer);
}

static u64 peer_hash(const struct row *r)
{
	const char *peer = requests_row(r)->peer;
	u64 h = 0xcbf29ce484222325ull;

	for (size_t i = 0; peer && i < host_len(peer); i++)
		h = (h ^ (u8)peer[i]) * 0x100000001b3ull;
	return peer ? h : U64_UNKNOWN;
}

static void set_host(struct row *sum)
{
	u32 n;
	const char *peer = group_name(sum, 0, &n);
	char host[64] = "";

	if (peer)
		snprintf(host, sizeof(host), "%.*s", (int)host_len(peer), peer);
	row_sum_text(sum, schema_field(TABLE_requests, "peer"), host);
}

#define GROUPED(name, ...) \
static const struct column name##_columns[] = { \
	__VA_ARGS__, GROUP_COUNT("REQS"), GROUP_P50, GROUP_P99, \
	{ "duration_ns", .title = "max", .priority = 1 }, \
	{ "rx_bytes", .width = 6, .priority = 4 }, { "tx_bytes", .width = 6, .priority = 4 }, \
}; \
static const struct table_spec name##_spec = { \
	.table = TABLE_requests, .columns = name##_columns, .n_columns = ARRAY_SIZE(name##_columns), \
	.sort = "duration_ns", .noun = "requests", .keep = keep, \
};

GROUPED(by_peer, { "peer", .width = 39, .priority = 1 })
GROUPED(by_endpoint, { "side", .width = 4, .priority = 3, .draw = draw_side },
	{ "endpoint", .title = "METHOD PATH", .priority = 1, .draw = draw_endpoint })
GROUPED(by_process, { "pid", .priority = 2 }, { "comm", .width = 15, .priority = 1 })

static const struct grouping groupings[] = {
	{ "peer", { "peer" }, .number = peer_hash, .finish = set_host, .names = "peer", .spread = "duration_ns",
	  .spec = &by_peer_spec },
	{ "endpoint", { "method", "endpoint", "side" }, .spread = "duration_ns", .spec = &by_endpoint_spec },
	{ "process", { "pid", "process_start_ns", "comm" }, .spread = "duration_ns", .spec = &by_process_spec },
};

static const struct table_spec spec = {
	.table = TABLE_requests, .columns = columns, .n_columns = ARRAY_SIZE(columns), .sort = "start_time_ns",
	.ascending = true, .newest_last = true, .noun = "requests", .keep = keep,
	.groupings = groupings, .n_groupings = ARRAY_SIZE(groupings),
};

static const struct table_spec endpoint_spec = {
	.table = TABLE_requests, .columns = endpoint_columns, .n_columns = ARRAY_SIZE(endpoint_columns),
	.sort = "duration_ns", .noun = "requests", .keep = keep,
	.groupings = groupings, .n_groupings = 1,	/* for one endpoint: by peer */
};

static bool is_on_it(struct app *a, void *state, const struct row *r)
{
	const struct row *on = app_context(a)->row;

	return on && on->table == TABLE_connections && u64_known(requests_row(r)->cookie) &&
	       requests_row(r)->cookie == connections_row(on)->cookie;
}

const struct table_spec requests_of_connection = {
	.table = TABLE_requests, .columns = connection_columns, .n_columns = ARRAY_SIZE(connection_columns),
	.sort = "duration_ns", .noun = "requests", .keep = is_on_it,
};

static void update(struct app *a, void *state)
{
	struct requests_state *st = state;

	table_use(app_table(a), endpoint(a) ? &endpoint_spec : &spec);
	heatmap_update(a, &st->map, &heat_of_http);
}

static void fini(void *state)
{
	heatmap_fini(&((struct requests_state *)state)->map);
}

/* ---- view ---- */

/* ---- the page of an endpoint: its statuses, latencies over time, and requests ---- */

/* "200 4.05k ██████▌ 409 21 ▏": a bar for each status, sharing the room left by texts. */
static void draw_statuses(struct canvas *c, struct rect r, const char *statuses)
{
	char name[COUNT_NAME_MAX], count[FORMAT_MAX], text[64];
	int x = 1, bars = r.cols - 1;
	u64 n, total = 0;

	for (const char *p = statuses; count_next(&p, name, &n); total += n)
		bars -= (int)strlen(name) + 1 + (int)strlen(format_count(count, (double)n)) + 4;
	bars = max(min(bars, r.cols / 2), 0);
	total = max(total, (u64)1);
	for (const char *p = statuses; count_next(&p, name, &n); ) {
		bool bad = *name == '5' || *name == 'n';
		int bar = (int)((u64)bars * n / total);

		snprintf(text, sizeof(text), "%s %s", name, format_count(count, (double)n));
		if (x + (int)strlen(text) + 1 + bar > r.cols)
			return;
		x += canvas_text(c, r.row, r.col + x, -1, bad ? ROLE_warn : ROLE_text, text) + 1;
		graph_bar(c, r.row, r.col + x, max(bar, 1), ROLE_dim, (double)n / (double)total,
			  max((double)bar, 1.0) / max(bars, 1));
		x += max(bar, 1) + 2;
	}
}

/* The endpoint's current or last row. */
static const struct http_row *endpoint_now(const struct app *a)
{
	const struct row *now = endpoint(a) ? snapshot_find(app_snapshot(a), &endpoint(a)->row) : NULL;

	return now ? http_row(now) : endpoint(a);
}

/* "1,204 of 4,053 only counted"; false: all were listed, or unknown. */
static bool unlisted_text(const struct http_row *e, char *buf, size_t cap)
{
	char n[FORMAT_MAX], all[FORMAT_MAX];

	if (!e || !u64_known(e->unlisted) || !e->unlisted || !u64_known(e->count))
		return false;
	snprintf(buf, cap, "%s of %s only counted", format_thousands(n, e->unlisted), format_thousands(all, e->count));
	return true;
}

/* Returns the area left for the list. */
static struct rect draw_endpoint_page(struct app *a, struct requests_state *st, struct canvas *c, struct rect body)
{
	const struct http_row *e = endpoint_now(a);
	char unlisted[80], title[120] = "requests, slowest first";
	int rows;

	if (unlisted_text(e, unlisted, sizeof(unlisted)))
		snprintf(title, sizeof(title), "requests, slowest first; %s", unlisted);

	if (http_path_unknown(e->protocol, e->method, e->path)) {
		canvas_cut(c, body.row, body.col + 1, body.cols - 1, ROLE_dim, HTTP_PATH_UNKNOWN);
		rect_top(&body, 1);
	}
	rows = min((body.rows - 2) * 3 / 5, MAP_MAX_ROWS);
	draw_statuses(c, body, e->statuses ? e->statuses : "");
	heatmap_draw_passive(a, &st->map, c, (struct rect){ body.row + 1, body.col, rows, body.cols });
	canvas_rule(c, body.row + 1 + rows, body.col, body.cols, title);
	return (struct rect){ body.row + 2 + rows, body.col, body.rows - 2 - rows, body.cols };
}

static void draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	/* also without listed requests: others' slower ones may have taken their place */
	if (endpoint(a) && body.rows >= MAP_MIN_ROWS && body.cols >= MAP_MIN_COLS)
		body = draw_endpoint_page(a, state, c, body);
	if (!app_draw_state(a, c, body, TABLE_requests))
		table_draw(a, app_table(a), c, body);
}

static bool note(struct app *a, void *state, char *buf, size_t cap)
{
	const struct snapshot *s = app_snapshot(a);
	const char *reason = s ? s->tables[TABLE_requests].reason : NULL;
	const struct http_row *e = endpoint_now(a);
	char unlisted[80];

	if (!reason || (e && !e->unlisted))	/* all its requests are listed */
		return false;
	if (unlisted_text(e, unlisted, sizeof(unlisted)))
		snprintf(buf, cap, "errors and the slowest are listed, of this endpoint %s", unlisted);
	else
		snprintf(buf, cap, "%s", reason);
	return true;
}

static bool act(struct app *a, void *state, enum action action, u32 key)
{
	const struct requests_row *r = requests_row(table_cursor(app_table(a)));

	if (action == ACTION_latency) {
		app_show(a, "latencies", -1);
		return true;
	}
	if (!r || r->row.sum || (action != ACTION_open && action != ACTION_explain))
		return false;
	if (action == ACTION_open) {
		request_open(a, r);
		return true;
	}
	app_say(a, ROLE_text, "%s %s   peer %s   thread %llu%s%s", r->method ? r->method : "?", r->path ? r->path : "?",
		r->peer ? r->peer : "?", (unsigned long long)r->tid, r->trace_id && *r->trace_id ? "   trace " : "",
		r->trace_id ? r->trace_id : "");
	return true;
}

const struct view requests_view = {
	.name = "requests", .digit = '6', .faces = "requests",
	.about = "HTTP requests that just happened",
	.needs = TABLE_BIT(TABLE_http) | TABLE_BIT(TABLE_requests) | REQUEST_STACKS, .table = &spec,
	.hints = "open back group latency explain search filter follow pause palette",
	.hints_wide = "open back view group latency explain search filter sort_prev follow tag pause step_back write palette",
	.legend = "TOTAL\tfirst byte of the request to last byte of the answer\n"
		  "1stB\tfirst byte of the request to first byte of the answer\n"
		  "STATUS\tnone: the connection ended before the answer did; ?: unknown\n"
		  "G F\tto the newest, and follow it\n",
	.state_size = sizeof(struct requests_state), .fini = fini,
	.update = update, .draw = draw, .act = act, .note = note,
};
