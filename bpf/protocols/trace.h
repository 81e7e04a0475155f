/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.h: the header traceparent: W3C Trace Context. */
#pragma once

#include "bpf/protocols/protocol.h"

struct trace {
	char trace_id[TRACE_ID_LEN + 1], span_id[SPAN_ID_LEN + 1];	/* "": none */
};

/* Reads the value of the header; where it is not in order, *t stays as it is. */
void trace_parse(struct trace *t, const char *value);
