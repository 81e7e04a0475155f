/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.h: OTLP settings from --otlp and the variables OTEL_*, with the meaning and precedence of
 * the OpenTelemetry specification (protocol/exporter, configuration/sdk-environment-variables,
 * resource/sdk): a signal's variable before the general one; --otlp stands for
 * OTEL_EXPORTER_OTLP_ENDPOINT, --otlp-protocol for OTEL_EXPORTER_OTLP_PROTOCOL. An empty variable
 * counts as unset; an invalid value is logged and ignored.
 */
#pragma once

#include "bpf/model/base.h"
#include "exporter/otlp/pairs.h"

enum otlp_signal { OTLP_METRICS, OTLP_TRACES, OTLP_LOGS, OTLP_PROFILES, OTLP_SIGNALS };
enum otlp_temporality { OTLP_CUMULATIVE, OTLP_DELTA, OTLP_LOW_MEMORY };

/* WAITING: compress only what is queued because the endpoint refuses it: memory is scarce then. */
enum otlp_gzip { OTLP_GZIP_NEVER, OTLP_GZIP_WAITING, OTLP_GZIP };

/* Destination of one signal. */
struct otlp_endpoint {
	char *url;
	struct otlp_pairs headers;
	u64 timeout_ms;		/* per attempt; a day if unlimited */
	enum otlp_gzip gzip;
	bool grpc;		/* else HTTP */
	char *ca_file, *client_cert, *client_key;	/* PEM; NULL: the system's CAs, none */
};

struct otlp_config {
	struct otlp_endpoint endpoints[OTLP_SIGNALS];
	enum otlp_temporality temporality;
	u64 interval_ms;	/* between exports of metrics */
	double sample_ratio;	/* fraction of traces, 0 to 1 */
	bool command_lines;	/* export command lines of processes; set by the caller */
	char *service_name;	/* ottop's own */
	struct otlp_pairs resource;	/* added to every resource */
};

typedef const char *otlp_getenv(const char *name);

/* OTEL_SDK_DISABLED, OTEL_METRICS_EXPORTER etc.; for profiles, not specified yet, likewise. */
bool otlp_signal_wanted(enum otlp_signal s, otlp_getenv *env);
/* Why a signal is disabled, in a few words; static. */
const char *otlp_why_off(enum otlp_signal s, otlp_getenv *env);

/*
 * Fills c from --otlp, --otlp-protocol (or NULL) and env (getenv()). NULL, or an error message to
 * free(). otlp_config_free() in both cases.
 */
char *otlp_config_read(struct otlp_config *c, const char *url, const char *protocol, otlp_getenv *env);
/* OTEL_METRIC_EXPORT_INTERVAL alone, in ms; otlp_config_read() reports errors in it. */
u64 otlp_interval_ms(otlp_getenv *env);
bool otlp_config_has_grpc(const struct otlp_config *c);
void otlp_config_free(struct otlp_config *c);

const char *otlp_signal_name(enum otlp_signal s);	/* "metrics", "traces", "logs", "profiles" */
