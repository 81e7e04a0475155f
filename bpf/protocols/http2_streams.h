/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http2_streams.h: a connection's streams, and the parts of messages emitted for each. */
#pragma once

#include "bpf/protocols/protocol.h"
#include "bpf/protocols/trace.h"

struct http2_stream;

/*
 * A connection that was open before ottop is recognised by the form of its frames, and other protocols may match
 * for a few of them (random bytes: one connection in about 100,000). Evidence against that is streams that fit
 * together: an answer with a status on the stream of a request (enough by itself), or consecutive stream ids.
 */
#define ENOUGH_EVIDENCE 2

/* All zero at first. */
struct http2_streams {
	struct http2_stream *all;
	u32 n, cap;
	u32 last_asked;		/* highest id with a request */
	u32 last_named;		/* highest id whose request has a method; kept until it is certain */
	u32 evidence;		/* that it is HTTP/2; from ENOUGH_EVIDENCE on it is certain */
	bool whole;		/* the connection was seen from its beginning */
	u64 lost;
};

/* What a header block says. */
struct http2_message {
	char method[METHOD_MAX], path[PATH_MAX_KEPT];	/* "": absent or unknown */
	struct trace trace;
	u32 status;		/* of HTTP; 0: absent */
	u32 grpc_status;	/* as from grpc_status(); 0: absent */
	bool grpc;
	bool unknown;		/* some fields could not be decoded */
	bool asks;		/* it has a field that only requests have */
	bool ends;		/* END_STREAM */
};

/* After an upgrade from HTTP/1: stream 1 is the request that asked for it (RFC 7540, 3.2). */
void streams_take_over(struct http2_streams *s);
/* A frame HEADERS begins. */
void streams_begin(struct http2_streams *s, enum role role, u32 id, const struct sink *out);
/* Its header block is complete. */
void streams_head(struct http2_streams *s, enum role role, u32 id, const struct http2_message *m,
		  const struct sink *out);
/* END_STREAM of that role. */
void streams_end(struct http2_streams *s, enum role role, u32 id, const struct sink *out);
void streams_reset(struct http2_streams *s, u32 id, const struct sink *out);
void streams_add_bytes(struct http2_streams *s, enum role role, u32 id, u64 n);
/* Bytes are missing: any open stream may have ended. */
void streams_lose(struct http2_streams *s, enum role role, const struct sink *out);
void streams_free(struct http2_streams *s);
