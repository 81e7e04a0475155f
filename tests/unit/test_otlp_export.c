// SPDX-License-Identifier: GPL-2.0-or-later
/* From snapshots to the queues of the senders: what is too large to be sent. Needs libcurl, no server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/snapshot_build.h"
#include "exporter/otlp/otlp.h"

#define LIMIT (64u << 20)	/* of the specification, before compression */

static struct session session = { .host_name = "host" };

static const char *environment(const char *name)
{
	if (!strcmp(name, "OTEL_EXPORTER_OTLP_COMPRESSION"))
		return "gzip";
	return !strcmp(name, "OTEL_METRICS_EXPORTER") || !strcmp(name, "OTEL_LOGS_EXPORTER") ? "none" : NULL;
}

/* One request whose path has n characters. */
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
		/* compressed it would have less than 100 kB */
		const struct snapshot *s = with_path(i, i == 2 ? LIMIT : LIMIT - 4096);

		assert_int_equal(sink->write(sink, s), 0);
		snapshot_put(s);
		otlp_stats(o, OTLP_TRACES, &stats);
		assert_int_equal(stats.dropped, i >= 2);
		assert_int_equal(stats.queued, i - (i >= 2));
		if (i == 2)
			assert_non_null(strstr(stats.error, "64 MiB"));
	}
	assert_in_range(stats.queued_bytes, 1, 1 << 20);
	sink->close(sink);
	otlp_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_more_than_64_MiB_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
