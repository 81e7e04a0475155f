/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http1_known.h: a cache of parsed heads. Most traffic of a host repeats the same few heads, and on loopback
 * each is parsed at both ends. A hit requires all bytes to be equal, so the result is always what parsing
 * would give.
 */
#pragma once

#include "bpf/protocols/http1_head.h"

#define KNOWN_BYTES 512		/* longer heads are not kept */

/* A cached head of *ret_len bytes at p, valid until http1_known_keep(). NULL: a miss. */
const struct http1_head *http1_known_find(enum role role, const u8 *p, u64 n, u32 *ret_len);
/* Caches x, parsed from the first len of the n bytes at p. */
void http1_known_keep(enum role role, const u8 *p, u64 n, u32 len, const struct http1_head *x);
