/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.h: where OTLP goes and how: --otlp and the variables OTEL_*, as the
 * OpenTelemetry specification (protocol/exporter, configuration/sdk-environment-variables,
 * resource/sdk) defines them and in its order: a variable of one signal before the one for
 * all; --otlp stands for OTEL_EXPORTER_OTLP_ENDPOINT, --otlp-protocol for OTEL_EXPORTER_OTLP_PROTOCOL. An empty variable is as if not set; a
 * value that means nothing is logged and ignored.
 */
#ifndef OTTOP_OTLP_CONFIG_H
#define OTTOP_OTLP_CONFIG_H

#include "bpf/model/base.h"
#include "exporter/otlp/pairs.h"

enum otlp_signal { OTLP_METRICS, OTLP_TRACES, OTLP_LOGS, OTLP_PROFILES, OTLP_SIGNALS };
enum otlp_temporality { OTLP_CUMULATIVE, OTLP_DELTA, OTLP_LOW_MEMORY };

/* WAITING: only what must wait, where the endpoint does not take it: room is scarce then, time is not. */
enum otlp_gzip { OTLP_GZIP_NEVER, OTLP_GZIP_WAITING, OTLP_GZIP };

/* Where one signal goes. */
struct otlp_endpoint {
	char *url;
	struct otlp_pairs headers;
	u64 timeout_ms;		/* of one attempt; a day where there is no limit */
	enum otlp_gzip gzip;
	bool grpc;		/* else HTTP */
	char *ca_file, *client_cert, *client_key;	/* PEM; NULL: those of the system, none */
};

struct otlp_config {
	struct otlp_endpoint endpoints[OTLP_SIGNALS];
	enum otlp_temporality temporality;
	u64 interval_ms;	/* between two exports of metrics */
	double sample_ratio;	/* of the traces, 0 to 1 */
	bool command_lines;	/* are attributes of processes; not a variable: the caller's */
	char *service_name;	/* of ottop itself */
	struct otlp_pairs resource;	/* attributes of ottop's resource and of all others */
};

typedef const char *otlp_getenv(const char *name);

/*
 * OTEL_SDK_DISABLED, OTEL_METRICS_EXPORTER and its like: false when the signal is not to be sent. The
 * specification names no variables of profiles yet; they are formed as the others are.
 */
bool otlp_signal_wanted(enum otlp_signal s, otlp_getenv *env);
/* Why a signal that is not wanted is not, in a few words; static. */
const char *otlp_why_off(enum otlp_signal s, otlp_getenv *env);

/*
 * Fills c from --otlp URL, --otlp-protocol (or NULL) and the environment (getenv(), but for
 * tests). NULL, or one line that says what is wrong (free() it). otlp_config_free() in both cases.
 */
char *otlp_config_read(struct otlp_config *c, const char *url, const char *protocol, otlp_getenv *env);
/* OTEL_METRIC_EXPORT_INTERVAL alone, in ms; otlp_config_read() says what is wrong with it. */
u64 otlp_interval_ms(otlp_getenv *env);
bool otlp_config_has_grpc(const struct otlp_config *c);
void otlp_config_free(struct otlp_config *c);

const char *otlp_signal_name(enum otlp_signal s);	/* "metrics", "traces", "logs", "profiles" */

#endif
