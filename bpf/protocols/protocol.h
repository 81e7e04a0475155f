/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * protocol.h: the interface of an application protocol: one file, one line in
 * protocols.def, and functions without side effects. Bytes of one direction go
 * in, parts of messages come out. What one direction must know of the other (the
 * method of the request, header tables) is in the state that both share. All
 * input is hostile.
 *
 * A request and its answer have the same number, which the protocol's parser
 * assigns: HTTP/1 counts, HTTP/2 has stream ids, Kafka and DNS have request ids.
 * Several answers to one request (MySQL result sets, gRPC streams) count as one,
 * which ends with the last of them.
 */
#pragma once

#include "bpf/model/base.h"

#define METHOD_MAX 16		/* with its NUL; longer words are no method */
#define PATH_MAX_KEPT 192	/* with its NUL; longer ones are cut */
#define TRACE_ID_LEN 32		/* hex digits */
#define SPAN_ID_LEN 16

/* The sender of the bytes: client (ASKS) or server. The follower maps directions to roles. */
enum role { ASKS, ANSWERS, N_ROLES };

enum piece_kind {
	PIECE_DATA,	/* n bytes at data */
	PIECE_GAP,	/* n bytes that were not captured */
	PIECE_LOST,	/* an unknown number of bytes is missing */
	PIECE_END	/* end of the stream */
};

/* Part of one direction, in the order of the stream. */
struct piece {
	enum piece_kind kind;
	bool begins;		/* its first byte is the first of a socket call: messages often begin there */
	u64 n;
	const u8 *data;
	const u8 *tail;		/* GAP: its last 8 bytes; NULL: unknown */
};

enum part_kind {
	PART_BEGIN,	/* the first byte of a message */
	PART_HEAD,	/* method and path, or status, are known */
	PART_DONE,	/* its last byte has been seen */
	PART_BROKEN,	/* it ended early; number 0: all open exchanges are lost */
	PART_LOST	/* the outcome of that exchange cannot be determined: it counts as lost */
};

/* Texts are valid only during the call; NULL: unknown. */
struct part {
	enum part_kind kind;
	enum role role;
	u64 number;		/* of the exchange */
	u64 bytes;		/* DONE: of the whole message, head and framing included */
	/* HEAD of a request: */
	const char *method;	/* "GET"; Redis: the command; SQL: the verb */
	const char *path;	/* without query; NULL: the protocol has none */
	const char *trace_id, *span_id;	/* of `traceparent` */
	/* HEAD of an answer; may be repeated when more is known: */
	u32 status;		/* the protocol's number plus status_base; or one of enum status */
	const struct protocol *inner;	/* HEAD: the protocol on top (HTTP/2: gRPC); NULL: none */
	bool uncertain;		/* DONE: the end was found by a heuristic, not by counting bytes */
	bool earlier;		/* DONE: its last byte was in an earlier piece */
};

/* STATUS_UNKNOWN: there is one, but its value is unknown. */
enum status { STATUS_NONE, STATUS_UNKNOWN = 0x7fffffff };

struct sink {
	void (*part)(void *arg, const struct part *p);
	void *arg;
};

enum protocol_id {
#define PROTOCOL(name) PROTOCOL_##name,
#include "bpf/protocols/protocols.def"
	N_PROTOCOLS
};

enum verdict { VERDICT_NO, VERDICT_MORE, VERDICT_YES };

struct protocol {
	const char *name;	/* as in the column `protocol` */
	/* Do these bytes, the first of a socket call, begin a message of that role? */
	enum verdict (*recognise)(const u8 *data, u64 n, enum role *ret_role);
	u32 state_bytes;	/* of both directions; all zero at first */
	void (*read)(void *state, enum role role, const struct piece *p, const struct sink *out);
	/* The rest of the connection is something else: a tunnel, or it never was this protocol. NULL: never. */
	bool (*is_over)(const void *state);
	/*
	 * False: only the first bytes match; requests are held, no losses counted. NULL: certain.
	 */
	bool (*is_certain)(const void *state);
	/*
	 * After an upgrade: the new protocol, which the last *ret_rest bytes belong to, and the
	 * exchange that goes on as number 1. N_PROTOCOLS or NULL: none.
	 */
	enum protocol_id (*becomes)(const void *state, u64 *ret_rest, u64 *ret_number);
	/* A connection was upgraded to this protocol, with one request open. */
	void (*take_over)(void *state);
	u64 (*messages_lost)(const void *state);	/* known to be missing, so far */
	/* Frees what the state points to; NULL: nothing. The state itself is the caller's. */
	void (*close)(void *state);
	/* Is that status an error by the semantic conventions? */
	bool (*is_error)(u32 status, bool server);
	u32 status_base;	/* added to the protocol's numbers, so that its 0 is not STATUS_NONE */
	const char *(*status_name)(u32 status);	/* NULL, also as result: shown as a number */
};

#define PROTOCOL(name) extern const struct protocol name##_protocol;
#include "bpf/protocols/protocols.def"

extern const struct protocol *const protocols[N_PROTOCOLS];	/* by protocol_id */

/* is_error() of statuses numbered as HTTP does: opentelemetry.io/docs/specs/semconv/http/http-spans/#status */
static inline bool protocol_http_error(u32 status, bool server)
{
	return status >= (server ? 500 : 400);
}
