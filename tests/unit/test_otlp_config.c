// SPDX-License-Identifier: GPL-2.0-or-later
/* The effect and precedence of each OTEL_* variable, as a table from the specification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exporter/otlp/config.h"
#include "exporter/otlp/url.h"

/* The environment of a case: "NAME=VALUE" lines. */
static const char *environment;

static const char *fake_getenv(const char *name)
{
	static char value[512];
	size_t n = strlen(name);

	for (const char *line = environment; line && *line; line = strchr(line, '\n') + 1)
		if (!strncmp(line, name, n) && line[n] == '=') {
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + n + 1, "\n"),
				 line + n + 1);
			return value;
		}
	return NULL;
}

/* One signal as text: URL timeout gzip headers ca cert key. */
static void describe(const struct otlp_endpoint *e, char *buf, size_t cap)
{
	static const char *const gzips[] = { "none", "waiting", "gzip" };
	int n = snprintf(buf, cap, "%s %llu %s%s", e->url, (unsigned long long)e->timeout_ms,
			 gzips[e->gzip], e->grpc ? " grpc" : "");

	for (u32 i = 0; i < e->headers.n; i++)
		n += snprintf(buf + n, cap - (size_t)n, " %s:%s", e->headers.pairs[i].key,
			      e->headers.pairs[i].value);
	if (e->ca_file)
		n += snprintf(buf + n, cap - (size_t)n, " ca=%s", e->ca_file);
	if (e->client_cert)
		n += snprintf(buf + n, cap - (size_t)n, " cert=%s", e->client_cert);
	if (e->client_key)
		snprintf(buf + n, cap - (size_t)n, " key=%s", e->client_key);
}

#define E "OTEL_EXPORTER_OTLP_"
#define LOCAL "http://localhost:4318"
#define METRICS "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
#define TRACES "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

