// SPDX-License-Identifier: GPL-2.0-or-later
/* config.c: --otlp and OTEL_*; see config.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exporter/otlp/config.h"
#include "exporter/otlp/url.h"

#define TIMEOUT_MS 10000	/* both defaults are from the specification */
#define INTERVAL_MS 60000
#define NUMBER_MAX 86400000	/* ms: a day; more is taken for a mistake */

static const char *const signal_names[OTLP_SIGNALS] = { "metrics", "traces", "logs", "profiles" };
static const char *const signal_variables[OTLP_SIGNALS] = { "METRICS_", "TRACES_", "LOGS_", "PROFILES_" };

const char *otlp_signal_name(enum otlp_signal s)
{
	return signal_names[s];
}

/* ---- variables ------------------------------------------------------------------- */

struct reader {
	otlp_getenv *env;
	char name[80];		/* of the variable read last */
	bool quiet;		/* errors are reported by another pass */
};

static const char *read_variable(struct reader *r, const char *name)
{
	const char *value;

	snprintf(r->name, sizeof(r->name), "%s", name);
	value = r->env(name);
	return value && *value ? value : NULL;
}

/* OTEL_EXPORTER_OTLP_SIGNAL_x, or OTEL_EXPORTER_OTLP_x where that is not set. */
static const char *read_for(struct reader *r, enum otlp_signal s, const char *what)
{
	char name[80];
	const char *value;

	snprintf(name, sizeof(name), "OTEL_EXPORTER_OTLP_%s%s", signal_variables[s], what);
	value = read_variable(r, name);
	if (value)
		return value;
	snprintf(name, sizeof(name), "OTEL_EXPORTER_OTLP_%s", what);
	return read_variable(r, name);
}

static void ignored(const struct reader *r, const char *value, const char *why)
{
	if (!r->quiet)
		log_line("%s=%.60s: %s; ignored", r->name, value, why);
}

bool otlp_signal_wanted(enum otlp_signal s, otlp_getenv *env)
{
	char name[40];
	const char *value;

	value = env("OTEL_SDK_DISABLED");
	if (value && !strcasecmp(value, "true"))
		return false;
	snprintf(name, sizeof(name), "OTEL_%sEXPORTER", signal_variables[s]);
	value = env(name);
	return !value || strcasecmp(value, "none");
}

const char *otlp_why_off(enum otlp_signal s, otlp_getenv *env)
{
	const char *disabled = env("OTEL_SDK_DISABLED");
	static const char *const why[OTLP_SIGNALS] = {
		"OTEL_METRICS_EXPORTER=none", "OTEL_TRACES_EXPORTER=none",
		"OTEL_LOGS_EXPORTER=none", "add --otlp-profiles cpu",
	};

	return disabled && !strcasecmp(disabled, "true") ? "OTEL_SDK_DISABLED=true" : why[s];
}

static bool read_number(const char *text, u64 least, u64 *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && !errno && *ret >= least && *ret <= NUMBER_MAX;
}

static u64 number_or(const struct reader *r, const char *text, u64 least, u64 fallback)
{
	u64 v;

	if (!text)
		return fallback;
	if (!read_number(text, least, &v)) {
		ignored(r, text, least ? "no number of milliseconds from 1 to 86400000" :
					 "no number of milliseconds from 0 (no limit) to 86400000");
		return fallback;
	}
	return v;
}

/* ---- endpoints --------------------------------------------------------------------------- */

/* gRPC permits an endpoint without scheme: ..._INSECURE then selects it. */
static char *with_scheme(struct reader *r, const char *url, enum otlp_signal s, bool grpc)
{
	const char *insecure;

	if (!grpc || strstr(url, "://"))
		return xstrdup(url);
	insecure = read_for(r, s, "INSECURE");
	return xasprintf("%s://%s", insecure && !strcasecmp(insecure, "true") ? "http" : "https", url);
}

