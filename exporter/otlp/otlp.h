/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * otlp.h: exports snapshots as OTLP (metrics, requests as spans, events as log records, stacks as
 * profiles). A sink of the exporter, whose write() encodes and queues, and one thread a signal that
 * posts over HTTP or gRPC (sender.h). Only these threads wait for the network.
 */
#pragma once

#include "exporter/exporter.h"
#include "exporter/otlp/config.h"
#include "exporter/otlp/sender.h"

#define OTLP_FLUSH_MS 5000	/* time limit for sending the queue at exit */

struct otlp_sink;

/* Settings of the command line and the configuration. */
struct otlp_options {
	const char *url, *protocol, *profiles;	/* NULL: not given (except url) */
	u32 max_processes;	/* with series of their own */
	bool command_lines;	/* export command lines of processes */
	otlp_getenv *env;	/* getenv(), or a test's */
};

/*
 * Reads the environment, loads libcurl, starts threads. NULL: *ret_error, to free(). session: as in
 * struct snapshot.
 */
struct otlp_sink *otlp_open(const struct otlp_options *options, const struct session *session,
			    char **ret_error);
/* For exporter_add(); its close() flushes within about OTLP_FLUSH_MS. */
struct sink *otlp_sink_of(struct otlp_sink *o);
/*
 * A signal's statistics; false: disabled. Any thread, until the sink is back at its owner
 * (exporter_remove(), exporter_stop()).
 */
bool otlp_stats(struct otlp_sink *o, enum otlp_signal s, struct otlp_stats *ret);
/* CPU time the exporter's thread spent encoding; that of sending is in the stats. */
u64 otlp_encode_ns(const struct otlp_sink *o, enum otlp_signal s);
/* Destination of a signal; lives as long as the sink. */
const struct otlp_endpoint *otlp_endpoint_of(const struct otlp_sink *o, enum otlp_signal s);
/*
 * Sends the queue now, metrics with the next snapshot, unless a server asked to wait. A status line
 * to free(). Threads as otlp_stats().
 */
char *otlp_hurry(struct otlp_sink *o);
/* Mask of the tables it needs and of flags such as WANT_OFFCPU. */
u64 otlp_tables(const struct otlp_options *options);
/* Flags (WANT_NO_WAITS ...) of what it does not need, at ticks of tick_ns. */
u64 otlp_spares(const struct otlp_options *options, u64 tick_ns);
/* One-line summary (free() it), once the sink is closed. */
char *otlp_report(const struct otlp_sink *o);
/* Whether the collector accepted everything; once the sink is closed. */
bool otlp_is_delivered(const struct otlp_sink *o);
/* NULL-safe; the sink must be closed, or never added to an exporter. */
void otlp_free(struct otlp_sink *o);
