// SPDX-License-Identifier: GPL-2.0-or-later
/* otlp.c: state of --otlp by signal, with details of the selected one, at the shown tick. */
#include <stdio.h>
#include <string.h>

#include "tui/app/app.h"

#define LONG_NS NSEC_PER_SEC	/* a pending answer is mentioned after this time */
#define DETAIL_COL 10

static bool is_bad(const struct exports_row *r)
{
	return text_is(r->state, "retry") || text_is(r->state, "refused");
}

/* ---- the column LAST ------------------------------------------------------------------ */

/* Time from one to another; 0 if negative, or after the tick. */
static char *span(char *buf, u64 from_ns, u64 to_ns)
{
	return format_ns(buf, to_ns > from_ns ? (double)(to_ns - from_ns) : 0);
}

/* ", again in 4.2s": the next attempt after a failure. */
static void next_text(const struct exports_row *r, u64 now_ns, char *buf, size_t cap)
{
	const char *comma = r->error && !strncmp(r->error, "HTTP ", 5) ? "" : ",";
	char n[FORMAT_MAX], times[32] = "";

	if (u64_known(r->failed) && r->failed == 2)
		snprintf(times, sizeof(times), "%s twice", comma);
	else if (u64_known(r->failed) && r->failed > 2)
		snprintf(times, sizeof(times), "%s %llu times", comma, (unsigned long long)r->failed);
	if (u64_known(r->next_ns) && r->next_ns > now_ns)
		snprintf(buf, cap, "%s, again in %s", times, span(n, now_ns, r->next_ns));
	else
		snprintf(buf, cap, "%s, trying again", times);
}

static void ok_text(const struct exports_row *r, u64 now_ns, char *buf, size_t cap)
{
	char ago[FORMAT_MAX], took[FORMAT_MAX];

	if (text_is(r->state, "sending") && u64_known(r->begun_ns) && now_ns > r->begun_ns + LONG_NS)
		snprintf(buf, cap, "no answer for %s", span(ago, r->begun_ns, now_ns));
	else if (u64_known(r->last_ns))
		snprintf(buf, cap, "%s ago, %s", span(ago, r->last_ns, now_ns),
			 format_ns(took, (double)r->took_ns));
	else
		*buf = '\0';
}

/* Whether the last attempt ended with an error text. */
static bool ended_with_words(const struct exports_row *r)
{
	return r->error && *r->error && u64_known(r->error_ns) && r->error_ns == r->last_ns;
}

/* "HTTP 503" of "HTTP 503: upstream connect error", which is shown below. */
static void short_error(const struct exports_row *r, char *buf, size_t cap)
{
	const char *error = r->error ? r->error : "?";

	if (!strncmp(error, "HTTP ", 5))
		snprintf(buf, cap, "%.3s", error + 5);
	else
		snprintf(buf, cap, "%s", error);
}

/* The end of the text, which has the time, is not truncated. */
static void draw_last(struct app *a, struct canvas *c, int row, int col, int width,
		      const struct table_row *tr)
{
	const struct exports_row *r = exports_row(tr->row);
	u64 now_ns = app_snapshot(a)->time_ns;
	char error[200], end[96] = "";
	int words;

	if (text_is(r->state, "off")) {
		canvas_cut(c, row, col, width, ROLE_dim, r->error ? r->error : "?");
		return;
	}
	snprintf(error, sizeof(error), "%s", r->error ? r->error : "?");
	if (text_is(r->state, "retry")) {
		short_error(r, error, sizeof(error));
		next_text(r, now_ns, end, sizeof(end));
	} else if (!ended_with_words(r)) {
		ok_text(r, now_ns, end, sizeof(end));
		canvas_cut(c, row, col, width, ROLE_text, end);
		return;
	}
	words = canvas_cut(c, row, col, min(max(width - canvas_width(c, end), 8), width), ROLE_text,
			   error);
	canvas_cut(c, row, col + words, width - words, ROLE_text, end);
}

static void draw_state(struct app *a, struct canvas *c, int row, int col, int width,
		       const struct table_row *tr)
{
	const struct exports_row *r = exports_row(tr->row);
	char text[16];

	snprintf(text, sizeof(text), "%s%s", is_bad(r) ? "!" : "", r->state ? r->state : "?");
	canvas_right(c, row, col, width, is_bad(r) ? ROLE_bad : text_is(r->state, "off") ? ROLE_dim : ROLE_text,
		     text);
}