/* NULL, or an error message. */
static char *read_url(struct reader *r, struct otlp_endpoint *e, enum otlp_signal s,
		      const char *base)
{
	char name[80], *url;
	const char *own, *why;

	snprintf(name, sizeof(name), "OTEL_EXPORTER_OTLP_%sENDPOINT", signal_variables[s]);
	own = read_variable(r, name);
	url = with_scheme(r, own ?: base, s, e->grpc);
	why = otlp_url_problem(url, !own && !e->grpc);
	if (!why)
		e->url = e->grpc ? otlp_url_of_service(url, s) : own ? otlp_url_own(url) : otlp_url_joined(url, s);
	free(url);
	if (!why)
		return NULL;
	return own ? xasprintf("%s=%s: %s", name, own, why) : xasprintf("--otlp %s: %s", base, why);
}

/* ---- one signal ----------------------------------------------------------------------------- */

/* Precedence: the signal's variable, the option, the general variable. */
static char *read_protocol(struct reader *r, struct otlp_endpoint *e, enum otlp_signal s,
			   const char *option)
{
	char name[80];
	const char *value;

	snprintf(name, sizeof(name), "OTEL_EXPORTER_OTLP_%sPROTOCOL", signal_variables[s]);
	value = read_variable(r, name);
	if (!value && option)
		value = option;
	else if (!value)
		value = read_variable(r, "OTEL_EXPORTER_OTLP_PROTOCOL");
	e->grpc = value && !strcasecmp(value, "grpc");
	if (!value || e->grpc || !strcasecmp(value, "http/protobuf"))
		return NULL;
	if (value == option)
		return xasprintf("--otlp-protocol %s: it must be grpc or http/protobuf", value);
	if (!strcasecmp(value, "http/json"))
		return xasprintf("%s=%s: ottop speaks grpc and http/protobuf; a collector takes"
				 " these on ports 4317 and 4318", r->name, value);
	ignored(r, value, "not a protocol; http/protobuf is used");
	return NULL;
}

static enum otlp_gzip read_gzip(struct reader *r, enum otlp_signal s, const char *url)
{
	const char *value = read_for(r, s, "COMPRESSION");

	if (value && !strcasecmp(value, "gzip"))
		return OTLP_GZIP;
	if (value && !strcasecmp(value, "none"))
		return OTLP_GZIP_NEVER;
	if (value)
		ignored(r, value, "neither gzip nor none");
	/* over loopback compression costs more than it saves */
	return otlp_url_is_loopback(url) ? OTLP_GZIP_WAITING : OTLP_GZIP;
}

static char *file_or_null(const char *value)
{
	return value ? xstrdup(value) : NULL;
}

static char *read_endpoint(struct reader *r, struct otlp_endpoint *e, enum otlp_signal s,
			   const char *base, const char *protocol)
{
	char *error = read_protocol(r, e, s, protocol);
	const char *text;

	if (!error)
		error = read_url(r, e, s, base);
	if (error)
		return error;
	text = read_for(r, s, "HEADERS");
	otlp_pairs_read(&e->headers, text, true, r->name);
	text = read_for(r, s, "TIMEOUT");
	e->timeout_ms = number_or(r, text, 0, TIMEOUT_MS) ?: NUMBER_MAX;	/* 0: no limit */
	e->gzip = read_gzip(r, s, e->url);
	e->ca_file = file_or_null(read_for(r, s, "CERTIFICATE"));
	e->client_cert = file_or_null(read_for(r, s, "CLIENT_CERTIFICATE"));
	e->client_key = file_or_null(read_for(r, s, "CLIENT_KEY"));
	return NULL;
}

/* ---- all ------------------------------------------------------------------------------------- */

