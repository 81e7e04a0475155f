// SPDX-License-Identifier: GPL-2.0-or-later
/* logs.c: what happens to processes, and connections that fail, as log records. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporter/otlp/spans.h"

/* The severity numbers of the specification. */
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

/* One line for people; what it is made of is in the attributes too. Never the arguments. */
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

/* Which processes have requests in a snapshot: nearly all events are of others. */
#define PIDS_BITS 4096
struct requests {
	const struct table *t;
	u64 pids[PIDS_BITS / 64];
};

static void requests_of(struct requests *q, const struct snapshot *s)
{
	*q = (struct requests){ .t = &s->tables[TABLE_requests] };
	for (u32 i = 0; i < q->t->n; i++) {
		u64 bit = ((const struct requests_row *)q->t->rows[i])->pid % PIDS_BITS;

		q->pids[bit / 64] |= 1ull << bit % 64;
	}
}

/* It was served by that process at that time; one that was never answered was served until its process ended. */
static bool is_around(const struct requests_row *r, const struct events_row *e)
{
	return r->pid == e->pid && r->process_start_ns == e->start_time_ns && r->side && !strcmp(r->side, "server") &&
	       r->start_time_ns <= e->time_ns &&
	       (!u64_known(r->duration_ns) || e->time_ns <= r->start_time_ns + r->duration_ns);
}

/* The only request that was being served when it happened; NULL: none, or more than one. */
static const struct requests_row *request_of(const struct requests *q, const struct events_row *e)
{
	const struct requests_row *found = NULL;
	u64 bit = e->pid % PIDS_BITS;

	if (!(q->pids[bit / 64] & 1ull << bit % 64))
		return NULL;
	for (u32 i = 0; i < q->t->n; i++) {
		const struct requests_row *r = (const struct requests_row *)q->t->rows[i];

		if (!is_around(r, e))
			continue;
		if (found)
			return NULL;
		found = r;
	}
	return found;
}

static void put_context(struct scratch *a, Otlp__LogRecord *to, const struct requests_row *r, double ratio)
{
	struct otlp_span_ids *ids;

	if (!r)
		return;
	ids = scratch_take(a, sizeof(*ids));
	otlp_ids_of(r, ids);
	to->trace_id = (ProtobufCBinaryData){ TRACE_ID_BYTES, ids->trace };
	to->span_id = (ProtobufCBinaryData){ SPAN_ID_BYTES, ids->span };
	to->flags = otlp_ids_sampled(ids, ratio);	/* W3C Trace Context: bit 0 */
}

/* ---- records ---- */

static Otlp__LogRecord *add_record(struct scratch *a, Otlp__ScopeLogs *to, const struct snapshot *s,
				   const struct events_row *r, const struct kind *k)
{
	Otlp__LogRecord *new = SCRATCH_NEW(a, Otlp__LogRecord, otlp__log_record);
	struct attributes attributes = { 0 };
	enum severity severity = k->severity;

	if (severity == INFO && u64_known(r->signal) && r->signal)
		severity = WARN;
	new->time_unix_nano = unix_ns(s, r->time_ns);
	new->observed_time_unix_nano = unix_ns(s, s->time_ns);
	new->severity_number = severity;
	new->severity_text = (char *)severity_text(severity);
	new->event_name = (char *)k->event;
	new->body = SCRATCH_NEW(a, Otlp__AnyValue, otlp__any_value);
	new->body->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	new->body->string_value = body_text(a, r, k);
	attributes_of_row(a, &attributes, &r->row);
	new->attributes = attributes.attributes;
	new->n_attributes = attributes.n_attributes;
	SCRATCH_APPEND(a, to, log_records, new);
	return new;
}

static Otlp__ScopeLogs *scope_begin(struct scratch *a, Otlp__LogsRequest *request,
				    const struct snapshot *s, const struct otlp_config *config)
{
	Otlp__ResourceLogs *resource = SCRATCH_NEW(a, Otlp__ResourceLogs, otlp__resource_logs);
	Otlp__ScopeLogs *scope = SCRATCH_NEW(a, Otlp__ScopeLogs, otlp__scope_logs);
	struct attributes attributes = { 0 };

	attributes_of_ottop(a, &attributes, s->session, config);
	resource->resource = resource_new(a, &attributes);
	scope->scope = scope_new(a);
	SCRATCH_APPEND(a, resource, scope_logs, scope);
	SCRATCH_APPEND(a, request, resource_logs, resource);
	return scope;
}

u8 *otlp_logs_pack(struct scratch *a, struct event_cursor *sent, const struct snapshot *s,
		   const struct otlp_config *config, size_t *ret_n, u32 *ret_items)
{
	const struct table *t = &s->tables[TABLE_events];
	Otlp__LogsRequest *request = SCRATCH_NEW(a, Otlp__LogsRequest, otlp__logs_request);
	Otlp__ScopeLogs *scope = scope_begin(a, request, s, config);
	u64 own_pid = (u64)getpid();
	struct requests requests;
	u8 *data = NULL;

	requests_of(&requests, s);
	for (u32 i = 0; i < t->n; i++) {
		const struct events_row *r = (const struct events_row *)t->rows[i];
		const struct kind *k = kind_of(r);

		/* not our own failures to post, which would be posted */
		if (k && event_is_due(sent, s, &r->row) && r->pid != own_pid)
			put_context(a, add_record(a, scope, s, r, k), request_of(&requests, r), config->sample_ratio);
	}
	events_taken(sent, s, TABLE_events);
	*ret_items = (u32)scope->n_log_records;
	if (*ret_items) {
		*ret_n = otlp__logs_request__get_packed_size(request);
		data = xmalloc(*ret_n);
		otlp__logs_request__pack(request, data);
	}
	scratch_reset(a);
	return data;
}
