// SPDX-License-Identifier: GPL-2.0-or-later
/* logs.c: process events and failed connections as log records. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporter/otlp/spans.h"

/* Severity numbers of the OTLP specification. */
enum severity { INFO = 9, WARN = 13, ERROR = 17 };

static const struct kind {
	const char *kind, *event, *text;
	enum severity severity;
} kinds[] = {
	{ "exec", "ottop.process.exec", "started", INFO },
	{ "exit", "ottop.process.exit", "ended", INFO },
	{ "oom", "ottop.process.oom_kill", "was killed: out of memory", ERROR },
	{ "fail", "ottop.connection.failed", "could not connect", WARN },
};

static const char *severity_text(enum severity s)
{
	return s == INFO ? "INFO" : s == WARN ? "WARN" : "ERROR";
}

static const struct kind *kind_of(const struct events_row *r)
{
	for (u32 i = 0; r->kind && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].kind, r->kind))
			return &kinds[i];
	return NULL;
}

/* One human-readable line; its parts are attributes too. Never contains arguments. */
static char *body_text(struct scratch *a, const struct events_row *r, const struct kind *k)
{
	const char *comm = r->comm && *r->comm ? r->comm : "a process";
	char *line;

	if (r->remote && *r->remote)
		line = scratch_printf(a, "%s %s to %s: %s", comm, k->text, r->remote,
				      r->end_reason && *r->end_reason ? r->end_reason : "failed");
	else if (r->result && *r->result)
		line = scratch_printf(a, "%s %s: %s", comm, k->text, r->result);
	else
		line = scratch_printf(a, "%s %s", comm, k->text);
	return scratch_text(a, line);
}

/* ---- trace context ---- */

#define BUCKETS 4096
#define WAIT_NS (3 * NSEC_PER_SEC)
#define WAITING_MAX 256

/* A record being built: an event, and the request during which it happened. */
struct record {
	const struct events_row *r;
	const struct kind *kind;
	u64 seen_ns;		/* the tick that reported it */
	u64 request;		/* number of the request found so far; 0: none */
	bool several;
	struct otlp_span_ids ids;
};

struct otlp_logs {
	struct event_cursor cursor;
	struct record waiting[WAITING_MAX];	/* oldest first, with a reference to each row */
	u32 n;
};

/* A snapshot's served requests, by process. */
struct requests {
	const struct snapshot *s;
	u32 *next, heads[BUCKETS];	/* 1 + index; 0: end */
};

static const struct requests_row *request_at(const struct snapshot *s, u32 i)
{
	const struct table *t = &s->tables[TABLE_requests];

	return i < t->n ? requests_row(t->rows[i]) : s->more[i - t->n];
}

static struct requests *requests_of(struct scratch *a, const struct snapshot *s)
{
	u32 n = s->tables[TABLE_requests].n + s->n_more;
	struct requests *q = scratch_alloc(a, sizeof(*q));

	q->s = s;
	q->next = scratch_take(a, n * sizeof(*q->next));
	for (u32 i = 0; i < n; i++) {
		const struct requests_row *r = request_at(s, i);
		u32 *head = &q->heads[r->pid % BUCKETS];

		if (!r->side || strcmp(r->side, "server"))
			continue;
		q->next[i] = *head;
		*head = 1 + i;
	}
	return q;
}

/* The process was serving the request; unanswered ones until its end. */
static bool is_around(const struct requests_row *r, const struct events_row *e)
{
	return r->pid == e->pid && r->process_start_ns == e->start_time_ns && r->start_time_ns <= e->time_ns &&
	       (!u64_known(r->duration_ns) || e->time_ns <= r->start_time_ns + r->duration_ns);
}

/* Searches the requests of this snapshot; one request may be in several snapshots. */
static void find_request(const struct requests *q, struct record *x)
{
	for (u32 i = q->heads[x->r->pid % BUCKETS]; i && !x->several; i = q->next[i - 1]) {
		const struct requests_row *r = request_at(q->s, i - 1);

		if (!is_around(r, x->r) || r->seq == x->request)
			continue;
		x->several = x->request != 0;
		x->request = r->seq;
		otlp_ids_of(r, &x->ids);
	}
}

/* The process is still serving requests, which are reported when they end. */
static bool is_serving(const struct snapshot *s, const struct events_row *e)
{
	u32 first, end;

	snapshot_process_rows(s, TABLE_http, e->pid, e->start_time_ns, &first, &end);
	for (u32 i = first; i < end; i++) {
		const struct http_row *r = http_row(s->tables[TABLE_http].rows[i]);

		if (text_is(r->side, "server") && u64_known(r->in_flight) && r->in_flight)
			return true;
	}
	return false;
}

static void put_context(struct scratch *a, Otlp__LogRecord *to, const struct record *x, double ratio)
{
	struct otlp_span_ids *ids;

	if (!x->request || x->several)
		return;
	ids = scratch_take(a, sizeof(*ids));
	*ids = x->ids;
	to->trace_id = (ProtobufCBinaryData){ TRACE_ID_BYTES, ids->trace };
	to->span_id = (ProtobufCBinaryData){ SPAN_ID_BYTES, ids->span };
	to->flags = otlp_ids_sampled(ids, ratio);	/* W3C Trace Context: bit 0 */
}

/* ---- records ---- */