static enum otlp_temporality read_temporality(struct reader *r)
{
	static const char *const names[] = { "cumulative", "delta", "lowmemory" };
	const char *v = read_variable(r, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE");

	for (u32 i = 0; v && i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(v, names[i]))
			return (enum otlp_temporality)i;
	if (v)
		ignored(r, v, "not cumulative, delta or lowmemory");
	return OTLP_CUMULATIVE;
}

/*
 * Request durations have the conventions' explicit buckets, others exponential ones (scale 3);
 * converting would invent data.
 */
static void read_aggregation(struct reader *r)
{
	const char *v = read_variable(r, "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION");

	if (v)
		ignored(r, v, "requests are sent with explicit bounds, all else exponential");
}

/* The sampler's argument; 1 if it is not a ratio. */
static double read_ratio(struct reader *r)
{
	const char *text = read_variable(r, "OTEL_TRACES_SAMPLER_ARG");
	char *end;
	double v = text ? strtod(text, &end) : 1;

	if (text && (*end || !(v >= 0 && v <= 1))) {
		ignored(r, text, "not a number from 0 to 1");
		return 1;
	}
	return v;
}

/*
 * The parent's decision is unknown: "parentbased_x" is "x"; a ratio depends on the trace id, as for
 * all participants.
 */
static double read_sampler(struct reader *r)
{
	const char *v = read_variable(r, "OTEL_TRACES_SAMPLER"), *name = v;

	if (!v)
		return 1;
	if (!strncasecmp(name, "parentbased_", 12))
		name += 12;
	if (!strcasecmp(name, "traceidratio"))
		return read_ratio(r);
	if (!strcasecmp(name, "always_off"))
		return 0;
	if (strcasecmp(name, "always_on"))
		ignored(r, v, "not a sampler of ottop");
	return 1;
}

/* OTEL_SERVICE_NAME takes precedence over service.name in OTEL_RESOURCE_ATTRIBUTES. */
static void read_resource(struct reader *r, struct otlp_config *c)
{
	const char *name, *attributes = read_variable(r, "OTEL_RESOURCE_ATTRIBUTES");
	struct otlp_pairs all = { 0 };

	otlp_pairs_read(&all, attributes, false, r->name);
	name = read_variable(r, "OTEL_SERVICE_NAME");
	for (u32 i = 0; i < all.n; i++) {
		if (strcmp(all.pairs[i].key, "service.name"))
			otlp_pairs_add(&c->resource, all.pairs[i].key, all.pairs[i].value);
		else if (!name)
			name = all.pairs[i].value;
	}
	c->service_name = xstrdup(name ? name : "ottop");
	otlp_pairs_free(&all);
}

static u64 read_interval(struct reader *r)
{
	return number_or(r, read_variable(r, "OTEL_METRIC_EXPORT_INTERVAL"), 1, INTERVAL_MS);
}

u64 otlp_interval_ms(otlp_getenv *env)
{
	struct reader r = { .env = env, .quiet = true };

	return read_interval(&r);
}

char *otlp_config_read(struct otlp_config *c, const char *url, const char *protocol, otlp_getenv *env)
{
	struct reader r = { .env = env };
	char *error = NULL;

	*c = (struct otlp_config){ 0 };
	for (int s = 0; !error && s < OTLP_SIGNALS; s++)
		error = read_endpoint(&r, &c->endpoints[s], (enum otlp_signal)s, url, protocol);
	c->temporality = read_temporality(&r);
	read_aggregation(&r);
	c->interval_ms = read_interval(&r);
	c->sample_ratio = read_sampler(&r);
	read_resource(&r, c);
	return error;
}

bool otlp_config_has_grpc(const struct otlp_config *c)
{
	for (int s = 0; s < OTLP_SIGNALS; s++)
		if (c->endpoints[s].grpc)
			return true;
	return false;
}

void otlp_config_free(struct otlp_config *c)
{
	for (int s = 0; s < OTLP_SIGNALS; s++) {
		struct otlp_endpoint *e = &c->endpoints[s];

		free(e->url);
		otlp_pairs_free(&e->headers);
		free(e->ca_file);
		free(e->client_cert);
		free(e->client_key);
	}
	free(c->service_name);
	otlp_pairs_free(&c->resource);
	*c = (struct otlp_config){ 0 };
}
