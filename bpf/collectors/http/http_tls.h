/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* http_tls.h: TLS sessions and processes, and the kinds of probes, shared with user space. */
#pragma once

#include "bpf/kernel/net.h"

/* The cookie of a probe. */
enum tls_call_kind {
	TLS_NONE,
	TLS_READ,	/* int (session, buffer, bytes); returns bytes, 0 and less: none */
	TLS_WRITE,
	TLS_READ_EX,	/* int (session, buffer, bytes, size_t *done); returns 1 on success */
	TLS_WRITE_EX,
	TLS_HANDSHAKE,	/* int (session): moves records, but no text; also shutdown */
};

/* Sessions by their addresses. */
struct tls_key { __u64 ssl; __u32 tgid, pad; };

struct tls_session {
	__u64 number;		/* HTTP_SESSION and above; key of its state among those of sockets */
	__u64 socket;		/* 0: unknown */
	struct wire_ends ends;
	__u8 v6;
	/* what was learned for open calls: http_open.bpf.h */
	__u8 keeps;		/* some writes are sent after the call */
	__u8 refused;		/* the socket did not take all of a write, which is retried */
	__u8 follows;		/* how often it was read until nothing was left */
	__u8 owes;		/* the last read returned data, and no read has followed yet */
	__u8 waits;		/* its reads do not follow the pattern: their returns stay probed */
	__u8 more;		/* overhead of its records over their text; 0: unknown */
	__u8 pad;
	__u32 proven;		/* writes up to this size go out as one record within the call */
	__u32 unplaced;		/* calls that moved data while its socket was unknown */
};

struct tls_caller { __u64 start_ns; __u32 tgid, pad; };

enum tls_caller_bits {
	TLS_CALLS = 1,		/* has called probed functions */
	TLS_UNPLACED = 2,	/* has a session whose socket is unknown: a socket without a session may belong to it */
};

/* The same of Go's crypto/tls. */
enum go_call_kind {
	GO_READ,	/* (session, buffer, ...) */
	GO_WRITE,	/* (session, bytes, length, ...) */
	GO_HANDSHAKE,	/* (session) */
	GO_COPY,	/* (to, from, length): the result of a read */
	GO_CLOSE,	/* (session) */
};