/* Of the signal metrics, and of traces, for which no variable of their own is set. */
static const struct { const char *url, *env, *metrics, *traces; } cases[] = {
	/* where to: the base gets a path, the URL of a signal is taken as it is */
	{ LOCAL, "", LOCAL "/v1/metrics 10000 waiting", LOCAL "/v1/traces 10000 waiting" },
	{ LOCAL "/", "", LOCAL "/v1/metrics 10000 waiting", LOCAL "/v1/traces 10000 waiting" },
	{ "http://c.example/otlp", "", "http://c.example/otlp/v1/metrics 10000 gzip",
	  "http://c.example/otlp/v1/traces 10000 gzip" },
	{ LOCAL, E "METRICS_ENDPOINT=https://m.example/in?x=1\n",
	  "https://m.example/in?x=1 10000 gzip", LOCAL "/v1/traces 10000 waiting" },
	{ LOCAL, E "METRICS_ENDPOINT=http://127.0.0.2:9\n", "http://127.0.0.2:9/ 10000 waiting",
	  LOCAL "/v1/traces 10000 waiting" },
	{ LOCAL, E "METRICS_ENDPOINT=\n", LOCAL "/v1/metrics 10000 waiting",
	  LOCAL "/v1/traces 10000 waiting" },	/* empty is not set */
	{ LOCAL, E "ENDPOINT=http://other:1\n", LOCAL "/v1/metrics 10000 waiting",
	  LOCAL "/v1/traces 10000 waiting" },	/* the command line comes first */
	/* time-outs: milliseconds, own before general, nonsense is ignored */
	{ LOCAL, E "TIMEOUT=500\n", LOCAL "/v1/metrics 500 waiting", LOCAL "/v1/traces 500 waiting" },
	{ LOCAL, E "TIMEOUT=500\n" E "METRICS_TIMEOUT=700\n", LOCAL "/v1/metrics 700 waiting",
	  LOCAL "/v1/traces 500 waiting" },
	{ LOCAL, E "TIMEOUT=10s\n", LOCAL "/v1/metrics 10000 waiting",
	  LOCAL "/v1/traces 10000 waiting" },
	{ LOCAL, E "TIMEOUT=-1\n", LOCAL "/v1/metrics 10000 waiting",
	  LOCAL "/v1/traces 10000 waiting" },
	/* compression: what is said holds, on loopback too */
	{ LOCAL, E "COMPRESSION=gzip\n", LOCAL "/v1/metrics 10000 gzip",
	  LOCAL "/v1/traces 10000 gzip" },
	{ "http://c.example", E "COMPRESSION=none\n" E "METRICS_COMPRESSION=gzip\n",
	  "http://c.example/v1/metrics 10000 gzip", "http://c.example/v1/traces 10000 none" },
	{ LOCAL, E "COMPRESSION=zstd\n", LOCAL "/v1/metrics 10000 waiting",
	  LOCAL "/v1/traces 10000 waiting" },
	{ "http://[::1]:4318", "", "http://[::1]:4318/v1/metrics 10000 waiting",
	  "http://[::1]:4318/v1/traces 10000 waiting" },
	{ "http://user:pass@127.0.0.1:1", "", "http://user:pass@127.0.0.1:1/v1/metrics 10000 waiting",
	  "http://user:pass@127.0.0.1:1/v1/traces 10000 waiting" },
	{ "http://127.0.0.1@c.example:1", "", "http://127.0.0.1@c.example:1/v1/metrics 10000 gzip",
	  "http://127.0.0.1@c.example:1/v1/traces 10000 gzip" },	/* that is a user */
	/* headers: a list, percent-encoded; what is none is left out, what would be two is too */
	{ LOCAL, E "HEADERS=a=1, b = two%20words ,c=x=y\n",
	  LOCAL "/v1/metrics 10000 waiting a:1 b:two words c:x=y",
	  LOCAL "/v1/traces 10000 waiting a:1 b:two words c:x=y" },
	{ LOCAL, E "HEADERS=a=1\n" E "METRICS_HEADERS=b=2\n", LOCAL "/v1/metrics 10000 waiting b:2",
	  LOCAL "/v1/traces 10000 waiting a:1" },
	{ LOCAL, E "HEADERS=a=1%0d%0aEvil:%202,novalue,=x,b%zz=1,bad name=1,c=%4,,d=4\n",
	  LOCAL "/v1/metrics 10000 waiting d:4", LOCAL "/v1/traces 10000 waiting d:4" },
	/* certificates */
	{ LOCAL, E "CERTIFICATE=/ca\n" E "CLIENT_CERTIFICATE=/c\n" E "METRICS_CLIENT_KEY=/k\n",
	  LOCAL "/v1/metrics 10000 waiting ca=/ca cert=/c key=/k",
	  LOCAL "/v1/traces 10000 waiting ca=/ca cert=/c" },
	{ LOCAL, E "CERTIFICATE=/ca\n" E "METRICS_CERTIFICATE=/own\n",
	  LOCAL "/v1/metrics 10000 waiting ca=/own", LOCAL "/v1/traces 10000 waiting ca=/ca" },
	/* gRPC: a path is none of ours, the scheme may be left out; of each signal its own */
	{ LOCAL "/base", E "PROTOCOL=grpc\n", LOCAL METRICS " 10000 waiting grpc", LOCAL TRACES " 10000 waiting grpc" },
	{ "c.example:4317", E "PROTOCOL=grpc\n", "https://c.example:4317" METRICS " 10000 gzip grpc",
	  "https://c.example:4317" TRACES " 10000 gzip grpc" },
	{ "c.example:4317", E "PROTOCOL=grpc\n" E "INSECURE=true\n" E "TRACES_INSECURE=false\n",
	  "http://c.example:4317" METRICS " 10000 gzip grpc",
	  "https://c.example:4317" TRACES " 10000 gzip grpc" },
	{ LOCAL, E "PROTOCOL=grpc\n" E "TRACES_PROTOCOL=http/protobuf\n", LOCAL METRICS " 10000 waiting grpc",
	  LOCAL "/v1/traces 10000 waiting" },
	{ LOCAL, E "METRICS_PROTOCOL=grpc\n" E "METRICS_ENDPOINT=http://u:p@m.example?x\n",
	  "http://u:p@m.example" METRICS " 10000 gzip grpc", LOCAL "/v1/traces 10000 waiting" },
	/* the protocol that is spoken may be said */
	{ LOCAL, E "PROTOCOL=http/protobuf\n", LOCAL "/v1/metrics 10000 waiting",
	  LOCAL "/v1/traces 10000 waiting" },
};

