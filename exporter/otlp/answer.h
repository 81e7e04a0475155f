/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answer.h: evaluates a collector's response: delivered, to be retried, or rejected permanently, by
 * the OTLP specification (OTLP/HTTP Response). Responses are untrusted: nothing here allocates, and
 * every length is checked.
 */
#pragma once

#include "bpf/model/base.h"

/* gRPC trailers as text; "" where absent. */
struct grpc_trailers {
	bool is_grpc;		/* by its Content-Type */
	bool last;		/* the status came after the body, or there was no body */
	char status[12], message[256];
	char details[512];	/* base64 of a google.rpc.Status */
};

struct http_answer {
	u32 status;		/* 0: no response, see error */
	bool is_protobuf;	/* by its Content-Type */
	bool cut;		/* the body is incomplete: too long, too slow, or disconnected */
	bool too_long;
	u64 took_ns;
	char retry_after[64];	/* the header, or "" */
	struct grpc_trailers grpc;	/* gRPC only */
	char error[160];	/* one line, "" if the response is complete */
	u32 n;
	u8 body[16 << 10];	/* the beginning of the body: no meaningful response is longer */
};

enum otlp_verdict { OTLP_SENT, OTLP_RETRY, OTLP_REFUSED };

struct otlp_outcome {
	enum otlp_verdict verdict;
	u64 rejected;		/* SENT: number of items rejected */
	u64 wait_ms;		/* RETRY: as requested by the server; 0: not requested */
	char message[200];	/* for display, safe for a terminal; "" on success */
};

/* Evaluates a plain HTTP response; now is Unix time in seconds. */
void otlp_judge(const struct http_answer *a, time_t now, struct otlp_outcome *ret);
/* Sets o->message of a (partial) success from o->rejected and the server's text ("": none). */
void otlp_set_partial(struct otlp_outcome *o, const char *text);

/* Limits of a server's delay: "at once" must not loop, "next year" not stop the export. */
#define OTLP_WAIT_MIN_MS 1000
#define OTLP_WAIT_MAX_MS 600000
u64 otlp_wait_limited_ms(u64 ms);

/* Parses Retry-After, seconds or an HTTP date (RFC 9110), into ms within the limits; 0: neither. */
u64 otlp_retry_after_ms(const char *text, time_t now);

/* Backoff, ms, before attempt failed + 1: 1 s doubled up to 30 s, times 0.5 to 1.5 by `random`. */
u64 otlp_backoff_ms(u32 failed, u32 random);
