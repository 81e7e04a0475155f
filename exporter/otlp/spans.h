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
/* The same of exec, exit, OOM kill and failed connections as log records. */
u8 *otlp_logs_pack(struct scratch *a, struct event_cursor *sent, const struct snapshot *s,
		   const struct otlp_config *config, size_t *ret_n, u32 *ret_items);

#endif