static void endpoints(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct otlp_config c;
		char text[400], *error;

		environment = cases[i].env;
		error = otlp_config_read(&c, cases[i].url, NULL, fake_getenv);
		if (error)
			print_error("case %u: %s\n", i, error);
		assert_null(error);
		describe(&c.endpoints[OTLP_METRICS], text, sizeof(text));
		assert_string_equal(text, cases[i].metrics);
		describe(&c.endpoints[OTLP_TRACES], text, sizeof(text));
		assert_string_equal(text, cases[i].traces);
		otlp_config_free(&c);
	}
}

/* Which protocol: the variable of the signal, the option, the variable for all. */
static void protocol_option(void **state)
{
	struct otlp_config c;
	char *error;

	environment = E "PROTOCOL=http/protobuf\n" E "LOGS_PROTOCOL=http/protobuf\n";
	assert_null(otlp_config_read(&c, LOCAL, "grpc", fake_getenv));
	assert_true(c.endpoints[OTLP_METRICS].grpc && c.endpoints[OTLP_TRACES].grpc);
	assert_false(c.endpoints[OTLP_LOGS].grpc);
	assert_true(otlp_config_has_grpc(&c));
	otlp_config_free(&c);
	environment = "";
	error = otlp_config_read(&c, LOCAL, "http", fake_getenv);
	assert_string_equal(error, "--otlp-protocol http: it must be grpc or http/protobuf");
	free(error);
	otlp_config_free(&c);
}

/*
 * Each variable of protocol/exporter that is there once for all and once a signal: alone, and
 * the one of the signal before the one for all, which the other signals keep.
 */
