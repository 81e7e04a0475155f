// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * request.c: a page for one request: where its time went. Thread times are of the thread during the
 * request's span: other requests that it served meanwhile are included, nothing is divided among
 * them.
 */
#include <stdio.h>
#include <string.h>

#include "tui/term/graph.h"
#include "tui/views/http.h"
#include "tui/views/net.h"

#define LABEL_COLS 24
#define TIME_COLS 9
#define BAR_MAX 100

static const struct requests_row *row_of(const struct app *a)
{
	const struct row *r = app_context(a)->row;

	return r && r->table == TABLE_requests && !r->sum ? requests_row(r) : NULL;
}

void request_open(struct app *a, const struct requests_row *r)
{
	char label[160], took[FORMAT_MAX] = "not answered";
	const struct row *above = app_context(a)->row;

	if (u64_known(r->duration_ns))
		format_ns(took, (double)r->duration_ns);
	if (above && above->table == TABLE_http)	/* the breadcrumb names the endpoint */
		snprintf(label, sizeof(label), "%s", took);
	else if (above && above->table == TABLE_connections)	/* the breadcrumb names the peer */
		snprintf(label, sizeof(label), "%s%s%.60s %s", r->method ?: "", r->method && *r->method ? " " : "",
			 r->path ?: "?", took);
	else
		snprintf(label, sizeof(label), "%s %llu › %s%s%.60s %s", r->comm ? r->comm : "?",
			 (unsigned long long)r->pid, r->method ? r->method : "", r->method && *r->method ? " " : "",
			 r->path ? r->path : "?", took);
	app_enter(a, "request", r->pid, u64_known(r->process_start_ns) ? r->process_start_ns : 0, &r->row, label);
}

/* ---- the process ---- */

/* Once its process was seen to be a Go program it stays one, whatever a later tick has stacks of. */
struct request_state {
	u64 pid, start_ns;
	bool is_go;
};

static void request_update(struct app *a, void *state)
{
	struct request_state *st = state;
	const struct requests_row *q = row_of(a);

	if (!q)
		return;
	if (st->pid != q->pid || st->start_ns != q->process_start_ns)
		*st = (struct request_state){ .pid = q->pid, .start_ns = q->process_start_ns };
	st->is_go = st->is_go || request_is_go(a, q);
}

/* ---- parts ---- */

static const char *time_text(char buf[FORMAT_MAX], u64 ns)
{
	return u64_known(ns) ? format_ns(buf, (double)ns) : "?";
}

/* A bar for the part from from_ns to from_ns + ns of all_ns. */
static void draw_part(struct canvas *c, struct rect *r, const char *name, u64 from_ns, u64 ns, u64 all_ns, u32 style)
{
	int width = min(r->cols - LABEL_COLS - TIME_COLS - 2, BAR_MAX), at;
	char text[FORMAT_MAX];

	if (r->rows < 1)
		return;
	canvas_cut(c, r->row, r->col + 1, LABEL_COLS - 1, ROLE_text, name);
	if (u64_known(ns) && ns && all_ns && width > 0) {
		at = (int)((double)width * (double)min(from_ns, all_ns) / (double)all_ns);
		at = min(at, width - 1);
		graph_bar(c, r->row, r->col + LABEL_COLS + at, width - at, style, (double)ns,
			  (double)all_ns * (width - at) / width);
	}
	canvas_right(c, r->row, r->col + r->cols - TIME_COLS, TIME_COLS - 1, u64_known(ns) ? ROLE_text : ROLE_dim,
		     time_text(text, ns));
	rect_top(r, 1);
}

static void draw_thread(struct canvas *c, struct rect *r, const struct requests_row *q, u64 from_ns)
{
	u64 cpu = q->cpu_ns, runq = q->runq_ns, all = q->duration_ns;

	draw_part(c, r, "on CPU", from_ns, cpu, all, ROLE_accent);
	draw_part(c, r, "waiting for a CPU", from_ns + (u64_known(cpu) ? cpu : 0), runq, all, ROLE_warn);
	draw_part(c, r, "blocked", from_ns + (u64_known(cpu) && u64_known(runq) ? cpu + runq : 0), q->blocked_ns, all,
		  ROLE_dim);
}

static bool is_client(const struct requests_row *q)
{
	return text_is(q->side, "client");
}

static void draw_parts(struct canvas *c, struct rect *r, const struct requests_row *q)
{
	bool client = is_client(q), split = u64_known(q->cpu_ns);
	u64 wrote = client && u64_known(q->write_ns) ? q->write_ns : 0;

	if (!client)
		draw_part(c, r, "unread in the socket", 0, q->unread_ns, 0, ROLE_text);
	else
		draw_part(c, r, "writing the request", 0, q->write_ns, q->duration_ns, ROLE_text);
	draw_thread(c, r, q, split ? wrote : 0);
	if (client)
		draw_part(c, r, "answer unread in socket", 0, q->unread_ns, 0, ROLE_text);
	else
		draw_part(c, r, "writing the answer", u64_known(q->first_byte_ns) ? q->first_byte_ns : 0,
			  q->write_ns, q->duration_ns, ROLE_text);
}

