/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http1_lines.h: fast path for ordinary lines of an HTTP/1 head; http1.c reads the rest bytewise.
 */
#pragma once

#include "bpf/protocols/protocol.h"

/* The words of "GET /path?query HTTP/1.1"; offsets and lengths in bytes. */
struct http1_asked {
	u32 method, path, version;	/* lengths; path: without query */
	u32 path_at, version_at;
	u32 end;			/* of the version: CR or LF is there */
};

/* False: incomplete or odd. */
bool http1_request_line(const u8 *p, u64 n, struct http1_asked *ret);
/* "HTTP/1.1 200 Reason": its length without CR and LF, and the status; 0: incomplete or odd. */
u32 http1_status_line(const u8 *p, u64 n, u32 *ret_status);

/* Do these bytes begin a message, and of which role? */
enum verdict http1_recognise(const u8 *p, u64 n, enum role *ret_role);

bool http1_is_token(u8 c);
/* A header whose value is needed; its name has n bytes. */
bool http1_is_known(const char *name, u32 n);
/* How many of n bytes, from the start of a header, are whole lines that can be skipped. */
u32 http1_lines_passed(const u8 *p, u64 n);
