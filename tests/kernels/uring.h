/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uring.h: io_uring by system calls, one operation at a time. The includer defines `must`. */
#pragma once

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES 4

static int ring;
static unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
static struct io_uring_sqe *sqes;
static struct io_uring_cqe *cqes;

static void *map(size_t size, off_t what)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, what);

	must(p != MAP_FAILED);
	return p;
}

static void ring_open(void)
{
	struct io_uring_params p = { 0 };
	char *sq, *cq;

	ring = syscall(SYS_io_uring_setup, ENTRIES, &p);
	must(ring >= 0);
	sq = map(p.sq_off.array + p.sq_entries * sizeof(*sq_array), IORING_OFF_SQ_RING);
	cq = map(p.cq_off.cqes + p.cq_entries * sizeof(*cqes), IORING_OFF_CQ_RING);
	sqes = map(p.sq_entries * sizeof(*sqes), IORING_OFF_SQES);
	sq_tail = (void *)(sq + p.sq_off.tail);
	sq_mask = (void *)(sq + p.sq_off.ring_mask);
	sq_array = (void *)(sq + p.sq_off.array);
	cq_head = (void *)(cq + p.cq_off.head);
	cq_tail = (void *)(cq + p.cq_off.tail);
	cq_mask = (void *)(cq + p.cq_off.ring_mask);
	cqes = (void *)(cq + p.cq_off.cqes);
}

/* One operation, waited for; its result. */
static int ring_do(int op, int fd, void *buf, int size)
{
	unsigned int at = *sq_tail & *sq_mask;
	int result;

	sqes[at] = (struct io_uring_sqe){ .opcode = op, .fd = fd, .addr = (unsigned long)buf, .len = size };
	sq_array[at] = at;
	__atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
	must(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	must(__atomic_load_n(cq_tail, __ATOMIC_ACQUIRE) != *cq_head);
	result = cqes[*cq_head & *cq_mask].res;
	__atomic_store_n(cq_head, *cq_head + 1, __ATOMIC_RELEASE);
	return result;
}
