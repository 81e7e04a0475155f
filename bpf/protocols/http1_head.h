/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http1_head.h: parses one HTTP/1 head byte by byte: method, path without query, status, traceparent, and
 * the framing of the body. Attackers forge framing (request smuggling): where two readings are possible
 * (differing lengths, a blank before the colon, unknown codings) it is marked as doubtful.
 */
#pragma once

#include "bpf/protocols/protocol.h"
#include "bpf/protocols/trace.h"

#define NAME_MAX_KEPT 24	/* of a header; longer names are of no interest */
#define VALUE_MAX_KEPT 64
#define HEAD_MAX (1u << 20)	/* longer heads are given up */

enum framing_flags { HAS_LENGTH = 1, CHUNKED = 2, CODED = 4, DOUBTFUL = 8, OLD = 16, UPGRADES = 32, TO_HTTP2 = 64 };

/* A head that is being read; all zero at first. */
struct http1_head {
	u32 bytes, n_first, n_name, n_value;
	u32 status;
	u64 length;
	u8 flags, word;		/* word: of the first line, from 0 */
	bool in_query, bad;
	bool known;		/* the current header is one whose value is needed */
	char method[METHOD_MAX], path[PATH_MAX_KEPT], version[12];
	char name[NAME_MAX_KEPT], value[VALUE_MAX_KEPT];
	struct trace trace;
};

/* A byte of the first line: no CR or LF. */
void http1_head_first_byte(struct http1_head *x, enum role role, u8 c);
/* Fast path for a whole, ordinary first line: its length without CR and LF; else 0. */
u32 http1_head_first_line(struct http1_head *x, enum role role, const u8 *p, u64 n);
/* False: this is no first line of HTTP/1. */
bool http1_head_first_done(struct http1_head *x, enum role role);

/* A byte of the name of a header: no CR, LF or colon. */
void http1_head_name_byte(struct http1_head *x, u8 c);
/* The name ends with a colon. */
void http1_head_name_done(struct http1_head *x);
/* A line without a colon ends; true: it was empty, and the head is complete. */
bool http1_head_line_done(struct http1_head *x);
/* A byte of a value: no LF. */
void http1_head_value_byte(struct http1_head *x, u8 c);
void http1_head_value_done(struct http1_head *x);
/* Skips a run of bytes of a name, or of a value that is not needed; returns how many. */
u32 http1_head_pass(struct http1_head *x, bool in_value, const u8 *p, u64 n);