static void own_before_general(void **state)
{
	static const struct { const char *name, *general, *own, *general_says, *own_says; } all[] = {
		{ "HEADERS", "a=1", "b=2", " a:1", " b:2" },
		{ "TIMEOUT", "500", "700", " 500 ", " 700 " },
		{ "TIMEOUT", "0", "700", " 86400000 ", " 700 " },	/* 0: no limit */
		{ "TIMEOUT", "500", "0", " 500 ", " 86400000 " },
		{ "COMPRESSION", "gzip", "none", " gzip", " none" },
		{ "COMPRESSION", "none", "GZIP", " none", " gzip" },
		{ "CERTIFICATE", "/ca", "/own", " ca=/ca", " ca=/own" },
		{ "CLIENT_CERTIFICATE", "/all", "/own", " cert=/all", " cert=/own" },
		{ "CLIENT_KEY", "/all", "/own", " key=/all", " key=/own" },
		{ "PROTOCOL", "grpc", "http/protobuf", " grpc", "/v1" },
		{ "PROTOCOL", "http/protobuf", "grpc", "/v1", " grpc" },
		{ "ENDPOINT", "http://other:1", "http://own:2/x", LOCAL "/v1", "http://own:2/x " },	/* --otlp is first */
	};
	static const char *const signals[OTLP_SIGNALS] = {
		[OTLP_METRICS] = "METRICS_", [OTLP_TRACES] = "TRACES_", [OTLP_LOGS] = "LOGS_",
		[OTLP_PROFILES] = "PROFILES_",
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		for (int s = 0; s < OTLP_SIGNALS; s++) {
			struct otlp_config c;
			char env[200], text[400];

			snprintf(env, sizeof(env), E "%s%s=%s\n" E "%s=%s\n", signals[s], all[i].name,
				 all[i].own, all[i].name, all[i].general);
			environment = env;
			assert_null(otlp_config_read(&c, LOCAL, NULL, fake_getenv));
			for (int other = 0; other < OTLP_SIGNALS; other++) {
				describe(&c.endpoints[other], text, sizeof(text));
				assert_non_null(strstr(text, other == s ? all[i].own_says : all[i].general_says));
				assert_null(strstr(text, other == s ? all[i].general_says : all[i].own_says));
			}
			otlp_config_free(&c);
		}
}

/* Which signals are sent at all: none is a word of the specification in any case. */
static void which_signals(void **state)
{
	static const struct { const char *env, *sent, *why; } all[] = {
		{ "", "111", NULL },
		{ "OTEL_SDK_DISABLED=false\n", "111", NULL },
		{ "OTEL_SDK_DISABLED=1\n", "111", NULL },	/* only "true" is */
		{ "OTEL_SDK_DISABLED=True\n", "000", "OTEL_SDK_DISABLED=true" },
		{ "OTEL_METRICS_EXPORTER=none\n", "011", "OTEL_METRICS_EXPORTER=none" },
		{ "OTEL_TRACES_EXPORTER=None\n", "101", NULL },
		{ "OTEL_LOGS_EXPORTER=otlp\nOTEL_METRICS_EXPORTER=\n", "111", NULL },
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		environment = all[i].env;
		for (int s = 0; s < 3; s++)
			assert_int_equal(otlp_signal_wanted((enum otlp_signal)s, fake_getenv), all[i].sent[s] == '1');
		if (all[i].why)
			assert_string_equal(otlp_why_off(OTLP_METRICS, fake_getenv), all[i].why);
	}
}

static void what_cannot_be(void **state)
{
	static const struct { const char *url, *env, *error; } bad[] = {
		{ "localhost:4318", "", "must begin with http://" },
		{ "ftp://x", "", "must begin with http://" },
		{ "http://", "", "no host" },
		{ "http:///path", "", "no host" },
		{ "http://a b", "", "without blanks" },
		{ "http://a/\x1b[2J", "", "without blanks" },
		{ "http://a/?x", "", "cannot have a ?" },
		{ LOCAL, E "METRICS_ENDPOINT=c:4318\n", "METRICS_ENDPOINT=c:4318: it must begin" },
				{ LOCAL, E "TRACES_PROTOCOL=http/json\n", "TRACES_PROTOCOL=http/json" },
		{ "localhost:1", E "METRICS_PROTOCOL=grpc\n", "must begin with http://" },	/* of traces */
		{ "ftp://x", E "PROTOCOL=grpc\n", "must begin with http://" },
		{ ":4317", E "PROTOCOL=grpc\n", "no host" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct otlp_config c;
		char *error;

		environment = bad[i].env;
		error = otlp_config_read(&c, bad[i].url, NULL, fake_getenv);
		assert_non_null(error);
		if (!strstr(error, bad[i].error))
			print_error("%s: %s\n", bad[i].url, error);
		assert_non_null(strstr(error, bad[i].error));
		assert_null(strchr(error, '\n'));
		free(error);
		otlp_config_free(&c);
	}
}

/* The attributes as text, "key=value;" each. */
static char *resource_text(const struct otlp_config *c, char *buf, size_t cap)
{
	int n = snprintf(buf, cap, "%s|", c->service_name);

	for (u32 i = 0; i < c->resource.n; i++)
		n += snprintf(buf + n, cap - (size_t)n, "%s=%s;", c->resource.pairs[i].key,
			      c->resource.pairs[i].value);
	return buf;
}

static void resource_and_metrics(void **state)
{
	static const struct { const char *env, *resource; enum otlp_temporality t; u64 ms; } ok[] = {
		{ "", "ottop|", OTLP_CUMULATIVE, 60000 },
		{ "OTEL_SERVICE_NAME=a\nOTEL_RESOURCE_ATTRIBUTES=service.name=b,k=v%2C%20w\n",
		  "a|k=v, w;", OTLP_CUMULATIVE, 60000 },
		{ "OTEL_RESOURCE_ATTRIBUTES=service.name=b\n", "b|", OTLP_CUMULATIVE, 60000 },
		{ "OTEL_METRIC_EXPORT_INTERVAL=5000\n" E "METRICS_TEMPORALITY_PREFERENCE=DELTA\n",
		  "ottop|", OTLP_DELTA, 5000 },
		{ E "METRICS_TEMPORALITY_PREFERENCE=lowmemory\nOTEL_METRIC_EXPORT_INTERVAL=0\n",
		  "ottop|", OTLP_LOW_MEMORY, 60000 },
		{ E "METRICS_TEMPORALITY_PREFERENCE=sometimes\n", "ottop|", OTLP_CUMULATIVE, 60000 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(ok); i++) {
		struct otlp_config c;
		char buf[200];

		environment = ok[i].env;
		assert_null(otlp_config_read(&c, LOCAL, NULL, fake_getenv));
		assert_string_equal(resource_text(&c, buf, sizeof(buf)), ok[i].resource);
		assert_int_equal(c.temporality, ok[i].t);
		assert_int_equal(c.interval_ms, ok[i].ms);
		otlp_config_free(&c);
	}
}

/* Sampling: an argument counts only with a sampler that takes one. */
static void sampling(void **state)
{
	static const struct { const char *env; double ratio; } all[] = {
		{ "", 1 },
		{ "OTEL_TRACES_SAMPLER=always_on\n", 1 },
		{ "OTEL_TRACES_SAMPLER=always_off\n", 0 },
		{ "OTEL_TRACES_SAMPLER=PARENTBASED_ALWAYS_OFF\n", 0 },
		{ "OTEL_TRACES_SAMPLER=traceidratio\nOTEL_TRACES_SAMPLER_ARG=0.25\n", 0.25 },
		{ "OTEL_TRACES_SAMPLER=parentbased_traceidratio\nOTEL_TRACES_SAMPLER_ARG=0.5\n", 0.5 },
		{ "OTEL_TRACES_SAMPLER=traceidratio\n", 1 },
		{ "OTEL_TRACES_SAMPLER_ARG=0.25\n", 1 },
		{ "OTEL_TRACES_SAMPLER=always_on\nOTEL_TRACES_SAMPLER_ARG=0.25\n", 1 },
		{ "OTEL_TRACES_SAMPLER=traceidratio\nOTEL_TRACES_SAMPLER_ARG=2\n", 1 },
		{ "OTEL_TRACES_SAMPLER=traceidratio\nOTEL_TRACES_SAMPLER_ARG=-1\n", 1 },
		{ "OTEL_TRACES_SAMPLER=traceidratio\nOTEL_TRACES_SAMPLER_ARG=half\n", 1 },
		{ "OTEL_TRACES_SAMPLER=jaeger_remote\n", 1 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		struct otlp_config c;

		environment = all[i].env;
		assert_null(otlp_config_read(&c, LOCAL, NULL, fake_getenv));
		assert_true(c.sample_ratio == all[i].ratio);
		otlp_config_free(&c);
	}
}

static void finds_aggregation(void *arg, const char *line)
{
	*(bool *)arg |= strstr(line, "METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit") && strstr(line, "; ignored");
}

/* Histograms are exported as they are kept; a request for others is logged. */
static void an_aggregation_is_not_chosen(void **state)
{
	bool said = false;
	struct otlp_config c;

	environment = E "METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram\n";
	assert_null(otlp_config_read(&c, LOCAL, NULL, fake_getenv));
	otlp_config_free(&c);
	log_each(finds_aggregation, &said);
	assert_true(said);
}

static void logged(void *arg, const char *line)
{
	*(bool *)arg |= strstr(line, "secret") != NULL;
}

/* Neither the screen nor the log shows header values or what precedes the @. */
static void secrets_are_not_shown(void **state)
{
	char *shown = otlp_url_shown("https://me:secret@c.example:4318/x");
	bool seen = false;
	struct otlp_config c;

	assert_string_equal(shown, "https://c.example:4318/x");
	free(shown);
	environment = E "HEADERS=authorization=Bearer%0asecret\n";
	assert_null(otlp_config_read(&c, LOCAL, NULL, fake_getenv));
	assert_int_equal(c.endpoints[OTLP_LOGS].headers.n, 0);
	log_each(logged, &seen);
	assert_false(seen);
	otlp_config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints),
		cmocka_unit_test(protocol_option),
		cmocka_unit_test(own_before_general),
		cmocka_unit_test(which_signals),
		cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(resource_and_metrics),
		cmocka_unit_test(sampling),
		cmocka_unit_test(an_aggregation_is_not_chosen),
		cmocka_unit_test(secrets_are_not_shown),
	};

	log_to_stderr(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