static bool is_lost(const struct row *r)
{
	return u64_known(exports_row(r)->dropped) && exports_row(r)->dropped;
}

static bool is_refused(const struct row *r)
{
	return u64_known(exports_row(r)->refused) && exports_row(r)->refused;
}

static const struct column columns[] = {
	{ "signal", .priority = 1 },
	{ "state", .priority = 1, .draw = draw_state },
	{ "sent_minute", .priority = 2 },
	{ "sent", .priority = 6, .min_width = 120 },
	{ "sent_bytes", .priority = 6, .min_width = 120 },
	{ "queued_bytes", .priority = 2, .min_width = 100 },	/* shown below as well */
	{ "dropped", .priority = 2, .alert = is_lost },
	{ "refused", .priority = 3, .alert = is_refused },
	{ "retried", .priority = 6, .min_width = 120 },
	{ "encode_pct", .priority = 7, .min_width = 120 },
	{ "send_pct", .priority = 7, .min_width = 120 },
	{ "error", .title = "LAST", .width = 0, .priority = 1, .draw = draw_last },
};

static const struct table_spec spec = {
	.table = TABLE_exports, .columns = columns, .n_columns = ARRAY_SIZE(columns),
	.sort = "signal", .ascending = true, .lasting = true, .noun = "signals",
};

/* ---- the selected signal -------------------------------------------------------------- */

/* A line "name  text", wrapped; returns the number of lines. */
static int detail(struct canvas *c, struct rect r, u32 style, const char *name, const char *text)
{
	canvas_text(c, r.row, r.col + 1, -1, ROLE_dim, name);
	return canvas_wrap(c, r.row, r.col + DETAIL_COL, r.cols - DETAIL_COL, style, text);
}

/* "2.1M of 8M: at this rate full in 9m40s, then the oldest go first" */
static void queue_text(const struct exports_row *r, char *buf, size_t cap)
{
	char items[FORMAT_MAX], bytes[FORMAT_MAX], of[FORMAT_MAX], when[FORMAT_MAX];
	double room = (double)r->queue_cap_bytes - (double)r->queued_bytes;

	snprintf(buf, cap, "%s in %s of %s", format_thousands(items, r->queued),
		 format_bytes(bytes, (double)r->queued_bytes), format_bytes(of, (double)r->queue_cap_bytes));
	if (text_is(r->state, "retry") && f32_known(r->queue_rate) && r->queue_rate > 0)
		text_add(buf, cap, ": ", "full in %s at this rate, then the oldest go",
			 format_ns(when, room / (double)r->queue_rate * NSEC_PER_SEC));
	else
		text_add(buf, cap, "; ", "when it is full the oldest go first");
}

static void sent_text(const struct exports_row *r, char *buf, size_t cap)
{
	char sent[FORMAT_MAX], bytes[FORMAT_MAX], posts[FORMAT_MAX], retried[FORMAT_MAX];
	char refused[FORMAT_MAX], dropped[FORMAT_MAX];

	snprintf(buf, cap, "%s in %s, %s attempts (%s made again), %s refused, %s dropped",
		 format_thousands(sent, r->sent), format_bytes(bytes, (double)r->sent_bytes),
		 format_thousands(posts, r->posts), format_thousands(retried, r->retried),
		 format_thousands(refused, r->refused), format_thousands(dropped, r->dropped));
}

static int draw_error(struct app *a, struct canvas *c, struct rect r, const struct exports_row *e)
{
	char when[FORMAT_MAX], ago[FORMAT_MAX], text[320];
	const struct snapshot *s = app_snapshot(a);

	if (!e->error || !*e->error || !u64_known(e->error_ns))
		return detail(c, r, ROLE_dim, "error", "none since ottop started");
	snprintf(text, sizeof(text), "%s, %s ago: %s",
		 format_clock(when, e->error_ns, s->unix_offset_ns, false),
		 span(ago, e->error_ns, s->time_ns), e->error);
	return detail(c, r, is_bad(e) ? ROLE_bad : ROLE_text, "error", text);
}

