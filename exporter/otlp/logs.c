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

static void add_record(struct scratch *a, Otlp__ScopeLogs *to, const struct snapshot *s,
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
	u8 *data = NULL;

	for (u32 i = 0; i < t->n; i++) {
		const struct events_row *r = (const struct events_row *)t->rows[i];
		const struct kind *k = kind_of(r);

		/* not our own failures to post, which would be posted */
		if (k && event_is_due(sent, s, &r->row) && r->pid != own_pid)
			add_record(a, scope, s, r, k);
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
