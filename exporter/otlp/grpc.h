/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grpc.h: what OTLP over gRPC is more than a POST over HTTP/2: messages have a head of 5 bytes,
 * how it went is in trailers. Sources: PROTOCOL-HTTP2.md, statuscodes.md and
 * http-grpc-status-mapping.md of gRPC; OTLP specification, OTLP/gRPC. Answers are hostile:
 * nothing here allocates but grpc_frame().
 */
#ifndef OTTOP_OTLP_GRPC_H
#define OTTOP_OTLP_GRPC_H

#include "exporter/otlp/answer.h"

#define GRPC_HEAD 5

/* A message (taken; from malloc) with its head before it; *n becomes the length of both. */
u8 *grpc_frame(u8 *message, size_t *n, bool gzip);
/* "1500m": the value of grpc-timeout, which has at most 8 digits. */
void grpc_timeout(u64 timeout_ms, char *buf, size_t cap);
/* Judges an answer: by grpc-status, and where there is none by the status of HTTP. */
void grpc_judge(const struct http_answer *a, struct otlp_outcome *ret);

#endif