static void add_record(struct scratch *a, Otlp__ScopeLogs *to, const struct snapshot *s, const struct record *x, double ratio)
{
	const struct events_row *r = x->r;
	const struct kind *k = x->kind;
	Otlp__LogRecord *new = SCRATCH_NEW(a, Otlp__LogRecord, otlp__log_record);
	struct attributes attributes = { 0 };
	enum severity severity = k->severity;

	if (severity == INFO && u64_known(r->signal) && r->signal)
		severity = WARN;
	new->time_unix_nano = unix_ns(s, r->time_ns);
	new->observed_time_unix_nano = unix_ns(s, x->seen_ns);
	new->severity_number = severity;
	new->severity_text = (char *)severity_text(severity);
	new->event_name = (char *)k->event;
	new->body = SCRATCH_NEW(a, Otlp__AnyValue, otlp__any_value);
	new->body->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	new->body->string_value = body_text(a, r, k);
	message_add_row(a, &attributes, &r->row);
	new->attributes = attributes.attributes;
	new->n_attributes = attributes.n_attributes;
	put_context(a, new, x, ratio);
	SCRATCH_APPEND(a, to, log_records, new);
}

static Otlp__ScopeLogs *scope_begin(struct scratch *a, Otlp__LogsRequest *request,
				    const struct snapshot *s, const struct otlp_config *config)
{
	Otlp__ResourceLogs *resource = SCRATCH_NEW(a, Otlp__ResourceLogs, otlp__resource_logs);
	Otlp__ScopeLogs *scope = SCRATCH_NEW(a, Otlp__ScopeLogs, otlp__scope_logs);
	struct attributes attributes = { 0 };

	message_add_ottop(a, &attributes, s->session, config);
	resource->resource = message_resource(a, &attributes);
	scope->scope = message_scope(a);
	SCRATCH_APPEND(a, resource, scope_logs, scope);
	SCRATCH_APPEND(a, request, resource_logs, resource);
	return scope;
}

/* ---- which ones ---- */

struct logs {
	struct otlp_logs *of;
	struct scratch *scratch;
	const struct snapshot *s;
	struct requests *requests;	/* NULL: not indexed yet */
	Otlp__ScopeLogs *scope;
	double ratio;
	bool end;			/* flush: hold back nothing */
};

/* True: the record is held back. */
static bool is_to_wait(struct logs *l, struct record *x)
{
	l->requests = l->requests ?: requests_of(l->scratch, l->s);
	find_request(l->requests, x);
	return !l->end && !x->several && l->s->time_ns < x->seen_ns + WAIT_NS && is_serving(l->s, x->r);
}

static void send(struct logs *l, const struct record *x)
{
	add_record(l->scratch, l->scope, l->s, x, l->ratio);
}

/* Rows of records no longer held back, kept until their texts are encoded. */
struct gone {
	const struct events_row *rows[WAITING_MAX];
	u32 n;
};

static void take_waiting(struct logs *l, struct gone *gone)
{
	struct otlp_logs *of = l->of;
	u32 n = 0;

	for (u32 i = 0; i < of->n; i++) {
		if (is_to_wait(l, &of->waiting[i])) {
			of->waiting[n++] = of->waiting[i];
			continue;
		}
		send(l, &of->waiting[i]);
		gone->rows[gone->n++] = of->waiting[i].r;
	}
	of->n = n;
}

static void take_event(struct logs *l, const struct events_row *r, const struct kind *k)
{
	struct record x = { .r = r, .kind = k, .seen_ns = l->s->time_ns };

	if (!is_to_wait(l, &x) || l->of->n == WAITING_MAX) {
		send(l, &x);
		return;
	}
	row_get(&r->row);
	l->of->waiting[l->of->n++] = x;
}

static void take_events(struct logs *l)
{
	const struct table *t = &l->s->tables[TABLE_events];
	u64 own_pid = (u64)getpid();

	for (u32 i = 0; i < t->n; i++) {
		const struct events_row *r = events_row(t->rows[i]);
		const struct kind *k = kind_of(r);

		/* skip our own failed posts: exporting them would cause more posts */
		if (k && event_is_due(&l->of->cursor, l->s, &r->row) && r->pid != own_pid)
			take_event(l, r, k);
	}
	events_taken(&l->of->cursor, l->s, TABLE_events);
}

u8 *otlp_logs_pack(struct scratch *a, struct otlp_logs *of, const struct snapshot *s,
		   const struct otlp_config *config, bool end, size_t *ret_n, u32 *ret_items)
{
	Otlp__LogsRequest *request = SCRATCH_NEW(a, Otlp__LogsRequest, otlp__logs_request);
	struct logs l = { .of = of, .scratch = a, .s = s, .ratio = config->sample_ratio, .end = end };
	struct gone gone = { .n = 0 };
	u8 *data = NULL;

	l.scope = scope_begin(a, request, s, config);
	take_waiting(&l, &gone);
	take_events(&l);
	*ret_items = (u32)l.scope->n_log_records;
	if (*ret_items) {
		*ret_n = otlp__logs_request__get_packed_size(request);
		data = xmalloc(*ret_n);
		otlp__logs_request__pack(request, data);
	}
	while (gone.n)
		row_put(&gone.rows[--gone.n]->row);
	scratch_reset(a);
	return data;
}

struct otlp_logs *otlp_logs_new(void)
{
	struct otlp_logs *l = xcalloc(1, sizeof(*l));

	l->cursor.begun = true;	/* also what happened before */
	return l;
}

void otlp_logs_free(struct otlp_logs *l)
{
	if (!l)
		return;
	while (l->n)
		row_put(&l->waiting[--l->n].r->row);
	free(l);
}
