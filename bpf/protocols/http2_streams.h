/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http2_streams.h: the streams of a connection: what of each has been seen, and the
 * parts of messages that are told of it. Their numbers are those of exchanges.
 */
#ifndef OTTOP_HTTP2_STREAMS_H
#define OTTOP_HTTP2_STREAMS_H

#include "bpf/protocols/protocol.h"
#include "bpf/protocols/trace.h"

struct http2_stream;

/*
 * A connection that was open before ottop is known by its looks, and other protocols may look the same for some
 * frames: random ones do, one connection in some 100,000. What they do not have is streams that fit together: an
 * answer on the stream of a request (its status known: all that is needed), numbers that follow each other.
 */
#define ENOUGH_EVIDENCE 2

/* All zero at first. */
struct http2_streams {
	struct http2_stream *all;
	u32 n, cap;
	u32 last_asked;		/* the highest one that was asked on */
	u32 last_named;		/* the highest one whose request has a name: until it is certain */
	u32 evidence;		/* that it is HTTP/2: ENOUGH_EVIDENCE is certain */
	bool whole;		/* the connection was seen from its beginning */
	u64 lost;
};

/* What a header block says. */
struct http2_message {
	char method[METHOD_MAX], path[PATH_MAX_KEPT];	/* "": not there, or unknown */
	struct trace trace;
	u32 status;		/* of HTTP; 0: not there */
	u32 grpc_status;	/* as grpc_status() has it; 0: not there */
	bool grpc, scheme;
	bool unknown;		/* some of it could not be told */
	bool asks;		/* it has what only a request has */
	bool ends;		/* that role says no more on this stream */
};

/* Of a connection that was HTTP/1: stream 1 is the request that it was upgraded with (RFC 7540, 3.2). */
void streams_take_over(struct http2_streams *s);
/* A frame HEADERS begins. */
void streams_begin(struct http2_streams *s, enum role role, u32 id, const struct sink *out);
/* It has ended, with its block. */
void streams_head(struct http2_streams *s, enum role role, u32 id, const struct http2_message *m,
		  const struct sink *out);
/* That role says no more. */
void streams_end(struct http2_streams *s, enum role role, u32 id, const struct sink *out);
void streams_reset(struct http2_streams *s, u32 id, const struct sink *out);
void streams_add_bytes(struct http2_streams *s, enum role role, u32 id, u64 n);
/* Something is missing: of none that is open is it known whether it has ended. */
void streams_lose(struct http2_streams *s, enum role role, const struct sink *out);
void streams_free(struct http2_streams *s);

#endif
