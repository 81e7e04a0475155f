/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http1_lines.h: whole lines of a head of HTTP/1, where they are as they nearly always are. What is
 * cut, odd or doubtful is left to who reads byte by byte (http1.c), and comes out the same.
 */
#ifndef OTTOP_HTTP1_LINES_H
#define OTTOP_HTTP1_LINES_H

#include "bpf/protocols/protocol.h"

/* Where the words of "GET /path?query HTTP/1.1" are; all in bytes from its beginning. */
struct http1_asked {
	u32 method, path, version;	/* lengths; path: without query */
	u32 path_at, version_at;
	u32 end;			/* of the version: CR or LF is there */
};

/* False: it is not whole, or odd. */
bool http1_request_line(const u8 *p, u64 n, struct http1_asked *ret);
/* "HTTP/1.1 200 Reason": how long it is without its CR and LF, and the status; 0: not whole, or odd. */
u32 http1_status_line(const u8 *p, u64 n, u32 *ret_status);

/* Do these bytes begin a message, and whose? */
enum verdict http1_recognise(const u8 *p, u64 n, enum role *ret_role);

bool http1_is_token(u8 c);
/* A header whose value matters; its name has n bytes. */
bool http1_is_known(const char *name, u32 n);
/* How many of n bytes, which begin with a header, are whole lines of which nothing matters. */
u32 http1_lines_passed(const u8 *p, u64 n);

#endif
