// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From snapshots to requests: requests too large to send (needs libcurl, no server), and the
 * resource of a span.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/otlp/otlp.h"
#include "exporter/otlp/packed.h"
#include "exporter/otlp/spans.h"

#define LIMIT (64u << 20)	/* of the specification, before compression */

static struct session session = { .host_name = "host" };

static const char *environment(const char *name)
{
	if (!strcmp(name, "OTEL_EXPORTER_OTLP_COMPRESSION"))
		return "gzip";
	return !strcmp(name, "OTEL_METRICS_EXPORTER") || !strcmp(name, "OTEL_LOGS_EXPORTER") ? "none" : NULL;
}

/* A request with a path of n characters. */
static const struct snapshot *with_path(u64 seq, size_t n)
{
	struct builder *b = builder_new(NULL, &session);
	struct requests_row *r = builder_row(b, TABLE_requests);
	char *path = xmalloc(n);

	memset(path, 'x', n);
	r->seq = seq;
	r->start_time_ns = seq;
	r->duration_ns = 1;
	r->status = 200;
	r->side = str_new("server");
	r->protocol = str_new("http");
	r->method = str_new("GET");
	r->path = str_newn(path, n);
	free(path);
	builder_time(b, seq, seq, 0, 1);
	return builder_seal(b);
}

static struct otlp_sink *start(void)
{
	struct otlp_options options = { .url = "http://127.0.0.1:1", .max_processes = 1, .env = environment };
	char *error;
	struct otlp_sink *o = otlp_open(&options, &session, &error);

	if (!o) {
		print_message("# %s\n", error);
		free(error);
		skip();
	}
	return o;
}

static void a_request_of_more_than_64_MiB_is_not_sent(void **state)
{
	struct otlp_sink *o = start();
	struct sink *sink = otlp_sink_of(o);
	struct otlp_stats stats;

	for (u64 i = 1; i <= 3; i++) {
		/* The first: when another one is queued, the last error may be that nobody listens.
		 * Compressed it would have less than 100 kB. */
		const struct snapshot *s = with_path(i, i == 1 ? LIMIT : LIMIT - 4096);

		assert_int_equal(sink->write(sink, s), 0);
		snapshot_put(s);
		otlp_stats(o, OTLP_TRACES, &stats);
		assert_int_equal(stats.dropped, 1);
		assert_int_equal(stats.queued, i - 1);
		if (i == 1)
			assert_non_null(strstr(stats.error, "64 MiB"));
	}
	assert_in_range(stats.queued_bytes, 1, 1 << 20);
	sink->close(sink);
	otlp_free(o);
}

/* "key=value;" of each attribute of the resource. */
static char *attributes_text(const Otlp__Resource *r, char *buf, size_t cap)
{
	size_t n = 0;

	*buf = '\0';
	for (size_t i = 0; i < r->n_attributes && n < cap; i++) {
		const Otlp__AnyValue *v = r->attributes[i]->value;
		bool is_text = v->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE;

		n += (size_t)(is_text ? snprintf(buf + n, cap - n, "%s=%s;", r->attributes[i]->key, v->string_value) :
					snprintf(buf + n, cap - n, "%s=%lld;", r->attributes[i]->key, (long long)v->int_value));
	}
	return buf;
}

/* Two processes answer; of one ottop knows no more than the request says. */
static const struct snapshot *of_two_processes(const char *service)
{
	struct builder *b = builder_new(NULL, &session);
	struct processes_row *p = builder_row(b, TABLE_processes);

	p->pid = 7;
	p->start_time_ns = 1;
	p->comm = str_new("web");
	p->user = str_new("www-data");
	p->container = str_new("docker:0123456789ab");
	p->cmdline = str_new("web --password secret");
	p->service = service ? str_new(service) : NULL;
	for (u64 i = 0; i < 2; i++) {
		struct requests_row *r = builder_row(b, TABLE_requests);

		r->seq = i + 1;
		r->start_time_ns = 10 + i;
		r->duration_ns = 1;
		r->status = 200;
		r->pid = 7 + i;
		r->process_start_ns = 1;
		r->comm = str_new(i ? "gone" : "web");
		r->service = service ? str_new(service) : NULL;
		r->side = str_new("server");
		r->protocol = str_new("http/1.1");
		r->method = str_new("GET");
		r->path = str_new("/");
	}
	builder_time(b, 1, 20, 0, 1);
	return builder_seal(b);
}

