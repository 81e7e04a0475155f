// SPDX-License-Identifier: GPL-2.0-or-later
/* spans.c: a span for each request, named by the semantic conventions for HTTP and RPC. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/model/grpc_codes.h"
#include "exporter/otlp/conventions.h"
#include "exporter/otlp/packed.h"
#include "exporter/otlp/spans.h"

#define SPANS_AT_ONCE 512	/* a message: 640 kB while built, less than half encoded */
#define KEPT_DUE 1024		/* capacity kept for due spans */

struct spans {
	struct scratch *scratch;
	const struct snapshot *s;
	const struct otlp_config *config;
	Otlp__TraceRequest *request;
	struct otlp_links *links;
	/* process of each resource in the request */
	struct { u64 pid, start_ns; const char *comm; } *processes;
	u32 cap, items;
};

/* ---- ids --------------------------------------------------------------------------------- */

static ProtobufCBinaryData copy_id(struct scratch *a, const u8 *id, size_t n)
{
	return (ProtobufCBinaryData){ .len = n, .data = memcpy(scratch_take(a, n), id, n) };
}

static void set_ids(struct scratch *a, Otlp__Span *span, const struct requests_row *r, const struct otlp_span_ids *own)
{
	u8 parent[SPAN_ID_BYTES];

	span->span_id = copy_id(a, own->span, SPAN_ID_BYTES);
	span->trace_id = copy_id(a, own->trace, TRACE_ID_BYTES);
	if (otlp_ids_parent(r, parent))
		span->parent_span_id = copy_id(a, parent, SPAN_ID_BYTES);
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* The address a server was contacted at is known to the client only. */
static void put_peer(struct scratch *a, struct packed *to, const struct requests_row *r)
{
	char *addr;
	u64 port;

	if (!conventions_split_peer(a, r->peer, &addr, &port))
		return;
	packed_text(a, to, "network.peer.address", addr);
	packed_int(a, to, "network.peer.port", port);
	if (text_is(r->side, "client")) {
		packed_text(a, to, "server.address", addr);
		packed_int(a, to, "server.port", port);
	} else {
		packed_text(a, to, "client.address", addr);
	}
}

static void put_error(struct scratch *a, Otlp__Span *span, struct packed *to,
		      const char *type)
{
	span->status = SCRATCH_NEW(a, Otlp__Status, otlp__status);
	span->status->code = OTLP__STATUS__CODE__ERROR;
	packed_text(a, to, "error.type", type);
}

/* The route is known only to the program, so the span's name is the method. */
static void put_http(struct scratch *a, Otlp__Span *span, struct packed *to,
		     const struct requests_row *r)
{
	bool is_client = text_is(r->side, "client"), known = conventions_method_known(r->method);
	u64 status = r->status;

	span->name = known ? (char *)r->method : "HTTP";
	packed_text(a, to, "http.request.method", known ? r->method : "_OTHER");
	if (!known)
		packed_text(a, to, "http.request.method_original", r->method);
	packed_text(a, to, "url.scheme", r->tls == 1 ? "https" : "http");
	packed_text(a, to, "url.path", r->path);
	if (is_client && r->peer && *r->peer && r->path)
		packed_text(a, to, "url.full",
			       scratch_printf(a, "%s://%s%s", r->tls == 1 ? "https" : "http",
					      r->peer, r->path));
	packed_text(a, to, "ottop.http.endpoint", r->endpoint);
	packed_text(a, to, "network.protocol.version", text_is(r->protocol, "h2") ? "2" : "1.1");
	packed_int(a, to, "http.response.status_code", status);
	if (status == U64_BLANK)
		put_error(a, span, to, "no_response");
	else if (u64_known(status) && status >= (is_client ? 400 : 500))
		put_error(a, span, to, scratch_printf(a, "%llu", (unsigned long long)status));
}

static void put_grpc(struct scratch *a, Otlp__Span *span, struct packed *to,
		     const struct requests_row *r)
{
	const char *method = r->path && *r->path == '/' ? r->path + 1 : r->path;

	span->name = method && *method ? scratch_text(a, method) : "grpc";
	packed_text(a, to, "rpc.system.name", "grpc");
	packed_text(a, to, "rpc.method", method);
	if (r->status == U64_BLANK)
		put_error(a, span, to, "no_response");
	if (!u64_known(r->status))	/* unknown status: not counted as an error */
		return;
	packed_text(a, to, "rpc.response.status_code", conventions_grpc_status(a, r->status));
	if (grpc_code_failed(text_is(r->side, "client"), r->status))
		put_error(a, span, to, conventions_grpc_status(a, r->status));
}

/* ---- spans -------------------------------------------------------------------------------------- */

static Otlp__ResourceSpans *resource_add(struct spans *x, const struct requests_row *r)
{
	struct scratch *a = x->scratch;
	Otlp__ResourceSpans *new = SCRATCH_NEW(a, Otlp__ResourceSpans, otlp__resource_spans);
	Otlp__ScopeSpans *scope = SCRATCH_NEW(a, Otlp__ScopeSpans, otlp__scope_spans);
	struct attributes attributes = { 0 };
	u32 n = (u32)x->request->n_resource_spans;
	bool known = u64_known(r->pid) && u64_known(r->process_start_ns);
	const struct processes_row *p = known ? snapshot_process(x->s, r->pid, r->process_start_ns) : NULL;

	if (p) {	/* the same attributes as its metrics, container included */
		message_add_process(a, &attributes, x->s->session, x->config, p);
	} else {
		message_add_service(a, &attributes, x->s->session, x->config, message_service_name(r->service, r->comm),
				    known ? r->pid : 0, known ? r->process_start_ns : 0);
		message_add_int(a, &attributes, "process.pid", r->pid);
		message_add_text(a, &attributes, "process.executable.name", r->comm);
	}
	new->resource = message_resource(a, &attributes);
	scope->scope = message_scope(a);
	SCRATCH_APPEND(a, new, scope_spans, scope);
	SCRATCH_APPEND(a, x->request, resource_spans, new);
	x->processes = grow(x->processes, n, &x->cap, sizeof(*x->processes));
	x->processes[n].pid = r->pid;
	x->processes[n].start_ns = r->process_start_ns;
	x->processes[n].comm = r->comm;
	return new;
}

/* The spans of the row's process. Strings are interned: equal names are equal pointers. */
static Otlp__ScopeSpans *scope_of(struct spans *x, const struct requests_row *r)
{
	for (size_t i = 0; i < x->request->n_resource_spans; i++)
		if (x->processes[i].pid == r->pid && x->processes[i].comm == r->comm &&
		    x->processes[i].start_ns == r->process_start_ns)
			return x->request->resource_spans[i]->scope_spans[0];
	return resource_add(x, r)->scope_spans[0];
}

static void put_link(struct spans *x, Otlp__Span *span, const struct requests_row *r, const struct otlp_span_ids *own)
{
	struct scratch *a = x->scratch;
	struct otlp_span_ids other;
	Otlp__Span__Link *link;

	if (!otlp_links_find(x->links, r, own, &other))
		return;
	link = SCRATCH_NEW(a, Otlp__Span__Link, otlp__span__link);
	link->trace_id = copy_id(a, other.trace, sizeof(other.trace));
	link->span_id = copy_id(a, other.span, sizeof(other.span));
	SCRATCH_APPEND(a, span, links, link);
}

static void add_span(struct spans *x, const struct requests_row *r)
{
	struct scratch *a = x->scratch;
	Otlp__Span *span = SCRATCH_NEW(a, Otlp__Span, otlp__span);
	struct packed attributes = { 0 };
	struct otlp_span_ids own;
	Otlp__ScopeSpans *scope;

	otlp_ids_of(r, &own);
	if (!otlp_ids_sampled(&own, x->config->sample_ratio))
		return;
	set_ids(a, span, r, &own);
	span->kind = text_is(r->side, "client") ? OTLP__SPAN__KIND__CLIENT : OTLP__SPAN__KIND__SERVER;
	span->start_time_unix_nano = unix_ns(x->s, r->start_time_ns);
	span->end_time_unix_nano = span->start_time_unix_nano +
				   (u64_known(r->duration_ns) ? r->duration_ns : 0);
	if (text_is(r->protocol, "grpc"))
		put_grpc(a, span, &attributes, r);
	else
		put_http(a, span, &attributes, r);
	put_peer(a, &attributes, r);
	packed_int(a, &attributes, "thread.id", r->tid);
	packed_set(a, &attributes, span);
	put_link(x, span, r, &own);
	scope = scope_of(x, r);
	SCRATCH_APPEND(a, scope, spans, span);
	x->items++;
}

/* ---- which ones ----------------------------------------------------------------------------------- */

static int compare_starts(const void *a, const void *b)
{
	const struct requests_row *x = *(const struct requests_row *const *)a, *y = *(const struct requests_row *const *)b;

	return cmp(x->start_time_ns, y->start_time_ns);
}

static void add_due(struct otlp_due *due, const struct requests_row *r, u64 own_pid)
{
	if (r->pid == own_pid)	/* skip our own posts: exporting them would cause more posts */
		return;
	due->rows = grow(due->rows, due->n, &due->cap, sizeof(*due->rows));
	due->rows[due->n++] = r;
}

void otlp_spans_due(struct otlp_due *due, struct event_cursor *sent, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_requests];
	u64 own_pid = (u64)getpid();	/* a system call */

	due->n = due->at = 0;
	for (u32 i = 0; i < t->n; i++)
		if (event_is_due(sent, s, t->rows[i]))
			add_due(due, requests_row(t->rows[i]), own_pid);
	for (u32 i = 0; i < s->n_more; i++)	/* requests in no other snapshot */
		add_due(due, s->more[i], own_pid);
	events_taken(sent, s, TABLE_requests);
	qsort(due->rows, due->n, sizeof(*due->rows), compare_starts);
}

void otlp_due_free(struct otlp_due *due)
{
	free(due->rows);
	*due = (struct otlp_due){ 0 };
}

/* Does not keep the capacity of a burst. */
static void end_due(struct otlp_due *due)
{
	if (due->cap > KEPT_DUE)
		otlp_due_free(due);
}

u8 *otlp_spans_pack(struct scratch *a, struct otlp_due *due, struct otlp_links *links,
		    const struct snapshot *s, const struct otlp_config *config, size_t *ret_n, u32 *ret_items)
{
	struct spans x = { .scratch = a, .s = s, .config = config, .links = links };
	u8 *data = NULL;

	x.request = SCRATCH_NEW(a, Otlp__TraceRequest, otlp__trace_request);
	while (due->at < due->n && x.items < SPANS_AT_ONCE)
		add_span(&x, due->rows[due->at++]);
	if (x.items) {
		*ret_n = otlp__trace_request__get_packed_size(x.request);
		data = xmalloc(*ret_n);
		otlp__trace_request__pack(x.request, data);
	} else {
		end_due(due);
	}
	*ret_items = x.items;
	free(x.processes);
	scratch_reset(a);
	return data;
}
