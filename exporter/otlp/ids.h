/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ids.h: the ids of the span of a request, and whether its trace is sampled. For the exporter's thread alone. */
#ifndef OTTOP_OTLP_IDS_H
#define OTTOP_OTLP_IDS_H

#include "bpf/model/snapshot.h"

#define TRACE_ID_BYTES 16
#define SPAN_ID_BYTES 8

struct otlp_span_ids {
	u8 trace[TRACE_ID_BYTES], span[SPAN_ID_BYTES];
};

/*
 * Of the span that tells of this request: the trace of its traceparent (W3C Trace Context), or one of its own. Random
 * to others and the same whenever it is asked, so that what else belongs to a request can name its span.
 */
void otlp_ids_of(const struct requests_row *r, struct otlp_span_ids *ret);
/* The caller's span, from traceparent. False: there is none. */
bool otlp_ids_parent(const struct requests_row *r, u8 ret[SPAN_ID_BYTES]);
/* The same answer for all spans of a trace, on every host; ratio: 0 to 1. */
bool otlp_ids_sampled(const struct otlp_span_ids *ids, double ratio);

#endif
