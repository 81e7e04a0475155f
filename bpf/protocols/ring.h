/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring.h: reads a BPF ring buffer by its descriptor, without bpf(2). Layout: kernel/bpf/ringbuf.c.
 */
#pragma once

#include "bpf/model/base.h"

struct ring {
	u64 *consumer;		/* a page of its own, writable */
	const u64 *producer;	/* a page, then the data, twice */
	const u8 *data;
	u64 bytes;
	/*
	 * Next record, in the consumer page, of which the kernel uses only the beginning: a
	 * restarted reader skips the record that killed the last one.
	 */
	u64 *at;
};

/* Maps it; the descriptor may be closed afterwards. 0 or -errno. */
int ring_map(struct ring *r, int fd, u64 bytes);
void ring_unmap(struct ring *r);
/* The next record, within the ring; valid until ring_release(). NULL: none. */
const void *ring_next(struct ring *r, u32 *ret_len);
/* Frees the returned records. Not for each one: it takes a cache line from the writers. */
void ring_release(struct ring *r);