static void check_resources(bool command_lines, const char *service, const char *const want[2])
{
	const struct snapshot *s = of_two_processes(service);
	struct otlp_config config = { .sample_ratio = 1, .command_lines = command_lines };
	struct event_cursor cursor = { .begun = true };
	struct otlp_links *links = otlp_links_new();
	struct scratch scratch = { 0 };
	struct otlp_due due = { 0 };
	Otlp__TraceRequest *request;
	char text[1000];
	size_t n;
	u32 items;
	u8 *data;

	otlp_spans_due(&due, &cursor, s);
	data = otlp_spans_pack(&scratch, &due, links, s, &config, &n, &items);
	assert_non_null(data);
	assert_int_equal(items, 2);
	request = otlp__trace_request__unpack(NULL, n, data);
	assert_int_equal(request->n_resource_spans, 2);
	for (u32 i = 0; i < 2; i++)
		assert_string_equal(attributes_text(request->resource_spans[i]->resource, text, sizeof(text)), want[i]);
	otlp__trace_request__free_unpacked(request, NULL);
	free(data);
	otlp_due_free(&due);
	scratch_free(&scratch);
	otlp_links_free(links);
	snapshot_put(s);
}

/* An unanswered request is an error; with an unknown status it is not known to be one. */
static void a_status_that_is_not_known_is_no_error(void **state)
{
	static const struct { const char *protocol; u64 status; bool error; } all[] = {
		{ "h2", U64_BLANK, true }, { "h2", U64_UNKNOWN, false }, { "h2", 200, false }, { "h2", 503, true },
		{ "grpc", U64_BLANK, true }, { "grpc", U64_UNKNOWN, false }, { "grpc", 0, false }, { "grpc", 14, true },
		{ "grpc", 5, false },	/* NOT_FOUND is no fault of a server */
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		struct builder *b = builder_new(NULL, &session);
		struct requests_row *r = builder_row(b, TABLE_requests);
		struct otlp_config config = { .sample_ratio = 1 };
		struct event_cursor cursor = { .begun = true };
		struct otlp_links *links = otlp_links_new();
		struct otlp_due due = { 0 };
		struct scratch scratch = { 0 };
		Otlp__TraceRequest *request;
		const Otlp__Span *span;
		const struct snapshot *s;
		u8 *data;
		size_t n;
		u32 items;

		r->seq = r->start_time_ns = r->duration_ns = 1;
		r->status = all[i].status;
		r->side = str_new("server");
		r->protocol = str_new(all[i].protocol);
		r->path = str_new("/a");
		builder_time(b, 1, 2, 0, 1);
		s = builder_seal(b);
		otlp_spans_due(&due, &cursor, s);
		data = otlp_spans_pack(&scratch, &due, links, s, &config, &n, &items);
		request = otlp__trace_request__unpack(NULL, n, data);
		span = request->resource_spans[0]->scope_spans[0]->spans[0];
		assert_int_equal(span->status && span->status->code == OTLP__STATUS__CODE__ERROR, all[i].error);
		otlp__trace_request__free_unpacked(request, NULL);
		free(data);
		otlp_due_free(&due);
		scratch_free(&scratch);
		otlp_links_free(links);
		snapshot_put(s);
	}
}

static const char *interval_text;

static const char *interval_env(const char *name)
{
	return strcmp(name, "OTEL_METRIC_EXPORT_INTERVAL") ? NULL : interval_text;
}

/* System calls are read in every fifth tick where metrics leave seldom and always in such a tick. */
static void seldom_enough(void **state)
{
	static const struct { const char *interval; u64 tick_ms; bool seldom; } all[] = {
		{ NULL, 1000, true },		/* 60 s */
		{ "nonsense", 1000, true },
		{ "10000", 1000, true }, { "9999", 1000, false }, { "5000", 1000, false },
		{ "12000", 1000, false },	/* would leave each 15 s */
		{ "60000", 4000, true }, { "60000", 5000, false }, { "60000", 7000, false }, { "10000", 400, true },
	};
	struct otlp_options options = { .url = "http://127.0.0.1", .env = interval_env };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		interval_text = all[i].interval;
		assert_int_equal(otlp_spares(&options, all[i].tick_ms * NSEC_PER_MSEC),
				 WANT_NO_WAITS | (all[i].seldom ? WANT_CALLS_SELDOM : 0));
	}
}

