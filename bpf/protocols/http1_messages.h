/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http1_messages.h: a connection's HTTP/1 messages: matches answers to requests (doubtful matches
 * are not reported), decides the framing after a head.
 */
#pragma once

#include "bpf/protocols/http1_head.h"

#define DEPTH 64		/* pipelined requests; one bit each in a u64 */

enum state {
	AT_START,	/* between messages */
	FIRST_LINE,
	NAME, VALUE,	/* of a header */
	BODY,		/* `left` bytes */
	CHUNK_SIZE, CHUNK_EXTENSION, CHUNK, CHUNK_END,
	TRAILER,	/* after the last chunk; `left`: bytes of the line so far */
	UNTIL_CLOSE,
	UNFRAMED,	/* in a body whose end cannot be found by counting */
	UNKNOWN		/* out of sync: before the first message, or after a loss */
};

struct direction {
	struct http1_head *head;
	union {
		u64 left;
		u64 last;	/* the last 8 bytes of the message, for UNFRAMED */
	};
	u64 bytes;		/* of the message so far */
	u32 interim;		/* bytes of 1xx answers before it: part of the same exchange */
	u8 digits;
	u8 state;
	bool orphan : 1;	/* an answer whose request was not seen */
	bool anew : 1;		/* it ended before the current piece */
};

struct http1 {
	struct direction dir[N_ROLES];
	u64 asked, answered;	/* messages of each role that have begun */
	u64 since;		/* the first request that may still be answered; earlier ones are lost */
	union {
		u64 heads;	/* bits of the last DEPTH requests: method HEAD */
		u64 rest;	/* is_http2: bytes of the last piece that are HTTP/2 */
	};
	u64 connects;		/* bits of the last DEPTH requests: method CONNECT */
	u32 lost;
	bool over : 1;
	bool pipelines : 1;	/* requests were sent while earlier ones were unanswered */
	bool unsure : 1;	/* the end of the last request was guessed, not counted: it may contain others */
	bool mixed_up : 1;	/* answers can no longer be matched to requests */
	bool is_http2 : 1;	/* upgraded: 101 with `Upgrade: h2c` (RFC 7540, 3.2) */
};

/* Number of requests whose answers have not begun. */
static inline u64 http1_waiting(const struct http1 *h)
{
	return h->asked > h->answered ? h->asked - h->answered : 0;
}

/* A message begins; ignored where it may be the end of another one. */
void http1_begin(struct http1 *h, enum role role, const struct sink *out);
/* Its head is complete. */
void http1_head_done(struct http1 *h, enum role role, const struct sink *out);
/* The rest of the head was not captured: its first line is known, its framing is not. */
void http1_head_cut(struct http1 *h, enum role role, const struct sink *out);
void http1_end(struct http1 *h, enum role role, const struct sink *out);
/* This direction is out of sync: open exchanges are lost. */
void http1_lose(struct http1 *h, enum role role, const struct sink *out);
/* A message may be missing: answers can no longer be matched and only count as lost. */
void http1_mix_up(struct http1 *h, enum role role, const struct sink *out);
/* The connection closes this direction. */
void http1_closed(struct http1 *h, enum role role, const struct sink *out);
void http1_forget_head(struct direction *d);
