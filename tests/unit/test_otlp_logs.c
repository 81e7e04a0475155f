// SPDX-License-Identifier: GPL-2.0-or-later
/* Which log records have a trace context: those of a process that served one request then, and only one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/otlp/spans.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static struct session session = { .host_name = "host" };

static void add_request(struct builder *b, u64 pid, u64 start_ns, u64 duration_ns, const char *side, const char *trace)
{
	struct requests_row *r = builder_row(b, TABLE_requests);
	static u64 seq;

	r->seq = ++seq;
	r->pid = pid;
	r->process_start_ns = 7;
	r->start_time_ns = start_ns;
	r->duration_ns = duration_ns;
	r->side = str_new(side);
	r->protocol = str_new("http/1.1");
	r->trace_id = str_new(trace);
	r->span_id = str_new(*trace ? "00f067aa0ba902b7" : "");
}

static void add_event(struct builder *b, u64 pid, u64 time_ns)
{
	struct events_row *e = builder_row(b, TABLE_events);
	static u64 seq;

	e->seq = ++seq;
	e->pid = pid;
	e->start_time_ns = 7;
	e->time_ns = time_ns;
	e->kind = str_new("fail");
}

/* Processes 1 to 5; at 50 something fails in each. */
static const struct snapshot *snapshot(void)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, 1, 1000, 0, 1000);
	add_request(b, 1, 10, 80, "server", TRACE);
	add_request(b, 1, 60, 20, "server", TRACE);		/* later */
	add_request(b, 2, 10, 80, "server", TRACE);
	add_request(b, 2, 20, 80, "server", "");	/* two at once */
	add_request(b, 3, 10, 80, "client", TRACE);
	add_request(b, 4, 10, U64_UNKNOWN, "server", "");	/* never answered */
	add_request(b, 5, 10, 39, "server", TRACE);		/* over */
	add_request(b, 1 + 4096, 10, 80, "server", TRACE);	/* another of the same bit */
	for (u64 pid = 1; pid <= 5; pid++)
		add_event(b, pid, 50);
	return builder_seal(b);
}

static const Otlp__Span *span_of(const Otlp__TraceRequest *sent, const Otlp__LogRecord *record)
{
	for (size_t i = 0; i < sent->n_resource_spans; i++) {
		const Otlp__ScopeSpans *of = sent->resource_spans[i]->scope_spans[0];

		for (size_t k = 0; k < of->n_spans; k++)
			if (!memcmp(of->spans[k]->span_id.data, record->span_id.data, 8))
				return of->spans[k];
	}
	return NULL;
}

static void one_request_and_no_more(void **state)
{
	struct otlp_config config = { .sample_ratio = 1 };
	struct event_cursor spans = { .begun = true }, logs = { .begun = true };
	struct otlp_links *links = otlp_links_new();
	const struct snapshot *s = snapshot();
	struct scratch scratch = { 0 };
	struct otlp_due due = { 0 };
	Otlp__TraceRequest *traces;
	Otlp__LogsRequest *sent;
	u32 items;
	size_t n;
	u8 *data;

	(void)state;
	otlp_spans_due(&due, &spans, s);
	data = otlp_spans_pack(&scratch, &due, links, s, &config, &n, &items);
	traces = otlp__trace_request__unpack(NULL, n, data);
	free(data);
	data = otlp_logs_pack(&scratch, &logs, s, &config, &n, &items);
	sent = otlp__logs_request__unpack(NULL, n, data);
	assert_int_equal(items, 5);
	for (u32 i = 0; i < 5; i++) {
		static const bool expected[] = { true, false, false, true, false };
		const Otlp__LogRecord *record = sent->resource_logs[0]->scope_logs[0]->log_records[i];
		const Otlp__Span *span;

		assert_int_equal(record->span_id.len, expected[i] ? 8 : 0);
		assert_int_equal(record->trace_id.len, expected[i] ? 16 : 0);
		assert_int_equal(record->flags, expected[i]);
		if (!expected[i])
			continue;
		span = span_of(traces, record);
		assert_non_null(span);
		assert_memory_equal(span->trace_id.data, record->trace_id.data, 16);
		assert_int_equal(span->start_time_unix_nano, 10);
	}
	otlp__logs_request__free_unpacked(sent, NULL);
	otlp__trace_request__free_unpacked(traces, NULL);
	free(data);
	otlp_links_free(links);
	otlp_due_free(&due);
	scratch_free(&scratch);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_request_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
