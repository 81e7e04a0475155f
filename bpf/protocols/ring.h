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
};

/* Maps it; the descriptor may be closed. 0 or -errno. */
int ring_map(struct ring *r, int fd, u64 bytes);
void ring_unmap(struct ring *r);
/*
 * Copies the next record to buf and lets go of it. Its length (at most cap of it
 * were copied), or 0: there is none.
 */
u32 ring_next(struct ring *r, void *buf, u32 cap);

#endif
