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

u32 ring_next(struct ring *r, void *buf, u32 cap)
{
	for (;;) {
		u64 at = *r->consumer, end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
		const u8 *p = r->data + (at & (r->bytes - 1));
		u32 head, len;

		if (at >= end)
			return 0;
		head = __atomic_load_n((const u32 *)(const void *)p, __ATOMIC_ACQUIRE);
		if (head & BUSY)
			return 0;
		len = head & ~(BUSY | DISCARDED);
		if (!(head & DISCARDED))
			memcpy(buf, p + HEADER, min(len, cap));
		__atomic_store_n(r->consumer, at + ((len + HEADER + 7) & ~7u), __ATOMIC_RELEASE);
		if (!(head & DISCARDED))
			return len;
	}
}
