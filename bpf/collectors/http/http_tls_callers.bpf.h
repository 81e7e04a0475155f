/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_tls_callers.bpf.h: callers of probed TLS libraries, and strangers, which speak TLS without.
 */
#pragma once

#include "bpf/collectors/http/http_tls.h"

#define TLS_DATA 23		/* RFC 8446, 5.1: ContentType */
#define STRANGE_RECORDS 8	/* data records on a socket (counted in room[0]) that make its process a stranger */
#define TLS_CALLERS 1024	/* the least recent are evicted */

/* Processes that have called a TLS library: enum tls_caller_bits. */
LRU_HASH(tls_callers, TLS_CALLERS, struct tls_caller, u32);
/* Processes that move TLS data on a socket without a session, mostly with an unknown library. */
HASH(tls_strangers, HTTP_TLS_SPEAKERS, struct tls_caller, u64 /* since when that socket speaks TLS */);

static __always_inline void this_process(struct tls_caller *c)
{
	struct task_struct *t = bpf_get_current_task_btf();

	c->start_ns = t->group_leader->start_boottime;
	c->tgid = t->tgid;
	c->pad = 0;
}

/* Not inlined, to keep its stack out of the callers'. */
__noinline int note_caller(u32 what)
{
	struct tls_caller c;
	u32 *known, both = what;

	this_process(&c);
	known = bpf_map_lookup_elem(&tls_callers, &c);
	if (known && (*known & what) == what)
		return 0;
	if (known)
		both |= *known;
	bpf_map_update_elem(&tls_callers, &c, &both, BPF_ANY);
	return 0;
}

/*
 * TLS on a socket without a session. STRANGE_RECORDS allows for the handshake (three records) and
 * for sessions on memory, which are joined with the first data.
 */
__noinline int note_stranger(const struct moved *m, struct http_socket *s)
{
	struct tls_caller c;
	struct first f = {};
	u64 since_ns;

	if (!m || !s || !find_first(m, &f) || (u8)f.word != TLS_DATA || ++s->room[0] != STRANGE_RECORDS)
		return 0;
	this_process(&c);
	since_ns = s->position[0];	/* copied: 6.1 accepts map values only from the stack or a map */
	bpf_map_update_elem(&tls_strangers, &c, &since_ns, BPF_ANY);
	return 0;
}
