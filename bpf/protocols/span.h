/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * span.h: where the time of a request went: of the thread that moved its first byte and its last
 * one, in the span between. Other requests of that thread in the span are in it too: nothing is
 * divided. Where one thread took the request and another one answered, the split is not known.
 */
#pragma once

#include "bpf/protocols/follow.h"

/* All in ns; UINT64_MAX: not known. */
struct span {
	u64 cpu_ns, runq_ns, blocked_ns;	/* together they are the span */
	u64 unread_ns;	/* before it: the first bytes that were read were in the socket for so long, at least */
	u64 write_ns;	/* of a server its answer, first to last byte; of a client the first call that wrote */
};

/* A server's span: first to last byte; a client's begins when the first write has returned. */
struct span span_of(const struct exchange *x);
