/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ids.h: ids of a request's span, and its trace's sampling. Exporter thread only. */
#pragma once

#include "bpf/model/snapshot.h"

#define TRACE_ID_BYTES 16
#define SPAN_ID_BYTES 8

struct otlp_span_ids {
	u8 trace[TRACE_ID_BYTES], span[SPAN_ID_BYTES];
};

/*
 * Ids of a request's span: the trace of its traceparent (W3C Trace Context), or a generated one.
 * Generated ids are unpredictable to others but always the same for one request, so that other
 * records can refer to its span.
 */
void otlp_ids_of(const struct requests_row *r, struct otlp_span_ids *ret);
/* The parent span id from traceparent; false: none. */
bool otlp_ids_parent(const struct requests_row *r, u8 ret[SPAN_ID_BYTES]);
/* The same decision for all spans of a trace, on every host; ratio: 0 to 1. */
bool otlp_ids_sampled(const struct otlp_span_ids *ids, double ratio);
