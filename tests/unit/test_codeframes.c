// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames derived from code: for files with their frame information hidden the result must agree
 * with that information; and a stack ends where a thread starts.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/codeframes.h"

#ifdef __x86_64__

/*
 * popped again: compilers keep the old rule for rbp, with its slot below the stack pointer by then
 */
static bool is_stale(const struct unw_info *ours, const struct unw_info *theirs)
{
	return ours->cfa == UNW_CFA_SP && !ours->fp && theirs->fp == UNW_FP_CFA &&
	       theirs->fp_off < -ours->cfa_off;
}

/*
 * The code may use the frame pointer where the information uses the stack pointer: both are
 * correct.
 */
static bool agrees(const struct unw_info *ours, const struct unw_info *theirs)
{
	bool same_cfa = ours->cfa == theirs->cfa && ours->cfa_off == theirs->cfa_off;

	if (!same_cfa && !(ours->cfa == UNW_CFA_FP && theirs->cfa == UNW_CFA_SP))
		return false;
	return ours->ra == theirs->ra &&
	       ((ours->fp == theirs->fp && ours->fp_off == theirs->fp_off) || is_stale(ours, theirs));
}

struct bytes_of { u64 same, differ; };

static struct bytes_of compare(const struct cfi_row *a, u32 n_a, const struct cfi_row *b, u32 n_b)
{
	struct bytes_of total = {};
	u32 i = 0, k = 0, shown = 0;
	u64 pc = 0;

	while (i < n_a || k < n_b) {
		u64 next = k == n_b || (i < n_a && a[i].pc <= b[k].pc) ? a[i].pc : b[k].pc;

		if (i && k && a[i - 1].info.cfa && b[k - 1].info.cfa) {
			bool good = agrees(&a[i - 1].info, &b[k - 1].info);

			*(good ? &total.same : &total.differ) += next - pc;
			if (!good && shown++ < 5)
				print_message("# %llx: %u %+d, frame information %u %+d\n", (unsigned long long)pc,
					      a[i - 1].info.cfa, a[i - 1].info.cfa_off,
					      b[k - 1].info.cfa, b[k - 1].info.cfa_off);
		}
		pc = next;
		while (i < n_a && a[i].pc == pc)
			i++;
		while (k < n_b && b[k].pc == pc)
			k++;
	}
	return total;
}

static struct cfi_row *information(struct elf_file *f, u32 *n)
{
	struct elf_section s;
	struct cfi_section cfi = {};

	if (!elf_section(f, ".eh_frame", &s))
		return NULL;
	cfi.data = s.data;
	cfi.size = s.size;
	cfi.addr = s.addr;
	return cfi_rows(&cfi, n);
}

/* At most one byte in so many may be wrong: after calls that do not return. */
static void compare_file(const char *path, u64 one_of)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_file *f = fd < 0 ? NULL : elf_file_open(fd);
	struct cfi_row *ours, *theirs;
	struct bytes_of total;
	u32 n, m;

	if (!f) {
		print_message("# %s: not here\n", path);
		return;
	}
	ours = codeframes_rows(f, ".text", NULL, 0, false, &n);
	theirs = information(f, &m);
	assert_non_null(ours);
	assert_non_null(theirs);
	total = compare(ours, n, theirs, m);
	print_message("# %s: %llu bytes of code as the information says, %llu otherwise\n", path,
		      (unsigned long long)total.same, (unsigned long long)total.differ);
	assert_true(total.same > 100000);
	assert_true(total.differ * one_of <= total.same);
	free(ours);
	free(theirs);
	elf_file_close(f);
	close(fd);
}

static void test_information(void **state)
{
	(void)state;
	compare_file("/lib/x86_64-linux-gnu/libc.so.6", 100);
	compare_file("/bin/bash", 100);
	compare_file("/usr/bin/perl", 500);	/* of Debian 12 one of 1,672, of 13 one of 793 */
}

/* What the table of a file says at a place. */
static struct unw_info table_at(const char *path, u64 addr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct unwind_table *t = fd < 0 ? NULL : unwind_table_read(fd, NULL);
	struct unw_info info = t ? *unwind_table_find(t, addr) : (struct unw_info){};

	unwind_table_free(t);
	if (fd >= 0)
		close(fd);
	return info;
}

/* The first place in .text where these bytes are, counted from `from`; 0: nowhere. */
static u64 find_code(const char *path, u64 from, const void *code, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_file *f = fd < 0 ? NULL : elf_file_open(fd);
	struct elf_section s;
	const u8 *at = NULL;
	u64 found = 0;

	if (f && elf_section(f, ".text", &s)) {
		u64 skip = from > s.addr ? from - s.addr : 0;

		at = memmem(s.data + skip, s.size - skip, code, n);
		found = at ? s.addr + (u64)(at - s.data) : 0;
	}
	elf_file_close(f);
	if (fd >= 0)
		close(fd);
	return found;
}

/* musl, src/thread/x86_64/clone.s: xor ebp,ebp; pop rdi; call *r9; the call returns to the end of the stack. */
static void test_musl(void **state)
{
	static const char path[] = "/usr/lib/x86_64-linux-musl/libc.so";
	u64 child = find_code(path, 0, "\x31\xed\x5f\x41\xff\xd1\x89\xc7", 8);
	u64 call = child ? find_code(path, child - 12, "\x0f\x05\x85\xc0\x75", 5) : 0;
	u64 restore = find_code(path, 0, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 9);
	struct unw_info info;

	(void)state;
	if (!child)
		skip();
	assert_int_equal(table_at(path, child + 5).cfa, UNW_CFA_END);
	assert_true(call && call < child);
	info = table_at(path, call);		/* the call itself: the parent's */
	assert_int_equal(info.cfa, UNW_CFA_SP);
	assert_int_equal(info.cfa_off, 8);
	assert_int_equal(table_at(path, call + 2).cfa, UNW_CFA_CLONE);	/* behind it: either */
	assert_int_equal(table_at(path, restore - 1).cfa, UNW_CFA_SIGNAL);
	assert_int_equal(table_at(path, restore + 9).cfa, UNW_CFA_SIGNAL);
}

/* Damaged code: no rows at worst. */
static void test_damaged(void **state)
{
	int fd = open("/bin/bash", O_RDONLY | O_CLOEXEC), copy = memfd_create("damaged", 0);
	size_t size = 3u << 20, n;
	u8 *image = malloc(size);

	(void)state;
	assert_non_null(image);
	n = (size_t)read(fd, image, size);
	srand(11);
	for (u32 round = 0; round < 8; round++) {
		struct elf_file *f;
		u32 rows = 0;

		for (u32 i = 0; i < 200000; i++)
			image[4096 + (size_t)rand() % (n - 8192)] = (u8)rand();
		assert_int_equal(pwrite(copy, image, n, 0), (ssize_t)n);
		f = elf_file_open(copy);
		if (f)
			free(codeframes_rows(f, ".text", NULL, 0, round & 1, &rows));
		elf_file_close(f);
	}
	free(image);
	close(fd);
	close(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_information), cmocka_unit_test(test_musl), cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	return 0;	/* frame pointers there: nothing is read from code */
}

#endif
