// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sources of names, with good and hostile input: .gnu_debugdata, symbols of this program, changing
 * files, locations of debug files.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/helpers/opener.h"
#include "symbolizer/minidebug.h"
#include "symbolizer/names.h"
#include "symbolizer/symtab.h"
#include "tests/unit/name_source.h"

/* ---- .gnu_debugdata ------------------------------------------------------------------- */

static u8 *pack(const u8 *data, size_t n, size_t *ret)
{
	size_t cap = n / 2 + 65536;
	u8 *out = malloc(cap);

	*ret = 0;
	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, data, n, out, ret, cap), LZMA_OK);
	return out;
}

static void test_unpack(void **state)
{
	size_t n = 300000, packed_n, got_n;
	u8 *data = malloc(n), *packed, *got;
	struct source s;

	(void)state;
	for (size_t i = 0; i < n; i++)
		data[i] = (u8)(random_below(4) * i);
	packed = pack(data, n, &packed_n);
	s = in_memory(packed, packed_n);
	got = minidebug_unpack(&s, &got_n);
	assert_non_null(got);
	assert_int_equal(got_n, n);
	assert_memory_equal(got, data, n);
	free(got);
	for (size_t cut = 0; cut < packed_n; cut += 1 + packed_n / 97) {
		s.size = cut;
		assert_null(minidebug_unpack(&s, &got_n));
		assert_int_equal(errno, EBADMSG);
	}
	free(packed);
	free(data);
}

static void test_unpack_bomb(void **state)
{
	size_t n = MINIDEBUG_MAX + 1, packed_n, got_n;
	u8 *data = calloc(1, n), *packed = pack(data, n, &packed_n);
	struct source s = in_memory(packed, packed_n);

	(void)state;
	assert_null(minidebug_unpack(&s, &got_n));
	assert_int_equal(errno, EFBIG);
	free(packed);
	free(data);
}

/* ---- files ---------------------------------------------------------------------------- */

static int base_of(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(u64 *)arg = info->dlpi_addr;
	return 1;	/* the first is the program itself */
}

__attribute__((noinline)) void names_test_known_function(void)
{
	assert_true(random_state != 0);
}

static int copy_of_myself(void)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = memfd_create("copy", MFD_CLOEXEC);
	char buf[65536];
	ssize_t n;

	assert_true(from >= 0 && to >= 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		assert_int_equal(write(to, buf, (size_t)n), n);
	close(from);
	return to;
}

static void test_own_symbols(void **state)
{
	int fd = copy_of_myself();
	struct names *n = names_read(fd, -1);
	char text[SYMBOL_NAME_MAX];
	u64 base = 0, addr;

	(void)state;
	assert_non_null(n);
	dl_iterate_phdr(base_of, &base);
	addr = (u64)(uintptr_t)names_test_known_function - base;
	assert_true(names_find(n, addr + 1, text, sizeof(text)));
	assert_string_equal(text, "names_test_known_function");
	assert_false(names_find(n, 1, text, sizeof(text)));
	assert_false(names_find(n, UINT64_MAX, text, sizeof(text)));
	assert_int_equal(names_missing(n), MISSING_NOT_COVERED);
	assert_true(names_count(n) > 100);
	assert_true(names_bytes(n) / names_count(n) <= 16);
	assert_true(names_unchanged(n));
	/* written over, then cut off: said, and no SIGBUS */
	assert_int_equal(pwrite(fd, "x", 1, 4000), 1);
	assert_int_equal(ftruncate(fd, 5000), 0);
	assert_false(names_unchanged(n));
	assert_false(names_find(n, addr + 1, text, sizeof(text)));
	names_free(n);
	close(fd);
}

/* Cut off anywhere, and with bytes changed where the headers are. */
static void test_hostile_files(void **state)
{
	int fd = copy_of_myself();
	u64 size;
	struct stat st;

	(void)state;
	fstat(fd, &st);
	size = (u64)st.st_size;
	for (u32 i = 0; i < 60; i++) {
		int bad = memfd_create("bad", MFD_CLOEXEC);
		char text[SYMBOL_NAME_MAX];
		struct names *n;
		static char all[64u << 20];
		size_t keep = i % 3 ? size : size / 60 * i, got;

		assert_true(size < sizeof(all));
		got = (size_t)pread(fd, all, keep, 0);
		if (i % 3 && got > 64 * 64)
			for (u32 k = 0; k < i % 20; k++)
				all[i % 3 == 1 ? random_below(4096) : got - 1 - random_below(64 * 40)] =
					(char)(i & 1 ? random_below(256) : 0xff);
		assert_int_equal(write(bad, all, got), got);
		n = names_read(bad, i & 4 ? fd : -1);
		for (u64 addr = 0; n && addr < size; addr += size / 20)
			names_find(n, addr, text, sizeof(text));
		names_free(n);
		if (i % 10 == 0)
			debugfile_matches(bad, fd);
		close(bad);
	}
	close(fd);
}

