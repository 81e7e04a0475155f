/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spans.h: rows of `requests` as spans, rows of `events` as log records; each row once. */
#ifndef OTTOP_OTLP_SPANS_H
#define OTTOP_OTLP_SPANS_H

#include "exporter/otlp/links.h"
#include "exporter/otlp/message.h"

/* The requests that came since a reader had what there was, by the time at which they began. */
struct otlp_due {
	const struct requests_row **rows;	/* of a snapshot */
	u32 n, at, cap;		/* at: the first one that has not left */
};
/* *due is zeroed, or one that has been used up. */
void otlp_spans_due(struct otlp_due *due, struct event_cursor *sent, const struct snapshot *s);
void otlp_due_free(struct otlp_due *due);
/*
 * The spans of the next of these, up to some hundreds, encoded (free() it), or NULL where there
 * are none any more. A request that carried traceparent is part of that trace, and its parent is the
 * span named there; others are traces of their own. The two sides of one call are linked. `a` is
 * empty, and is again afterwards.
 */
u8 *otlp_spans_pack(struct scratch *a, struct otlp_due *due, struct otlp_links *links,
		    const struct snapshot *s, const struct otlp_config *config, size_t *ret_n, u32 *ret_items);

/* Which events have left as log records, and which wait for the end of the request that they may be a part of. */
struct otlp_logs;
struct otlp_logs *otlp_logs_new(void);
/*
 * Exec, exit, OOM kill and failed connections since the last call, as spans are. What happened while a process served
 * one request has the ids of that one's span. Those are known once it has ended: so what happens in a process that
 * serves requests leaves some seconds later, at most; with `end` at once.
 */
u8 *otlp_logs_pack(struct scratch *a, struct otlp_logs *of, const struct snapshot *s,
		   const struct otlp_config *config, bool end, size_t *ret_n, u32 *ret_items);
void otlp_logs_free(struct otlp_logs *l);	/* NULL-safe */

#endif
