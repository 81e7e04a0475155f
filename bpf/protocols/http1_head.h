/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http1_head.h: one head of HTTP/1, byte by byte: method, path without query, status, traceparent, and
 * what its headers say of the body's framing. Framing is what an attacker lies about: where two readings
 * are possible (lengths that differ, a blank before the colon, unknown codings) it is marked as doubtful.
 */
#ifndef OTTOP_HTTP1_HEAD_H
#define OTTOP_HTTP1_HEAD_H

#include "bpf/protocols/protocol.h"
#include "bpf/protocols/trace.h"

#define NAME_MAX_KEPT 24	/* of a header; longer ones are none of ours */
#define VALUE_MAX_KEPT 64
#define HEAD_MAX (1u << 20)	/* a head that goes on longer is not waited for */

enum framing_flags { HAS_LENGTH = 1, CHUNKED = 2, CODED = 4, DOUBTFUL = 8, OLD = 16, UPGRADES = 32, TO_HTTP2 = 64 };

/* A head that is being read; all zero at first. */
struct http1_head {
	u32 bytes, n_first, n_name, n_value;
	u32 status;
	u64 length;
	u8 flags, word;		/* word: of the first line, from 0 */
	bool in_query, bad;
	bool known;		/* the value is of a header that is looked at */
	char method[METHOD_MAX], path[PATH_MAX_KEPT], version[12];
	char name[NAME_MAX_KEPT], value[VALUE_MAX_KEPT];
	struct trace trace;
};

/* A byte of the first line, which is no CR or LF. */
void http1_head_first_byte(struct http1_head *x, enum role role, u8 c);
/* The first line, where it is whole and usual: how long it is without its CR and LF; else 0. */
u32 http1_head_first_line(struct http1_head *x, enum role role, const u8 *p, u64 n);
/* False: this is no first line of HTTP/1. */
bool http1_head_first_done(struct http1_head *x, enum role role);

/* A byte of the name of a header: no CR, LF or colon. */
void http1_head_name_byte(struct http1_head *x, u8 c);
/* The name ends with a colon. */
void http1_head_name_done(struct http1_head *x);
/* A line without a colon ends; true: it was the empty one, and with it the head is whole. */
bool http1_head_line_done(struct http1_head *x);
/* A byte of a value: no LF. */
void http1_head_value_byte(struct http1_head *x, u8 c);
void http1_head_value_done(struct http1_head *x);
/* Reads what is of the name, or of a value that nobody looks at, as most of a head is; returns how many bytes. */
u32 http1_head_pass(struct http1_head *x, bool in_value, const u8 *p, u64 n);

#endif
