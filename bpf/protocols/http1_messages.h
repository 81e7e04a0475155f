/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http1_messages.h: the messages of one connection of HTTP/1: which answer belongs to which request, what
 * is told of each, and what follows a head. Where that is not sure none is believed.
 */
#ifndef OTTOP_HTTP1_MESSAGES_H
#define OTTOP_HTTP1_MESSAGES_H

#include "bpf/protocols/http1_head.h"

#define DEPTH 64		/* requests that wait for answers; as many as a word has bits */

enum state {
	AT_START,	/* between messages */
	FIRST_LINE,
	NAME, VALUE,	/* of a header */
	BODY,		/* `left` bytes */
	CHUNK_SIZE, CHUNK_EXTENSION, CHUNK, CHUNK_END,
	TRAILER,	/* after the last chunk; `left`: bytes of the line so far */
	UNTIL_CLOSE,
	UNFRAMED,	/* in a body whose end cannot be counted */
	UNKNOWN		/* not even that: before the first message, or after a loss */
};

struct direction {
	struct http1_head *head;
	union {
		u64 left;
		u64 last;	/* the last 8 bytes of the message, for UNFRAMED */
	};
	u64 bytes;		/* of the message so far */
	u32 interim;		/* bytes of 100 Continue and the like before it: sent for the same request */
	u8 digits;
	u8 state;
	bool orphan : 1;	/* an answer to what was asked before we looked */
	bool anew : 1;		/* it ended before the piece that is read */
};

struct http1 {
	struct direction dir[N_ROLES];
	u64 asked, answered;	/* messages of each role that have begun */
	u64 since;		/* the first request that may be answered: those before are lost */
	union {
		u64 heads;	/* bits of the last DEPTH requests: is it the method HEAD? */
		u64 rest;	/* is_http2: bytes of the last piece that are that */
	};
	u64 connects;		/* the same of CONNECT */
	u32 lost;
	bool over : 1;
	bool pipelines : 1;	/* requests have been sent before what was asked earlier was answered */
	bool unsure : 1;	/* the end of the last request was recognised, not counted: others may be in it */
	bool mixed_up : 1;	/* which answer belongs to which request is not known any more */
	bool is_http2 : 1;	/* from here on: 101 with `Upgrade: h2c` (RFC 7540, 3.2) */
};

/* Requests whose answers have not begun. */
static inline u64 http1_waiting(const struct http1 *h)
{
	return h->asked > h->answered ? h->asked - h->answered : 0;
}

/* A message begins; unless it may be the end of another one. */
void http1_begin(struct http1 *h, enum role role, const struct sink *out);
/* Its head is whole. */
void http1_head_done(struct http1 *h, enum role role, const struct sink *out);
/* The head goes on in bytes that nobody has: its first line is known, its framing is not. */
void http1_head_cut(struct http1 *h, enum role role, const struct sink *out);
void http1_end(struct http1 *h, enum role role, const struct sink *out);
/* Nothing is known any more of this direction: what was under way is lost. */
void http1_lose(struct http1 *h, enum role role, const struct sink *out);
/*
 * Messages may have been taken for the end of another one, while more than one request waits: what
 * comes is only counted as lost. A wrong status would be worse.
 */
void http1_mix_up(struct http1 *h, enum role role, const struct sink *out);
/* The connection closes this direction. */
void http1_closed(struct http1 *h, enum role role, const struct sink *out);
void http1_forget_head(struct direction *d);

#endif
