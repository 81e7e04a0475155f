/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answer.h: what a collector said: whether a batch is delivered, must be sent again, or is
 * refused for good, by the rules of the OTLP specification (OTLP/HTTP Response). Answers are
 * hostile: nothing here allocates, and every length is checked.
 */
#ifndef OTTOP_OTLP_ANSWER_H
#define OTTOP_OTLP_ANSWER_H

#include "bpf/model/base.h"

/* What gRPC says of a call, as text; "" where it says nothing. */
struct grpc_trailers {
	bool is_grpc;		/* by its Content-Type */
	bool last;		/* the status came behind the body, or there was none */
	char status[12], message[256];
	char details[512];	/* base64 of a google.rpc.Status */
};

/* What came back over HTTP. */
struct http_answer {
	u32 status;		/* 0: none came, error says why */
	bool is_protobuf;	/* by its Content-Type */
	bool cut;		/* the body is not whole: too long, too slow, or it broke off */
	bool too_long;
	u64 took_ns;
	char retry_after[64];	/* the header, or "" */
	struct grpc_trailers grpc;	/* of gRPC only */
	char error[160];	/* one line, "" when the answer came whole */
	u32 n;
	u8 body[16 << 10];	/* its beginning: no answer that means something is longer */
};

enum otlp_verdict { OTLP_SENT, OTLP_RETRY, OTLP_REFUSED };

struct otlp_outcome {
	enum otlp_verdict verdict;
	u64 rejected;		/* SENT: of the items, those that were not taken */
	u64 wait_ms;		/* RETRY: as the server asked; 0: it did not */
	char message[200];	/* what to show, safe for a terminal; "" when all is well */
};

/* Judges one answer over plain HTTP; now is Unix time in seconds. */
void otlp_judge(const struct http_answer *a, time_t now, struct otlp_outcome *ret);
/* The message of what was taken, for o->rejected and the text of a partial success ("": none). */
void otlp_tell_partial(struct otlp_outcome *o, const char *text);

/*
 * What a server asks us to wait, within limits: one that says "at once" would have us in a loop,
 * one that says "next year" would have us forget it.
 */
#define OTLP_WAIT_MIN_MS 1000
#define OTLP_WAIT_MAX_MS 600000
u64 otlp_wait_limited_ms(u64 ms);

/* Retry-After: seconds, or a date as HTTP writes it (RFC 9110), in ms and limited; 0: neither. */
u64 otlp_retry_after_ms(const char *text, time_t now);

/*
 * How long to wait before attempt `failed` + 1, in ms: 1 s, doubled each time up to 30 s,
 * and of that half to one and a half by `random`, so that a fleet does not come back at once.
 */
u64 otlp_backoff_ms(u32 failed, u32 random);

#endif
