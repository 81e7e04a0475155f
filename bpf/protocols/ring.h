/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring.h: reads a BPF ring buffer by its descriptor alone: libbpf would ask bpf(2)
 * about it, which the protocol reader may not call. Layout: kernel/bpf/ringbuf.c.
 */
#ifndef OTTOP_RING_H
#define OTTOP_RING_H

#include "bpf/model/base.h"

struct ring {
	u64 *consumer;		/* a page of its own, writable */
	const u64 *producer;	/* a page, then the data, twice */
	const u8 *data;
	u64 bytes;
	/*
	 * Of the next record: those before it stay until they are released. In the consumer's page, of which the
	 * kernel uses the beginning: who comes after a reader that died does not read again what killed it.
	 */
	u64 *at;
};

/* Maps it; the descriptor may be closed. 0 or -errno. */
int ring_map(struct ring *r, int fd, u64 bytes);
void ring_unmap(struct ring *r);
/* The next record, where it is in the ring until ring_release(). NULL: there is none. */
const void *ring_next(struct ring *r, u32 *ret_len);
/* Lets go of those that were returned: each time writers wait for the memory that says so. */
void ring_release(struct ring *r);

#endif