/* ---- texts ---- */

/* Number of other listed requests that the same thread was handling in the span. */
static u32 n_others(const struct app *a, const struct requests_row *q)
{
	const struct snapshot *s = app_snapshot(a);
	u64 end_ns = q->start_time_ns + (u64_known(q->duration_ns) ? q->duration_ns : 0);
	u32 n = 0;

	for (u32 i = 0; s && i < s->tables[TABLE_requests].n; i++) {
		const struct requests_row *o = requests_row(s->tables[TABLE_requests].rows[i]);

		n += o->seq != q->seq && o->pid == q->pid && o->tid == q->tid && o->side && q->side &&
		     !strcmp(o->side, q->side) && u64_known(o->duration_ns) && o->start_time_ns < end_ns &&
		     o->start_time_ns + o->duration_ns > q->start_time_ns;
	}
	return n;
}

/* The thread measured, or why its time is unknown. */
static void thread_text(const struct app *a, const struct requests_row *q, bool is_go, char *buf, size_t cap)
{
	unsigned long long tid = q->tid, end = q->end_tid;
	u32 n = n_others(a, q);

	if (!u64_known(q->duration_ns)) {
		snprintf(buf, cap, "it was not answered: what thread %llu did for it is not known", tid);
	} else if (u64_known(q->end_tid) && q->end_tid != q->tid) {
		snprintf(buf, cap, "thread %llu %s, thread %llu %s: %s", tid, is_client(q) ? "asked" : "took it",
			 end, is_client(q) ? "read the answer" : "answered",
			 is_go ? "goroutines change threads" : "not divided");
	} else if (!u64_known(q->cpu_ns)) {
		snprintf(buf, cap, "thread %llu: not measured", tid);
	} else if (is_go && n) {
		snprintf(buf, cap, "thread %llu, for %u more request%s too; goroutines change threads", tid, n, text_plural(n, "s"));
	} else if (is_go) {
		snprintf(buf, cap, "thread %llu in that span, partly for this: goroutines change threads", tid);
	} else {
		snprintf(buf, cap, "thread %llu in that span", tid);
		if (n)
			text_add(buf, cap, ", ", "with %u more request%s of its own", n, text_plural(n, "s"));
	}
}

static void draw_facts(struct canvas *c, struct rect *r, const struct requests_row *q)
{
	char rx[FORMAT_MAX], tx[FORMAT_MAX], status[REQUEST_STATUS_MAX], text[400];

	snprintf(text, sizeof(text), "%s%s   %s   status %s   %s in, %s out   peer %s", q->protocol ? q->protocol : "?",
		 q->tls == 1 ? " in TLS" : "", q->side ? q->side : "?", request_status(q, status), net_value(rx, &q->row, "rx_bytes"),
		 net_value(tx, &q->row, "tx_bytes"), q->peer ? q->peer : "?");
	canvas_cut(c, r->row, r->col + 1, r->cols - 1, ROLE_text, text);
	rect_top(r, 1);
	if (http_path_unknown(q->protocol, q->method, q->path) && r->rows > 0) {
		canvas_cut(c, r->row, r->col + 1, r->cols - 1, ROLE_dim, HTTP_PATH_UNKNOWN);
		rect_top(r, 1);
	}
	if (q->trace_id && *q->trace_id && r->rows > 0) {
		canvas_printf(c, r->row, r->col + 1, r->cols - 1, ROLE_dim, "trace %s   span of the caller %s", q->trace_id,
			      q->span_id && *q->span_id ? q->span_id : "?");
		rect_top(r, 1);
	}
}

static void draw_scale(struct canvas *c, struct rect *r, const struct requests_row *q)
{
	int width = min(r->cols - LABEL_COLS - TIME_COLS - 2, BAR_MAX);
	char text[FORMAT_MAX];
	const char *whole;

	if (r->rows < 1)
		return;
	whole = time_text(text, q->duration_ns);
	if (width > (int)strlen(whole) + 1)
		canvas_text(c, r->row, r->col + LABEL_COLS, -1, ROLE_dim, "0");
	canvas_right(c, r->row, r->col + LABEL_COLS + max(width - FORMAT_MAX, 1), min(width, FORMAT_MAX), ROLE_dim, whole);
	rect_top(r, 1);
}

