/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * otlp.h: snapshots as OTLP (metrics, requests as spans, events as log records, stacks as profiles), to a
 * collector: a sink of the exporter whose write() encodes and queues, and one thread a signal
 * that posts (sender.h), over HTTP or gRPC. Nothing of it ever waits for the network but these threads.
 */
#ifndef OTTOP_OTLP_H
#define OTTOP_OTLP_H

#include "exporter/exporter.h"
#include "exporter/otlp/config.h"
#include "exporter/otlp/sender.h"

#define OTLP_FLUSH_MS 5000	/* for what is queued at the end */

struct otlp_sink;

/* What the command line and the configuration say. */
struct otlp_options {
	const char *url, *protocol, *profiles;	/* NULL, but url: not given */
	u32 max_processes;	/* that have series of their own */
	bool command_lines;	/* of processes leave too */
	otlp_getenv *env;	/* getenv(), or what stands for it */
};

/*
 * Reads the environment, loads libcurl, starts the threads. NULL: *ret_error is one line (free()
 * it). session as in struct snapshot.
 */
struct otlp_sink *otlp_open(const struct otlp_options *options, const struct session *session,
			    char **ret_error);
/* For exporter_add(); its close() flushes within OTLP_FLUSH_MS and a little. */
struct sink *otlp_sink_of(struct otlp_sink *o);
/*
 * What is known of one signal; false: the environment says that it is not sent. Until the sink
 * is given back to its owner (exporter_remove(), exporter_stop()), from any thread.
 */
bool otlp_stats(struct otlp_sink *o, enum otlp_signal s, struct otlp_stats *ret);
/* CPU time of making its messages, in the exporter's thread; that of sending is in the stats. */
u64 otlp_encode_ns(const struct otlp_sink *o, enum otlp_signal s);
/* Where one signal goes, as the environment and --otlp say; it lives as long as the sink. */
const struct otlp_endpoint *otlp_endpoint_of(const struct otlp_sink *o, enum otlp_signal s);
/*
 * Sends what waits now, and the metrics with the next snapshot. The line to show (free() it):
 * where a server has asked to wait that is kept to. Threads as otlp_stats().
 */
char *otlp_hurry(struct otlp_sink *o);
/* Tables that must be observed for it, and the like of WANT_OFFCPU. */
u64 otlp_tables(const struct otlp_options *options);
/* WANT_NO_WAITS and its like: what of these tables it does without, where nobody else wants it and ticks take tick_ns. */
u64 otlp_spares(const struct otlp_options *options, u64 tick_ns);
/* What became of it in one line (free() it), once the sink is closed. */
char *otlp_report(const struct otlp_sink *o);
/* Whether all was taken by the collector; once the sink is closed. */
bool otlp_is_delivered(const struct otlp_sink *o);
/* NULL-safe; the sink must be closed (or never given to an exporter). */
void otlp_free(struct otlp_sink *o);

#endif
