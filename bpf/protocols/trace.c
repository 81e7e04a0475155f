// SPDX-License-Identifier: GPL-2.0-or-later
/* trace.c: see trace.h. */
#include <string.h>

#include "bpf/protocols/trace.h"

/* 00-TRACE ID-SPAN ID-FLAGS */
void trace_parse(struct trace *t, const char *value)
{
	const char *trace = value + 3, *span = trace + TRACE_ID_LEN + 1;

	if (strlen(value) < 3 + TRACE_ID_LEN + 1 + SPAN_ID_LEN + 3 || value[2] != '-' ||
	    strspn(trace, "0123456789abcdef") != TRACE_ID_LEN || trace[TRACE_ID_LEN] != '-' ||
	    strspn(span, "0123456789abcdef") != SPAN_ID_LEN || span[SPAN_ID_LEN] != '-')
		return;
	memcpy(t->trace_id, trace, TRACE_ID_LEN);
	memcpy(t->span_id, span, SPAN_ID_LEN);
}