static void request_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	const struct requests_row *q = row_of(a);
	char thread[160];

	if (!q) {
		canvas_text(c, body.row + 1, body.col + 3, -1, ROLE_dim, "no request here");
		return;
	}
	draw_facts(c, &body, q);
	if (body.rows < 2)
		return;
	thread_text(a, q, ((struct request_state *)state)->is_go, thread, sizeof(thread));
	canvas_rule(c, rect_top(&body, 1).row, body.col, body.cols, thread);
	draw_scale(c, &body, q);
	draw_parts(c, &body, q);
	request_draw_blocked(a, c, body, q);
}

/* ---- links ---- */

static const struct connections_row *connection_of(const struct app *a, const struct requests_row *q)
{
	const struct snapshot *s = app_snapshot(a);

	for (u32 i = 0; s && u64_known(q->cookie) && i < s->tables[TABLE_connections].n; i++) {
		const struct row *r = s->tables[TABLE_connections].rows[i];

		if (connections_row(r)->cookie == q->cookie)
			return connections_row(r);
	}
	return NULL;
}

static void go_to_connection(struct app *a, const struct requests_row *q)
{
	const struct connections_row *r = connection_of(a, q);

	if (r)
		connection_open(a, r);
	else if (!u64_known(q->cookie))
		app_say(a, ROLE_text, "on which connection it was is not known");
	else
		app_say(a, ROLE_text, "its connection is not in the table: it has ended, or was not listed yet");
}

static void go_to_waits(struct app *a, const struct requests_row *q)
{
	char label[64];

	snprintf(label, sizeof(label), "thread %llu in that span", (unsigned long long)q->tid);
	app_enter(a, "offcpu", q->pid, app_context(a)->start_time_ns, &q->row, label);
}

static const struct processes_row *waker_of(const struct app *a, const struct requests_row *q)
{
	const struct snapshot *s = app_snapshot(a);

	for (u32 i = 0; s && u64_known(q->waker_pid) && q->waker_pid != q->pid && i < s->tables[TABLE_processes].n; i++) {
		const struct processes_row *p = processes_row(s->tables[TABLE_processes].rows[i]);

		if (p->pid == q->waker_pid && p->start_time_ns < q->start_time_ns + q->duration_ns)
			return p;
	}
	return NULL;
}

/* Opens the process it waited for; its own process if that is unknown or itself. */
static void go_to_process(struct app *a, const struct requests_row *q)
{
	const struct processes_row *p = waker_of(a, q);

	if (p)
		app_enter_row(a, p, NULL);
	else
		app_show(a, "card", -1);
}

static bool request_act(struct app *a, void *state, enum action action, u32 key)
{
	const struct requests_row *q = row_of(a);

	if (!q)
		return false;
	if (action == ACTION_view && key == '5')
		go_to_connection(a, q);
	else if (action == ACTION_view && key == '3')
		go_to_waits(a, q);
	else if (action == ACTION_open)
		go_to_process(a, q);
	else if (action == ACTION_explain && q->trace_id && *q->trace_id)
		app_say(a, ROLE_text, "trace %s span %s", q->trace_id, q->span_id ? q->span_id : "?");
	else
		return false;
	return true;
}

/* That other requests are not listed is irrelevant here. */
static bool request_note(struct app *a, void *state, char *buf, size_t cap)
{
	const struct requests_row *q = row_of(a);
	const struct processes_row *p = q ? waker_of(a, q) : NULL;

	if (!q)
		return false;
	snprintf(buf, cap, "5: its connection · 3: where its thread waited · Enter");
	if (p)
		text_add(buf, cap, ": ", "%s %llu, who woke it", p->comm ?: "process", (unsigned long long)p->pid);
	else
		text_add(buf, cap, ": ", "its process");
	return true;
}

const struct view request_view = {
	.name = "request", .digit = '6', .flags = VIEW_PAGE,
	.about = "one request: where its time went",
	.needs = TABLE_BIT(TABLE_http) | TABLE_BIT(TABLE_requests) | TABLE_BIT(TABLE_connections) | REQUEST_STACKS,
	.hints = "open back view explain pause step_back write",
	.legend = "5 3\tits connection; the off-CPU stacks of its thread in that span\n"
		  "stacks\tof waits, each with the wait for a CPU at its end\n"
		  "→\twhat was waited for: a descriptor's other end, who held a lock, time\n"
		  "waker\tof the longest wait, and by what it was blocked itself meanwhile\n"
		  "on CPU\tof the thread between first and last byte, for whatever request\n"
		  "unread\tbefore that, at least: since the last packet, or last data, came\n"
		  "Go\ta goroutine goes from thread to thread: what one did is only partly its request's\n"
		  "?\tnot known: another thread answered, or it was not answered\n",
	.state_size = sizeof(struct request_state),
	.update = request_update, .draw = request_draw, .act = request_act, .note = request_note,
};
