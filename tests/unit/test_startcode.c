// SPDX-License-Identifier: GPL-2.0-or-later
/* main and _start of a stripped program: of this one, and of damaged copies. */
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/startcode.h"

int main(void);

static u8 *image;
static size_t image_size;

static int read_image(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;

	(void)state;
	if (fd < 0 || fstat(fd, &st))
		return -1;
	image_size = (size_t)st.st_size;
	image = malloc(image_size);
	return read(fd, image, image_size) == (ssize_t)image_size ? close(fd) : -1;
}

static int free_image(void **state)
{
	(void)state;
	free(image);
	return 0;
}

static bool read_start(struct startcode *ret)
{
	struct elf_file *f = elf_file_open_memory(image, image_size);
	bool good = f && startcode_read(f, ret);

	elf_file_close(f);
	return good;
}

static int base_of(struct dl_phdr_info *info, size_t size, void *ret)
{
	(void)size;
	*(u64 *)ret = info->dlpi_addr;
	return 1;	/* the first one is the program */
}

static void test_own(void **state)
{
	const Elf64_Ehdr *eh = (const void *)image;
	struct startcode s;
	u64 base = 0, at;

	(void)state;
#ifndef __x86_64__
	skip();
#endif
	dl_iterate_phdr(base_of, &base);
	at = (u64)(uintptr_t)main - base;
	assert_true(read_start(&s));
	assert_int_equal(s.main, at);
	assert_int_equal(s.start, eh->e_entry);
	assert_true(s.main_end > at + 20 && s.main_end < at + 4096);
	assert_true(s.start_end > s.start + 30 && s.start_end < s.start + 64);
	assert_string_equal(startcode_find(&s, at), "main");
	assert_string_equal(startcode_find(&s, s.main_end - 1), "main");
	assert_string_equal(startcode_find(&s, s.start + 5), "_start");
	assert_null(startcode_find(&s, s.main_end));
	assert_null(startcode_find(&s, at - 1));
	assert_null(startcode_find(&s, 0));
}

/* Any changed byte in the start code up to the call: unknown code, so no name. */
static void test_other_start(void **state)
{
	const Elf64_Ehdr *eh = (const void *)image;
	const Elf64_Shdr *sh = (const void *)(image + eh->e_shoff);
	struct startcode good, s;
	u8 *code = NULL;

	(void)state;
#ifndef __x86_64__
	skip();
#endif
	assert_true(read_start(&good));
	for (u32 i = 0; i < eh->e_shnum; i++)
		if (sh[i].sh_addr <= eh->e_entry && eh->e_entry - sh[i].sh_addr < sh[i].sh_size &&
		    sh[i].sh_flags & SHF_EXECINSTR)
			code = image + sh[i].sh_offset + (eh->e_entry - sh[i].sh_addr);
	assert_non_null(code);
	for (u32 i = 0; i < 20; i++) {
		code[i] ^= 0x10;
		assert_true(!read_start(&s) || s.main != good.main);
		code[i] ^= 0x10;
	}
}

/* Errors in the file cost at most a name. */
static void test_damaged(void **state)
{
	u8 *good = malloc(image_size);
	struct startcode s;

	(void)state;
	assert_non_null(good);
	memcpy(good, image, image_size);
	srand(7);
	for (u32 i = 0; i < 3000; i++) {
		size_t from = i % 2 ? (size_t)rand() % image_size : (size_t)rand() % 65536;

		for (size_t k = from; k < from + 32 && k < image_size; k++)
			image[k] = (u8)rand();
		if (read_start(&s))
			startcode_find(&s, (u64)rand());
		if (i % 8 == 7)
			memcpy(image, good, image_size);
	}
	free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own), cmocka_unit_test(test_other_start), cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests_name("startcode", tests, read_image, free_image);
}