/*
 * The resource of a span is its process, as for metrics: with its container, and its command line
 * only if configured.
 */
static void a_span_says_whose_it_is(void **state)
{
#define WEB_REST "service.instance.id=host:7:1;host.name=host;os.type=linux;process.pid=7;" \
	"process.executable.name=web;process.owner=www-data;container.id=0123456789ab;"
#define GONE_REST "service.instance.id=host:8:1;host.name=host;os.type=linux;process.pid=8;" \
	"process.executable.name=gone;"
#define WEB "service.name=web;" WEB_REST
#define GONE "service.name=gone;" GONE_REST
	static const char *const named[] = { "service.name=shop;" WEB_REST, "service.name=shop;" GONE_REST };
	static const char *const usual[] = { WEB, GONE }, *const more[] = { WEB "process.command_line=web --password secret;", GONE };

	check_resources(false, NULL, usual);
	check_resources(true, NULL, more);
	check_resources(false, "shop", named);	/* as their environments say */
}

/* Sampling by the last 56 bits of the trace id, the same on every host, also for errors. */
static void a_ratio_goes_by_the_trace_id(void **state)
{
	static const struct { const char *trace; double ratio; bool sent; } all[] = {
		{ "ffffffffffffffffff00000000000001", 0.01, true },	/* the bits before do not count */
		{ "000000000000000000ffffffffffffff", 0.99, false },
		{ "00000000000000010180000000000000", 0.5, false },	/* the half itself is none of it */
		{ "0000000000000001017fffffffffffff", 0.5, true },
		{ "00000000000000010100000000000000", 0, false },
		{ "000000000000000001ffffffffffffff", 1, true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		struct builder *b = builder_new(NULL, &session);
		struct requests_row *r = builder_row(b, TABLE_requests);
		struct otlp_config config = { .sample_ratio = all[i].ratio };
		struct event_cursor cursor = { .begun = true };
		struct otlp_links *links = otlp_links_new();
		struct scratch scratch = { 0 };
		struct otlp_due due = { 0 };
		const struct snapshot *s;
		size_t n;
		u32 items;

		r->seq = r->start_time_ns = 1;
		r->status = i % 2 ? 200 : 503;
		r->trace_id = str_new(all[i].trace);
		r->span_id = str_new("0000000000000001");
		builder_time(b, 1, 2, 0, 1);
		s = builder_seal(b);
		otlp_spans_due(&due, &cursor, s);
		free(otlp_spans_pack(&scratch, &due, links, s, &config, &n, &items));
		assert_int_equal(items, all[i].sent);
		otlp_links_free(links);
		otlp_due_free(&due);
		scratch_free(&scratch);
		snapshot_put(s);
	}
}

/* Attributes that are packed by hand are what protobuf-c reads: lengths of each width, numbers, bytes that are no UTF-8. */
static void packed_attributes_are_read_again(void **state)
{
	static const size_t lengths[] = { 1, 100, 127, 128, 300, 16383, 16384, 3000000 };
	static const u64 numbers[] = { 0, 1, 127, 128, 65535, 1ull << 32, (1ull << 63) - 1, 1ull << 63 };
	struct scratch scratch = { 0 };
	struct packed p = { 0 };
	Otlp__Span span = OTLP__SPAN__INIT, *read;
	char *texts[ARRAY_SIZE(lengths)];
	size_t n;
	u8 *data;

	packed_set(&scratch, &p, &span);
	assert_int_equal(otlp__span__get_packed_size(&span), 0);	/* none */
	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		texts[i] = xcalloc(1, lengths[i] + 1);
		memset(texts[i], 'a' + (int)i, lengths[i]);
		packed_text(&scratch, &p, "text", texts[i]);
		packed_int(&scratch, &p, "a.number", numbers[i]);
	}
	packed_text(&scratch, &p, "none", NULL);
	packed_text(&scratch, &p, "none", "");
	packed_int(&scratch, &p, "none", U64_UNKNOWN);
	packed_text(&scratch, &p, "bad", "x\xff");
	packed_text(&scratch, &p, "good", "\xc3\xa4");
	span.name = (char *)"name";
	packed_set(&scratch, &p, &span);
	n = otlp__span__get_packed_size(&span);
	data = xmalloc(n);
	assert_int_equal(otlp__span__pack(&span, data), n);
	read = otlp__span__unpack(NULL, n, data);
	assert_non_null(read);
	assert_int_equal(read->base.n_unknown_fields, 0);
	assert_string_equal(read->name, "name");
	assert_int_equal(read->n_attributes, 2 * ARRAY_SIZE(lengths) + 2);
	for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
		Otlp__KeyValue *const *a = &read->attributes[2 * i];

		assert_string_equal(a[0]->key, "text");
		assert_int_equal(a[0]->value->value_case, OTLP__ANY_VALUE__VALUE_STRING_VALUE);
		assert_string_equal(a[0]->value->string_value, texts[i]);
		assert_string_equal(a[1]->key, "a.number");
		assert_int_equal(a[1]->value->value_case, OTLP__ANY_VALUE__VALUE_INT_VALUE);
		assert_true((u64)a[1]->value->int_value == numbers[i]);
		free(texts[i]);
	}
	assert_string_equal(read->attributes[2 * ARRAY_SIZE(lengths)]->value->string_value, "x\xef\xbf\xbd");
	assert_string_equal(read->attributes[2 * ARRAY_SIZE(lengths) + 1]->value->string_value, "\xc3\xa4");
	otlp__span__free_unpacked(read, NULL);
	free(data);
	scratch_free(&scratch);
}

