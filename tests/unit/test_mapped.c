// SPDX-License-Identifier: GPL-2.0-or-later
/* Mapped parts of files, and files truncated meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/mapped.h"
#include "tests/unit/sanitized.h"

#define PAGES 8

static int file_of_pages(size_t page)
{
	char name[] = "/tmp/ottop-mapped-XXXXXX", *data = malloc(page * PAGES);
	int fd = mkstemp(name);

	assert_true(fd >= 0 && data);
	unlink(name);
	for (size_t i = 0; i < page * PAGES; i++)
		data[i] = (char)(1 + i / page);
	assert_int_equal(write(fd, data, page * PAGES), (ssize_t)(page * PAGES));
	free(data);
	return fd;
}

/* From a place that is no page's beginning. */
static void bytes_of_a_part(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct mapped *list = NULL;
	int fd = file_of_pages(page);
	const u8 *a = mapped_add(&list, fd, page + 100, 3 * page), *b = mapped_add(&list, fd, 10, 20);

	(void)state;
	assert_int_equal(a[0], 2);
	assert_int_equal(a[page], 3);
	assert_int_equal(a[3 * page - 1], 5);
	assert_int_equal(b[0], 1);
	assert_ptr_equal(mapped_add(&list, fd, page + 100, 3 * page), a);
	mapped_rest(list);
	assert_int_equal(a[2 * page], 4);
	close(fd);
	assert_int_equal(b[19], 1);
	mapped_free(&list);
	assert_null(list);
}

/* The kernel sends SIGBUS: the missing part reads as zeros, the rest is unchanged. */
static void what_is_cut_off_is_zero(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct mapped *list = NULL, *other = NULL;
	int fd = file_of_pages(page), fd2 = file_of_pages(page);
	const u8 *a = mapped_add(&list, fd, 0, PAGES * page), *b = mapped_add(&other, fd2, 0, PAGES * page);

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)(2 * page)), 0);
	assert_int_equal(a[5 * page], 0);
	assert_int_equal(a[PAGES * page - 1], 0);
	assert_int_equal(a[3 * page], 0);
	assert_int_equal(a[page], 2);
	assert_int_equal(b[5 * page], 6);
	mapped_rest(list);
	assert_int_equal(a[page], 2);
	assert_int_equal(a[5 * page], 0);
	mapped_free(&list);
	assert_int_equal(b[7 * page], 8);
	mapped_free(&other);
	close(fd);
	close(fd2);
}

static sigjmp_buf back;
static volatile sig_atomic_t caught;

static void on_other(int sig)
{
	caught = sig;
	siglongjmp(back, 1);
}

/* Other SIGBUS faults keep their previous handling. */
static void faults_of_others_reach_their_handler(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct sigaction sa = { .sa_handler = on_other }, old;
	struct mapped *list = NULL;
	int fd = file_of_pages(page), fd2 = file_of_pages(page);
	const volatile u8 *theirs = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd2, 0);
	const u8 *a;

	(void)state;
	sigaction(SIGBUS, &sa, &old);
	a = mapped_add(&list, fd, 0, PAGES * page);
	assert_int_equal(ftruncate(fd2, 0) | ftruncate(fd, 0), 0);
	assert_int_equal(a[0], 0);
	assert_int_equal(caught, 0);
	if (!sigsetjmp(back, 1))
		(void)theirs[0];
	assert_int_equal(caught, SIGBUS);
	sigaction(SIGBUS, &old, NULL);
	munmap((void *)theirs, page);
	mapped_free(&list);
	close(fd);
	close(fd2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_of_a_part),
		cmocka_unit_test(what_is_cut_off_is_zero),
		cmocka_unit_test(faults_of_others_reach_their_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
