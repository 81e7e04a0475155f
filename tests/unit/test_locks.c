// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/locks: the holder of the lock that a process waits for. Format: fs/locks.c,
 * lock_get_status().
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/collectors/waits/waits_question.h"

#define ANY UINT64_MAX
#define NOBODY (-77)

/* As two kernels wrote it: flock(2), fcntl(2), open file descriptions, leases; a chain of three. */
static const char text[] =
	"1: FLOCK  ADVISORY  WRITE 9778 fe:00:9978155 0 EOF\n"
	"1: -> FLOCK  ADVISORY  WRITE 9818 fe:00:9978155 0 EOF\n"
	"1:  -> FLOCK  ADVISORY  WRITE 9817 fe:00:9978155 0 EOF\n"
	"2: LEASE  ACTIVE    READ 9856 fe:00:9978201 0 EOF\n"
	"3: POSIX  ADVISORY  WRITE 4821 fe:00:20 0 9\n"
	"3: -> POSIX  ADVISORY  WRITE 611 fe:00:20 5 5\n"
	"4: POSIX  ADVISORY  READ 4822 fe:00:20 10 19\n"
	"4: -> POSIX  ADVISORY  WRITE 612 fe:00:20 12 12\n"
	"5: OFDLCK ADVISORY  WRITE -1 fe:00:30 0 EOF\n"
	"5: -> POSIX  ADVISORY  WRITE 613 fe:00:30 0 EOF\n"
	"6: POSIX  ADVISORY  WRITE 4823 00:2f:40 0 EOF\n"
	"6: -> OFDLCK ADVISORY  WRITE -1 00:2f:40 0 EOF\n"
	"7: LEASE  BREAKING  READ 4824 fe:00:50 0 EOF\n"
	"7: -> LEASE  BREAKER   WRITE 614 fe:00:50 0 EOF\n"
	"18446744073709551615: POSIX  *NOINODE* WRITE 4825 <none>:0 0 EOF\n";

static char lock[96];	/* that holder() found */

static int holder(const char *locks, u32 pid, u64 ino)
{
	int found = NOBODY, err = locks_holder(locks, pid, ino, &found, lock, sizeof(lock));

	assert_true(err == 0 || err == -ENOENT);
	assert_true(err == 0 || found == NOBODY);
	return err ? NOBODY : found;
}

static void held_above(void **state)
{
	(void)state;
	assert_int_equal(holder(text, 9818, 9978155), 9778);
	assert_int_equal(holder(text, 611, 20), 4821);
	assert_int_equal(holder(text, 612, 20), 4822);	/* the same file, other bytes */
	assert_int_equal(holder(text, 614, 50), 4824);
	assert_int_equal(holder(text, 611, ANY), 4821);	/* the file is not known */
	assert_int_equal(holder(text, 614, ANY), 4824);	/* nor is it that of the open file above */
}

/* A waiter behind another waiter has more blanks before its arrow. */
static void a_chain(void **state)
{
	(void)state;
	assert_int_equal(holder(text, 9817, 9978155), 9778);
}

/* The lock of an open file has no process: -1, whether it is held or waited for. */
static void open_files(void **state)
{
	(void)state;
	assert_int_equal(holder(text, 613, 30), -1);
	assert_string_equal(lock, "OFDLCK ADVISORY  WRITE -1 fe:00:30 0 EOF");
	assert_int_equal(holder(text, 999, 40), 4823);	/* found by the file alone */
}

static void nobody(void **state)
{
	(void)state;
	assert_int_equal(holder(text, 611, 21), NOBODY);	/* waits, but for another file */
	assert_int_equal(holder(text, 9778, 9978155), NOBODY);	/* holds, does not wait */
	assert_int_equal(holder(text, 9856, 9978201), NOBODY);
	assert_int_equal(holder(text, 61, 20), NOBODY);		/* 611 is not 61 */
	assert_int_equal(holder(text, 611, 2), NOBODY);		/* nor 20 the file 2 */
	assert_int_equal(holder("", 611, ANY), NOBODY);
	assert_int_equal(holder("\n\n", 611, ANY), NOBODY);
}

/* Of this very process, as the kernel writes it beside the descriptor. */
static void by_its_file(void **state)
{
	char path[] = "/tmp/ottop-locks.XXXXXX", want[96];
	int fd = mkstemp(path), other = open(path, O_RDWR);
	struct flock part = { .l_type = F_WRLCK, .l_start = 5, .l_len = 3 };
	struct stat st;

	(void)state;
	assert_true(fd >= 0 && other >= 0 && !fstat(fd, &st) && !unlink(path));
	assert_return_code(fcntl(fd, F_OFD_SETLK, &part), errno);
	snprintf(want, sizeof(want), "OFDLCK ADVISORY  WRITE -1 %02x:%02x:%llu 5 7", major(st.st_dev),
		 minor(st.st_dev), (unsigned long long)st.st_ino);
	assert_true(locks_held_by((u32)getpid(), (u32)fd, want));
	assert_false(locks_held_by((u32)getpid(), (u32)other, want));
	want[strlen(want) - 1] = '8';
	assert_false(locks_held_by((u32)getpid(), (u32)fd, want));
	close(fd);
	assert_false(locks_held_by((u32)getpid(), (u32)fd, want));
	close(other);
}

/* An unreadable line is no holder, and waiters below it do not wait for the previous one. */
static void odd_lines(void **state)
{
	char cut[sizeof(text)];

	(void)state;
	assert_int_equal(holder("1: POSIX  ADVISORY  WRITE 5 fe:00:20 0 EOF\ngarbage\n"
				"2: -> POSIX  ADVISORY  WRITE 6 fe:00:20 0 EOF\n", 6, 20), -1);
	assert_int_equal(holder("1: -> POSIX  ADVISORY  WRITE 6 fe:00:20 0 EOF\n", 6, 20), -1);
	assert_int_equal(holder("1: -> POSIX  ADVISORY  WRITE x fe:00:20 0 EOF\n", 6, 20), NOBODY);
	assert_int_equal(holder("1: -> POSIX", 6, ANY), NOBODY);
	for (size_t n = 0; n < sizeof(text); n++) {	/* as long as its buffer: cut anywhere */
		int got;

		memcpy(cut, text, n);
		cut[n] = '\0';
		got = holder(cut, 612, 20);
		assert_true(got == NOBODY || got == 4822);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_above), cmocka_unit_test(a_chain), cmocka_unit_test(open_files),
		cmocka_unit_test(nobody), cmocka_unit_test(by_its_file),
		cmocka_unit_test(odd_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
