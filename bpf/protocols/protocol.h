/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * protocol.h: what an application protocol is: one file, one line in
 * protocols.def, and functions without side effects. Bytes of one direction go
 * in, parts of messages come out; what the two directions tell each other (the
 * method an answer belongs to, names given in earlier messages) is in the state
 * that they share. Everything that is read here is hostile.
 *
 * A request and what is answered to it have the same number, which the reader
 * gives: HTTP/1 counts, HTTP/2 has stream numbers, Kafka and DNS have ids.
 * Many answers to one request (MySQL result sets, gRPC streams) are one answer
 * whose end comes with the last of them.
 */
#ifndef OTTOP_PROTOCOL_H
#define OTTOP_PROTOCOL_H

#include "bpf/model/base.h"

#define METHOD_MAX 16		/* with its NUL; a longer one is no method */
#define PATH_MAX_KEPT 192	/* with its NUL; longer ones are cut */
#define TRACE_ID_LEN 32		/* hex digits */
#define SPAN_ID_LEN 16

/* Of whom bytes are: who asks, who answers. Which of them sends is the follower's business. */
enum role { ASKS, ANSWERS, N_ROLES };

enum piece_kind {
	PIECE_DATA,	/* n bytes at data */
	PIECE_GAP,	/* n bytes that were not captured */
	PIECE_LOST,	/* nobody knows how many bytes are missing */
	PIECE_END	/* no more will come */
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
	PART_HEAD,	/* what it is called, or its status, is known */
	PART_DONE,	/* its last byte has been seen */
	PART_BROKEN,	/* it ended before it was whole; number 0: all that was under way is lost */
	PART_LOST	/* what becomes of that exchange cannot be told: it is lost */
};

/* Texts live until the function that is called returns; NULL: unknown. */
struct part {
	enum part_kind kind;
	enum role role;
	u64 number;		/* of the exchange */
	u64 bytes;		/* DONE: of the whole message, head and framing included */
	/* HEAD of who asks: */
	const char *method;	/* "GET"; Redis: the command; SQL: the verb */
	const char *path;	/* without query; NULL: the protocol has none */
	const char *trace_id, *span_id;	/* of `traceparent` */
	/* HEAD of who answers; may come again, as more is known: */
	u32 status;		/* as the protocol numbers them, from status_base on; or one of enum status */
	const struct protocol *inner;	/* HEAD: what this one carries (HTTP/2: gRPC); NULL: nothing else */
	bool uncertain;		/* DONE: its end was recognised, not counted */
	bool earlier;		/* DONE: its last byte came before this piece */
};

/* STATUS_UNKNOWN: there is one, but it cannot be told. */
enum status { STATUS_NONE, STATUS_UNKNOWN = 0x7fffffff };

struct sink {
	void (*part)(void *arg, const struct part *p);
	void *arg;
};

enum protocol_id {
#define PROTOCOL(name) PROTOCOL_##name,
#include "bpf/protocols/protocols.def"
#undef PROTOCOL
	N_PROTOCOLS
};

enum verdict { VERDICT_NO, VERDICT_MORE, VERDICT_YES };

struct protocol {
	const char *name;	/* as in the column `protocol` */
	/* Do these bytes, the first of a socket call, begin a message of that role? */
	enum verdict (*recognise)(const u8 *data, u64 n, enum role *ret_role);
	u32 state_bytes;	/* of both directions; all zero at first */
	void (*read)(void *state, enum role role, const struct piece *p, const struct sink *out);
	/* What is left is something else: a tunnel, or never was this protocol. NULL: that does not happen. */
	bool (*is_over)(const void *state);
	/*
	 * Whether it is this protocol, and not something else whose first bytes happened to look like it. Until then
	 * its requests are held back, and what is lost does not count. NULL: whoever is recognised is certain.
	 */
	bool (*is_certain)(const void *state);
	/*
	 * What the connection has become with the last piece, whose last `rest` bytes are the other's
	 * already, and which exchange goes on there as number 1. N_PROTOCOLS, or no such function: it stays.
	 */
	enum protocol_id (*becomes)(const void *state, u64 *ret_rest, u64 *ret_number);
	/* The connection has become this one, and has been asked once. */
	void (*take_over)(void *state);
	u64 (*messages_lost)(const void *state);	/* known to be missing, so far */
	/* Frees what the state points to, if it does (else NULL); the state itself is the caller's. */
	void (*close)(void *state);
	/* Whether that status is an error, as the semantic conventions have it. */
	bool (*is_error)(u32 status, bool server);
	u32 status_base;	/* what a status of 0 is here: STATUS_NONE is none */
	const char *(*status_name)(u32 status);	/* NULL, also returned: its number says it */
};

#define PROTOCOL(name) extern const struct protocol name##_protocol;
#include "bpf/protocols/protocols.def"
#undef PROTOCOL

extern const struct protocol *const protocols[N_PROTOCOLS];	/* by protocol_id */

/* is_error() of statuses numbered as HTTP does: opentelemetry.io/docs/specs/semconv/http/http-spans/#status */
static inline bool protocol_http_error(u32 status, bool server)
{
	return status >= (server ? 500 : 400);
}

#endif
