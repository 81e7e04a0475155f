// SPDX-License-Identifier: GPL-2.0-or-later
/* Which log records have a trace context: those of a process serving exactly one request. */
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
	struct event_cursor spans = { .begun = true };
	struct otlp_logs *logs = otlp_logs_new();
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
	data = otlp_logs_pack(&scratch, logs, s, &config, false, &n, &items);
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
	otlp_logs_free(logs);
	otlp_due_free(&due);
	scratch_free(&scratch);
	snapshot_put(s);
}

static void add_serving(struct builder *b, u64 pid, u64 in_flight)
{
	struct http_row *r = builder_row(b, TABLE_http);

	r->pid = pid;
	r->start_time_ns = 7;
	r->side = str_new("server");
	r->in_flight = in_flight;
}

/* A tick; with an event of that process where it has a pid. */
static struct builder *tick(u64 time_ns, u64 pid)
{
	struct builder *b = builder_new(NULL, &session);

	builder_time(b, time_ns, time_ns, 0, NSEC_PER_SEC);
	if (pid)
		add_event(b, pid, time_ns - 50);
	return b;
}

/* How many records leave with this tick, and how many of them are a part of a request. */
static void sent_of(struct otlp_logs *logs, struct builder *b, bool end, u32 want, u32 want_with)
{
	struct otlp_config config = { .sample_ratio = 1 };
	const struct snapshot *s = builder_seal(b);
	struct scratch scratch = { 0 };
	Otlp__LogsRequest *sent;
	u32 items, with = 0;
	size_t n;
	u8 *data = otlp_logs_pack(&scratch, logs, s, &config, end, &n, &items);

	assert_int_equal(items, want);
	if (want) {
		sent = otlp__logs_request__unpack(NULL, n, data);
		for (u32 i = 0; i < items; i++) {
			const Otlp__LogRecord *r = sent->resource_logs[0]->scope_logs[0]->log_records[i];

			with += r->span_id.len == 8;
			assert_true(r->observed_time_unix_nano >= r->time_unix_nano);
			assert_string_equal(r->event_name, "ottop.connection.failed");
		}
		otlp__logs_request__free_unpacked(sent, NULL);
	}
	assert_int_equal(with, want_with);
	free(data);
	scratch_free(&scratch);
	snapshot_put(s);
}

#define SECOND NSEC_PER_SEC

/* An event during a request waits for the request's end, some ticks later. */
static void a_request_that_goes_on(void **state)
{
	struct otlp_logs *logs = otlp_logs_new();
	struct builder *b;

	(void)state;
	b = tick(10 * SECOND, 1);
	add_serving(b, 1, 1);
	sent_of(logs, b, false, 0, 0);
	b = tick(11 * SECOND, 2);		/* another process does not wait */
	add_serving(b, 1, 1);
	sent_of(logs, b, false, 1, 0);
	b = tick(12 * SECOND, 0);
	add_request(b, 1, 9 * SECOND, 2 * SECOND + SECOND / 2, "server", TRACE);
	add_serving(b, 1, 0);
	sent_of(logs, b, false, 1, 1);
	sent_of(logs, tick(13 * SECOND, 0), true, 0, 0);

	/* two requests at that time: ambiguous; and one request in two ticks is one */
	b = tick(20 * SECOND, 1);
	add_serving(b, 1, 2);
	sent_of(logs, b, false, 0, 0);
	b = tick(21 * SECOND, 0);
	add_request(b, 1, 19 * SECOND, 2 * SECOND, "server", TRACE);
	add_serving(b, 1, 1);
	sent_of(logs, b, false, 0, 0);
	b = tick(22 * SECOND, 0);
	add_request(b, 1, 19 * SECOND, 3 * SECOND, "server", TRACE);
	add_serving(b, 1, 1);
	sent_of(logs, b, false, 1, 0);
	otlp_logs_free(logs);
}

static void nothing_waits_for_long(void **state)
{
	struct otlp_logs *logs = otlp_logs_new();
	struct builder *b;

	(void)state;
	for (u64 t = 30; t < 34; t++) {
		b = tick(t * SECOND, t == 30 ? 1 : 0);
		add_serving(b, 1, 1);
		sent_of(logs, b, false, t == 33, 0);
	}
	b = tick(40 * SECOND, 0);		/* there is room for so many */
	for (u32 i = 0; i < 300; i++)
		add_event(b, 1, 40 * SECOND - 50);
	add_serving(b, 1, 1);
	sent_of(logs, b, false, 300 - 256, 0);
	b = tick(41 * SECOND, 0);		/* the end */
	add_serving(b, 1, 1);
	sent_of(logs, b, true, 256, 0);
	b = tick(42 * SECOND, 1);
	add_serving(b, 1, 1);
	sent_of(logs, b, false, 0, 0);
	otlp_logs_free(logs);	/* with what waits */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_request_and_no_more),
		cmocka_unit_test(a_request_that_goes_on),
		cmocka_unit_test(nothing_waits_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
