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
	__u8 v6;
	__u8 keeps;		/* not all that is written is sent in that call */
	__u8 refused;		/* the socket has not taken all of a write, which is tried again */
	__u8 follows;		/* so many times what came was read until there was nothing more: see http_open.bpf.h */
	__u8 owes;		/* a read that brought something was not followed by one yet */
	__u8 waits;		/* reads are seen to return: there was something else than what http_open.bpf.h counts on */
	__u8 more;		/* what the record is longer that is read; 0: not known */
	__u8 pad;
	__u32 proven;		/* what of it goes as one record in the call that writes it, up to so many bytes */
	__u32 unplaced;		/* calls that moved data while its socket was not known */
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
