/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.h: the only user of libcurl, which is loaded at run time when --otlp is given, because with
 * its dependencies it costs several MB. Redirects are not followed, responses not decompressed; a
 * response is limited to HTTP_ANSWER_MAX bytes and to the timeout.
 */
#pragma once

#include <stdatomic.h>

#include "exporter/otlp/answer.h"
#include "exporter/otlp/config.h"

#define HTTP_ANSWER_MAX (4 << 20)	/* the specification's limit */

/*
 * Loads libcurl once; http2: gRPC needs it. NULL, or an error message to free(). Main thread only.
 */
char *http_load(bool http2);

struct http_client;

/* e must outlive the client; *abort, set by any thread, ends an attempt within about a second. */
struct http_client *http_client_new(const struct otlp_endpoint *e, const _Atomic bool *abort);
/* Posts n bytes (gzip: compressed; gRPC: with message header) and waits for the response. */
void http_client_post(struct http_client *c, const u8 *body, size_t n, bool gzip, u64 timeout_ms,
		      struct http_answer *ret);
void http_client_free(struct http_client *c);	/* NULL-safe */
