// SPDX-License-Identifier: GPL-2.0-or-later
/* ring.c: see ring.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/protocols/ring.h"

/* include/uapi/linux/bpf.h: BPF_RINGBUF_BUSY_BIT and so on; not included for two bits and a size */
#define BUSY (1u << 31)
#define DISCARDED (1u << 30)
#define HEADER 8
#define AT 8	/* in u64: on a cache line that the kernel does not read */

int ring_map(struct ring *r, int fd, u64 bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	u8 *producer;

	r->bytes = bytes;
	r->consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (r->consumer == MAP_FAILED) {
		r->consumer = NULL;
		return -errno;
	}
	producer = mmap(NULL, page + 2 * bytes, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int err = -errno;

		munmap(r->consumer, page);
		r->consumer = NULL;
		return err;
	}
	r->producer = (const u64 *)(const void *)producer;
	r->data = producer + page;
	r->at = r->consumer + AT;
	if (*r->at - *r->consumer > bytes)
		*r->at = *r->consumer;
	return 0;
}

void ring_unmap(struct ring *r)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!r->consumer)
		return;
	munmap(r->consumer, page);
	munmap((void *)r->producer, page + 2 * r->bytes);
	memset(r, 0, sizeof(*r));
}

const void *ring_next(struct ring *r, u32 *ret_len)
{
	for (;;) {
		u64 end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
		const u8 *p = r->data + (*r->at & (r->bytes - 1));
		u32 head, len;

		if (*r->at >= end)
			return NULL;
		head = __atomic_load_n((const u32 *)(const void *)p, __ATOMIC_ACQUIRE);
		if (head & BUSY)
			return NULL;
		len = head & ~(BUSY | DISCARDED);
		*r->at += (len + HEADER + 7) & ~7u;
		if (head & DISCARDED)
			continue;
		*ret_len = len;
		return p + HEADER;
	}
}

void ring_release(struct ring *r)
{
	__atomic_store_n(r->consumer, *r->at, __ATOMIC_RELEASE);
}
