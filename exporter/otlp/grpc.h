/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grpc.h: how OTLP over gRPC differs from a POST over HTTP/2: messages have a header of 5 bytes,
 * the result is in the trailers. Sources: PROTOCOL-HTTP2.md, statuscodes.md and
 * http-grpc-status-mapping.md of gRPC; OTLP specification, OTLP/gRPC. Responses are untrusted:
 * nothing here allocates but grpc_wrap().
 */
#pragma once

#include "exporter/otlp/answer.h"

#define GRPC_HEAD 5

/* Prepends the gRPC header to a message (takes over, may move it); *n: total length. free() it. */
u8 *grpc_wrap(u8 *message, size_t *n, bool gzip);
/* The value of grpc-timeout, "1500m": at most 8 digits. */
void grpc_timeout(u64 timeout_ms, char *buf, size_t cap);
/* Evaluates a response by grpc-status or, if it is absent, by the HTTP status. */
void grpc_judge(const struct http_answer *a, struct otlp_outcome *ret);
