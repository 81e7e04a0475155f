// SPDX-License-Identifier: GPL-2.0-or-later
/* groupings.c: see groupings.h. */
#include "bpf/model/grpc_codes.h"
#include "exporter/otlp/conventions.h"
#include "exporter/otlp/groupings.h"

/* Boundaries of the semantic conventions, in seconds; http_durations counts in them. */
static const double bounds[] = {
	0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
};

/* ---- requests ---------------------------------------------------------------------------- */

static void http_attributes(struct scratch *a, struct attributes *to, const struct http_durations_row *r)
{
	u64 error_from = text_is(r->side, "client") ? 400 : 500;

	message_add_text(a, to, "http.request.method", conventions_method_known(r->method) ? r->method : "_OTHER");
	message_add_text(a, to, "url.scheme", r->tls == 1 ? "https" : "http");
	message_add_text(a, to, "network.protocol.version", text_is(r->protocol, "h2") ? "2" : "1.1");
	message_add_int(a, to, "http.response.status_code", r->status);
	if (u64_known(r->status) && r->status >= error_from)
		message_add_text(a, to, "error.type",
				 scratch_printf(a, "%llu", (unsigned long long)r->status));
}

static void grpc_attributes(struct scratch *a, struct attributes *to, const struct http_durations_row *r)
{
	message_add_text(a, to, "rpc.system.name", "grpc");
	message_add_text(a, to, "rpc.method", r->call && *r->call == '/' ? r->call + 1 : r->call);
	if (!u64_known(r->status))
		return;
	message_add_text(a, to, "rpc.response.status_code", conventions_grpc_status(a, r->status));
	if (grpc_code_failed(text_is(r->side, "client"), r->status))
		message_add_text(a, to, "error.type", conventions_grpc_status(a, r->status));
}

static void request_attributes(struct scratch *a, struct attributes *to, const struct row *row)
{
	const struct http_durations_row *r = http_durations_row(row);
	char *addr;
	u64 port;

	if (text_is(r->protocol, "grpc"))
		grpc_attributes(a, to, r);
	else
		http_attributes(a, to, r);
	if (text_is(r->side, "client") && conventions_split_peer(a, r->peer, &addr, &port)) {
		message_add_text(a, to, "server.address", addr);
		message_add_int(a, to, "server.port", port);
	}
}

/* Index of the name in the OTLP column of total_ns. */
static u32 which_name(const struct http_durations_row *r)
{
	if (!r)
		return 4;	/* the rest, without series of their own */
	return (text_is(r->protocol, "grpc") ? 2 : 0) + text_is(r->side, "client");
}

/* Exports a row of http_durations: the sum, then the bucket counts. */
static void put_requests(struct metrics *m, const struct attributes *from, u64 start_ns,
			 const struct row *row, const struct otlp_values *v)
{
	struct otlp_metric *metric = scratch_alloc(m->scratch, sizeof(*metric));
	u64 any = 0;

	for (u32 i = 0; i <= ARRAY_SIZE(bounds); i++)
		any |= v->counters[1 + i];
	if (!any)
		return;
	otlp_metric_nth(schema_field(TABLE_http_durations, "total_ns"), which_name(http_durations_row(row)), metric);
	metric->kind = OTLP_HISTOGRAM;
	metrics_bounds(m, metric, from, start_ns, v->counters + 1, bounds, ARRAY_SIZE(bounds),
		       (double)v->counters[0] * 1e-9);
}

const struct otlp_grouping otlp_groupings[] = {
	{ .table = TABLE_connections, .nth = 1, .keys = { "remote_addr", "proto", "family" } },
	{ .table = TABLE_connections, .of_process = true },
	{ .table = TABLE_syscalls, .of_process = true, .keys = { "syscall", "abi", "nr" } },
	{ .table = TABLE_http_durations, .of_program = true, .not_ours = true,
	  .keys = { "side", "protocol", "tls", "method", "call", "peer", "status" },
	  .attributes = request_attributes, .put = put_requests },
};
_Static_assert(ARRAY_SIZE(otlp_groupings) == N_GROUPINGS, "N_GROUPINGS of groupings.h is not their number");
