/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_tls.h: what the probes on TLS libraries are told: which call it is. */
#ifndef OTTOP_HTTP_TLS_H
#define OTTOP_HTTP_TLS_H

#include "bpf/kernel/net.h"

/* The cookie of a probe. */
enum tls_call_kind {
	TLS_NONE,
	TLS_READ,	/* int (session, buffer, bytes); returns bytes, 0 and less: none */
	TLS_WRITE,
	TLS_READ_EX,	/* int (session, buffer, bytes, size_t *done); returns 1 where something was done */
	TLS_WRITE_EX,
	TLS_HANDSHAKE,	/* int (session): moves records, but no text; so does a shutdown */
};

/* Sessions by their addresses. */
struct tls_key { __u64 ssl; __u32 tgid, pad; };

struct tls_session {
	__u64 number;		/* HTTP_SESSION and above; its streams are with those of sockets, by that */
	__u64 socket;		/* 0: not known */
	struct wire_ends ends;
	__u32 v6;
	__u32 unplaced;		/* calls that moved data while it was not */
};

struct tls_caller { __u64 start_ns; __u32 tgid, pad; };

enum tls_caller_bits {
	TLS_CALLS = 1,		/* functions that have probes */
	TLS_UNPLACED = 2,	/* in a session whose socket cannot be told: a socket without a session may be its */
};

/* The same of Go's crypto/tls. */
enum go_call_kind {
	GO_READ,	/* (session, buffer, ...) */
	GO_WRITE,	/* (session, bytes, length, ...) */
	GO_HANDSHAKE,	/* (session) */
	GO_COPY,	/* (to, from, length): what a read gives to who called it */
	GO_CLOSE,	/* (session) */
};

#endif
