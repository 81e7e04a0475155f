// SPDX-License-Identifier: GPL-2.0-or-later
/* The ring of the protocol reader, in a file that is laid out as the kernel's (kernel/bpf/ringbuf.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/protocols/ring.h"

#define BYTES 4096
#define BUSY (1u << 31)
#define DISCARDED (1u << 30)

static u64 *consumer, *producer;
static u8 *data;

static int make_ring(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = memfd_create("ring", MFD_CLOEXEC);
	u8 *p;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(2 * page + 2 * BYTES)), 0);
	p = mmap(NULL, 2 * page + 2 * BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	consumer = (u64 *)(void *)p;
	producer = (u64 *)(void *)(p + page);
	data = p + 2 * page;
	return fd;
}

/* A record of 8 bytes; flags: what the kernel has beside its length. Returns its head. */
static u32 *put(u64 value, u32 flags)
{
	u32 *head = (u32 *)(void *)(data + *producer);

	*head = 8 | flags;
	memcpy(head + 2, &value, 8);
	*producer += 16;
	return head;
}

static u64 next_value(struct ring *r)
{
	u32 len = 0;
	const u64 *value = ring_next(r, &len);

	if (!value)
		return 0;
	assert_int_equal(len, 8);
	return *value;
}

static void test_records_in_place(void **state)
{
	struct ring r;
	int fd = make_ring();
	u32 *late;

	(void)state;
	assert_int_equal(ring_map(&r, fd, BYTES), 0);
	assert_int_equal(next_value(&r), 0);
	put(11, 0);
	put(12, DISCARDED);
	put(13, 0);
	late = put(14, BUSY);
	put(15, 0);
	assert_int_equal(next_value(&r), 11);
	assert_int_equal(next_value(&r), 13);
	assert_int_equal(next_value(&r), 0);
	assert_int_equal(*consumer, 0);
	ring_release(&r);
	assert_int_equal(*consumer, 3 * 16);
	*late &= ~BUSY;
	assert_int_equal(next_value(&r), 14);
	assert_int_equal(next_value(&r), 15);
	ring_unmap(&r);
	close(fd);
}

/*
 * A reader that died while handling a record had not released it: its successor skips that record,
 * and only that.
 */
static void test_after_a_death(void **state)
{
	struct ring dead, r;
	int fd = make_ring();

	(void)state;
	assert_int_equal(ring_map(&dead, fd, BYTES), 0);
	put(21, 0);
	put(22, 0);
	put(23, 0);
	assert_int_equal(next_value(&dead), 21);
	ring_release(&dead);
	assert_int_equal(next_value(&dead), 22);
	ring_unmap(&dead);
	assert_int_equal(ring_map(&r, fd, BYTES), 0);
	assert_int_equal(*consumer, 16);
	assert_int_equal(next_value(&r), 23);
	ring_release(&r);
	assert_int_equal(*consumer, 3 * 16);
	ring_unmap(&r);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_in_place),
		cmocka_unit_test(test_after_a_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
