/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http1_known.h: heads that were read before. Most of what is asked and answered on a host are the same
 * few heads over and over, and on its own loopback each is read at both ends: where all bytes are those of a
 * head that is kept, what was made of it is taken. What is known is never anything else than what
 * reading would have told.
 */
#ifndef OTTOP_HTTP1_KNOWN_H
#define OTTOP_HTTP1_KNOWN_H

#include "bpf/protocols/http1_head.h"

#define KNOWN_BYTES 512		/* longer heads are not kept */

/*
 * Do n bytes begin with a head that is kept? *ret_len: how long it is. It lives until the next
 * http1_known_keep(). NULL: they do not, as far as is known.
 */
const struct http1_head *http1_known_find(enum role role, const u8 *p, u64 n, u32 *ret_len);
/* p, of which n bytes are there, begins with a head of len bytes, and x is what it says. */
void http1_known_keep(enum role role, const u8 *p, u64 n, u32 len, const struct http1_head *x);

#endif
