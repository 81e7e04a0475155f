/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spans.h: rows of `requests` as spans, rows of `events` as log records; each row once. */
#pragma once

#include "exporter/otlp/links.h"
#include "exporter/otlp/message.h"

/* Requests that are new since `sent`, in order of their start. */
struct otlp_due {
	const struct requests_row **rows;	/* of the snapshot */
	u32 n, at, cap;		/* at: the first not yet exported */
};
/* due must be zeroed or used up. */
void otlp_spans_due(struct otlp_due *due, struct event_cursor *sent, const struct snapshot *s);
void otlp_due_free(struct otlp_due *due);
/*
 * Encodes the next few hundred spans (free() it); NULL: none left. A request with traceparent
 * continues that trace, with the span named there as parent; others start a trace. Client and
 * server span of one call are linked. `a` must be empty and is emptied again.
 */
u8 *otlp_spans_pack(struct scratch *a, struct otlp_due *due, struct otlp_links *links,
		    const struct snapshot *s, const struct otlp_config *config, size_t *ret_n, u32 *ret_items);

/* State of logs: events sent, and held back until the request that they may belong to ends. */
struct otlp_logs;
struct otlp_logs *otlp_logs_new(void);
/*
 * Encodes exec, exit, OOM kill and failed connections since the last call. An event during the only
 * request that its process was serving gets the ids of that request's span. These are known once
 * the request ends, so events of processes that are serving requests leave up to a few seconds
 * later; with `end` at once.
 */
u8 *otlp_logs_pack(struct scratch *a, struct otlp_logs *of, const struct snapshot *s,
		   const struct otlp_config *config, bool end, size_t *ret_n, u32 *ret_items);
void otlp_logs_free(struct otlp_logs *l);	/* NULL-safe */
