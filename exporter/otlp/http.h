/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.h: the only door to libcurl, which is not linked but loaded when --otlp asks for it:
 * it and what it needs cost some MB. Redirections are never followed, answers never
 * unpacked; an answer costs at most HTTP_ANSWER_MAX bytes and the time-out.
 */
#ifndef OTTOP_OTLP_HTTP_H
#define OTTOP_OTLP_HTTP_H

#include <stdatomic.h>

#include "exporter/otlp/answer.h"
#include "exporter/otlp/config.h"

#define HTTP_ANSWER_MAX (4 << 20)	/* the specification's */

/*
 * Loads libcurl, once; NULL, or one line that says why not (free() it): http2 (grpc needs it) may
 * not be in it. Main thread.
 */
char *http_load(bool http2);

struct http_client;

/* e must outlive it; *abort set by any thread ends an attempt within about a second. */
struct http_client *http_client_new(const struct otlp_endpoint *e, const _Atomic bool *abort);
/*
 * Posts n bytes (gzip says whether they are compressed; of gRPC with their head) and waits for the
 * answer.
 */
void http_client_post(struct http_client *c, const u8 *body, size_t n, bool gzip, u64 timeout_ms,
		      struct http_answer *ret);
void http_client_free(struct http_client *c);	/* NULL-safe */

#endif