static struct requests_row *request_at(u64 seq, u64 start_ns)
{
	struct requests_row *r = row_new(TABLE_requests);

	r->seq = seq;
	r->start_time_ns = start_ns;
	r->duration_ns = 10;
	r->status = 200;
	return r;
}

/* So many as the table has no room for, beside one that it has. */
#define N_MORE 3000
static const struct snapshot *of_many(u64 seq)
{
	struct requests_row **more = xcalloc(N_MORE, sizeof(struct requests_row *));
	struct builder *b = builder_new(NULL, &session);

	builder_add(b, &request_at(seq * 10000, 5)->row);
	for (u64 i = 0; i < N_MORE; i++)	/* in no order */
		more[i] = request_at(seq * 10000 - 1 - i, 10 + i * 7 % N_MORE);
	builder_more(b, more, N_MORE, 0);
	builder_time(b, seq, 20 * seq, 0, 20);
	return builder_seal(b);
}

/* All leave, each once, in messages of a bounded size, in the order in which they began. */
static void more_requests_than_are_listed(void **state)
{
	struct otlp_config config = { .sample_ratio = 1 };
	struct event_cursor cursor = { .begun = true };
	struct otlp_links *links = otlp_links_new();
	struct scratch scratch = { 0 };
	struct otlp_due due = { 0 };

	(void)state;
	for (u64 seq = 1; seq <= 2; seq++) {
		const struct snapshot *s = of_many(seq);
		u64 last_ns = 0;
		u32 items, sum = 0;
		size_t n;
		u8 *data;

		assert_true(s->own_bytes > N_MORE * sizeof(struct requests_row));
		otlp_spans_due(&due, &cursor, s);
		while ((data = otlp_spans_pack(&scratch, &due, links, s, &config, &n, &items))) {
			Otlp__TraceRequest *sent = otlp__trace_request__unpack(NULL, n, data);
			const Otlp__ScopeSpans *of = sent->resource_spans[0]->scope_spans[0];

			assert_in_range(items, 1, 1000);
			assert_int_equal(of->n_spans, items);
			for (u32 i = 0; i < items; i++) {
				assert_true(of->spans[i]->start_time_unix_nano > last_ns);
				last_ns = of->spans[i]->start_time_unix_nano;
			}
			sum += items;
			otlp__trace_request__free_unpacked(sent, NULL);
			free(data);
		}
		assert_int_equal(sum, N_MORE + 1);
		snapshot_put(s);
	}
	otlp_due_free(&due);
	otlp_links_free(links);
	scratch_free(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_more_than_64_MiB_is_not_sent),
		cmocka_unit_test(seldom_enough),
		cmocka_unit_test(a_status_that_is_not_known_is_no_error),
		cmocka_unit_test(a_span_says_whose_it_is),
		cmocka_unit_test(a_ratio_goes_by_the_trace_id),
		cmocka_unit_test(packed_attributes_are_read_again),
		cmocka_unit_test(more_requests_than_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