static void test_debug_file(void **state)
{
	int fd = copy_of_myself(), other = open("/bin/true", O_RDONLY | O_CLOEXEC);
	int empty = memfd_create("empty", MFD_CLOEXEC);
	struct elf_file *f = elf_file_open(fd);
	u8 id[BUILD_ID_MAX];
	bool has = elf_build_id(f, id, sizeof(id)) > 0;

	(void)state;
	elf_file_close(f);
	assert_int_equal(debugfile_matches(fd, fd), has);
	assert_false(debugfile_matches(fd, other));
	assert_false(debugfile_matches(fd, empty));
	assert_false(debugfile_matches(empty, fd));
	assert_false(debugfile_matches(fd, -1));
	close(fd);
	close(other);
	close(empty);
}

static void test_demangle(void **state)
{
	static const char *const pairs[][2] = {
		{ "main", "main" }, { "memcpy@@GLIBC_2.14", "memcpy" }, { "@odd", "@odd" },
		{ "_ZN3foo3barEi@@V1", "foo::bar(int)" }, { "_Zbroken", "_Zbroken" },
		{ "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad" },
		{ "main.(*worker).burn", "main.(*worker).burn" },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(pairs); i++) {
		char *s = symbol_demangle(pairs[i][0]);

		assert_string_equal(s, pairs[i][1]);
		free(s);
	}
}

/* ---- where files are looked for --------------------------------------------------------- */

static void test_places(void **state)
{
	struct opener_job job = { .kind = OPEN_DEBUG, .build_id = "abcdef0123", .link = "x.debug",
				  .path = "/usr/bin/x (deleted)" };
	static const char *const want[DEBUG_PLACES] = {
		"/usr/lib/debug/.build-id/ab/cdef0123.debug", "/usr/lib/debug/.build-id/ab/cdef0123.debug",
		"/usr/bin/x.debug", "/usr/bin/.debug/x.debug", "/usr/lib/debug/usr/bin/x.debug",
	};
	static const char *const bad_links[] = { "", "../../etc/shadow", "/etc/shadow", ".", ".." };
	char path[256];
	bool own;

	(void)state;
	for (u32 i = 0; i < DEBUG_PLACES; i++) {
		assert_true(opener_debug_place(&job, i, path, sizeof(path), &own));
		assert_string_equal(path, want[i]);
		assert_int_equal(own, i == 1);
	}
	assert_false(opener_debug_place(&job, DEBUG_PLACES, path, sizeof(path), &own));
	assert_false(opener_debug_place(&job, 4, path, 10, &own));
	for (u32 k = 0; k < ARRAY_SIZE(bad_links); k++) {
		snprintf(job.link, sizeof(job.link), "%s", bad_links[k]);
		for (u32 i = 2; i < DEBUG_PLACES; i++)
			assert_false(opener_debug_place(&job, i, path, sizeof(path), &own));
	}
	job.build_id[0] = '\0';
	assert_false(opener_debug_place(&job, 0, path, sizeof(path), &own));
}

static void test_places_of_dwz(void **state)
{
	struct opener_job job = { .kind = OPEN_SUP, .build_id = "abcdef0123",
				  .link = "../../.dwz/x86_64-linux-gnu/x.debug" };
	static const char *const bad_links[] = { "", "/etc/shadow", "/.dwz/../../etc/shadow" };
	char path[256];
	bool own;

	(void)state;
	for (u32 i = 0; i < SUP_PLACES; i++) {
		assert_true(opener_debug_place(&job, i, path, sizeof(path), &own));
		assert_string_equal(path, i < 2 ? "/usr/lib/debug/.dwz/x86_64-linux-gnu/x.debug" :
				    "/usr/lib/debug/.build-id/ab/cdef0123.debug");
		assert_int_equal(own, i % 2);
	}
	assert_false(opener_debug_place(&job, SUP_PLACES, path, sizeof(path), &own));
	for (u32 k = 0; k < ARRAY_SIZE(bad_links); k++) {
		snprintf(job.link, sizeof(job.link), "%s", bad_links[k]);
		assert_false(opener_debug_place(&job, 0, path, sizeof(path), &own));
		assert_true(opener_debug_place(&job, 2, path, sizeof(path), &own));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unpack),
		cmocka_unit_test(test_unpack_bomb),
		cmocka_unit_test(test_own_symbols),
		cmocka_unit_test(test_hostile_files),
		cmocka_unit_test(test_debug_file),
		cmocka_unit_test(test_demangle),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_places_of_dwz),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