static void draw_details(struct app *a, struct canvas *c, struct rect r, const struct exports_row *e)
{
	char text[400], m[FORMAT_MAX], n[FORMAT_MAX];
	const struct snapshot *s = app_snapshot(a);

	canvas_rule(c, r.row++, r.col, r.cols, e->signal ? e->signal : "?");
	if (text_is(e->state, "off")) {
		detail(c, r, ROLE_text, "off", e->error ? e->error : "?");
		return;
	}
	snprintf(text, sizeof(text), "%s  %s  %s", e->endpoint ? e->endpoint : "?",
		 e->protocol ? e->protocol : "?",
		 text_is(e->compression, "none") ? "not compressed" : e->compression ? e->compression : "?");
	r.row += detail(c, r, ROLE_text, "to", text);
	sent_text(e, text, sizeof(text));
	r.row += detail(c, r, ROLE_text, "sent", text);
	queue_text(e, text, sizeof(text));
	r.row += detail(c, r, ROLE_text, "queue", text);
	snprintf(text, sizeof(text), "encoding %s  sending %s  %% of one CPU",
		 format_member(m, &e->row, "encode_pct", s), format_member(n, &e->row, "send_pct", s));
	r.row += detail(c, r, ROLE_text, "cost", text);
	draw_error(a, c, r, e);
}

/* ---- all ---------------------------------------------------------------------------------- */

static void draw_nothing(struct app *a, struct canvas *c, struct rect body)
{
	body.row++;
	body.row += app_draw_words(c, body, ROLE_text, app_replaying(a) ?
				   "Nothing was sent when this was recorded." : "Nothing is sent.");
	if (!app_replaying(a))
		app_draw_words(c, body, ROLE_dim, "ottop --otlp http://COLLECTOR:4318 sends metrics, spans of requests and logs");
}

static void otlp_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct tableview *t = app_table(a);
	const struct row *r;

	if (!table_len_unfiltered(t)) {
		draw_nothing(a, c, body);
		return;
	}
	table_draw(a, t, c, rect_top(&body, min((int)table_len(t) + 1, body.rows)));
	r = table_cursor(t);
	rect_top(&body, 1);
	if (r && body.rows > 1)
		draw_details(a, c, body, exports_row(r));
}

static void otlp_status(struct app *a, void *state, char *buf, size_t cap)
{
	const struct tableview *t = app_table(a);
	const struct row *r = table_cursor(t);
	const struct exports_row *e = r ? exports_row(r) : NULL;

	*buf = '\0';
	if (e && e->endpoint && *e->endpoint)
		snprintf(buf, cap, "%s %s %s", e->endpoint, e->protocol ? e->protocol : "",
			 text_is(e->compression, "gzip") ? "gzip" : "");
}

static void copy_error(struct app *a, const struct exports_row *e)
{
	const char *signal = e->signal ? e->signal : "?";
	char text[400];

	if (text_is(e->state, "off") || !e->error || !*e->error) {
		app_say(a, ROLE_text, "%s: no error so far", signal);
		return;
	}
	snprintf(text, sizeof(text), "%s to %s: %s", signal, e->endpoint ? e->endpoint : "?", e->error);
	app_copy(a, "the last error", text);
}

static bool otlp_act(struct app *a, void *state, enum action action, u32 key)
{
	const struct row *r = table_cursor(app_table(a));

	if (action == ACTION_send_now) {
		app_send_now(a);
		return true;
	}
	if (action == ACTION_copy_error && r) {
		copy_error(a, exports_row(r));
		return true;
	}
	if (action == ACTION_explain && r) {
		const struct exports_row *e = exports_row(r);

		app_say(a, ROLE_text, "%s: %s", e->signal ? e->signal : "?",
			e->error && *e->error ? e->error : "no error so far");
		return true;
	}
	return false;
}

const struct view otlp_view = {
	.name = "otlp",
	.about = "what leaves over --otlp, and what becomes of it",
	.flags = VIEW_OVERLAY,
	.needs = TABLE_BIT(TABLE_exports), .table = &spec,
	.hints = "send_now copy_error explain sort_prev cancel",
	.legend = "!retry\tthe last attempt failed and is made again; LAST says when\n"
		  "!refused\tthe collector will never take the last one: it is not sent again\n"
		  "off\tOTEL_METRICS_EXPORTER and its like say none\n"
		  "SENT\tdata points, spans, log records\n"
		  "QUEUED\tbytes that wait; when there is no room the oldest go, and are counted\n",
	.draw = otlp_draw, .act = otlp_act, .status = otlp_status,
};
