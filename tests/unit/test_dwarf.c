// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines and inlined functions, against addr2line of binutils: programs are
 * compiled here, addresses all over their code are asked of both.
 *
 * test_dwarf FILE... compares files that are there already, and prints what differs.
 */
#include "tests/unit/dwarf_programs.h"

static void c_of_gcc(void **state)
{
	(void)state;
	check(build(c_source, "a.c", "gcc", "-O2 -gdwarf-5"), "addr2line", 1);
	check(build(c_source, "a.c", "gcc", "-O2 -gdwarf-4"), "addr2line", 1);
	if (!SANITIZED)
		check(build(c_source, "a.c", "gcc", "-O3 -g -static"), "addr2line", FAR);
	check(build(c_source, "a.c", "gcc", "-O2 -g -ffunction-sections -Wl,--gc-sections -gz"), "addr2line", 1);
}

static void c_of_clang(void **state)
{
	(void)state;
	check(build(c_source, "a.c", "clang", "-O2 -gdwarf-4"), "addr2line", 1);
	check(build(c_source, "a.c", "clang", "-O2 -gdwarf-5"), "llvm-addr2line", 1);
}

static void cxx_in_dwarf_4(void **state)
{
	(void)state;
	skip_sanitized();
	check(build(cc_source, "a.cc", "g++", "-O2 -gdwarf-4"), "addr2line", STEP);
}

static void cxx_in_dwarf_5(void **state)
{
	(void)state;
	check(build(cc_source, "a.cc", "g++", "-O2 -gdwarf-5 -gz"), "addr2line", STEP);
}

static void cxx_optimized_as_a_whole(void **state)
{
	(void)state;
	skip_sanitized();
	check(build(cc_source, "a.cc", "g++", "-O2 -g -flto"), "addr2line", STEP);
}

static void rust(void **state)
{
	(void)state;
	skip_sanitized();
	check(build(rs_source, "a.rs", "rustc", "-O -g"), "addr2line", FAR);
}

static void go(void **state)
{
	(void)state;
	skip_sanitized();
	setenv("GO111MODULE", "off", 1);
	check(build(go_source, "a.go", "go", "build"), "llvm-addr2line", 4 * FAR);
}

/* ---- what is not there ---------------------------------------------------------------- */

static struct dwarf *open_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct dwarf *d = dwarf_open(fd, -1);
	int err = errno;

	close(fd);
	errno = err;
	return d;
}

static void no_dwarf_is_said(void **state)
{
	(void)state;
	assert_null(open_path(build(c_source, "a.c", "gcc", "-O2 -g0")));
	assert_int_equal(errno, ENODATA);
	assert_null(open_path("/etc/passwd"));
	assert_int_equal(errno, ENOEXEC);
}

/* In split DWARF the functions are in another file, but lines are present. */
static void split_dwarf_has_lines_only(void **state)
{
	struct dwarf *d = open_path(build(c_source, "a.c", "gcc", "-O2 -g -gsplit-dwarf"));
	struct dwarf_frame f[DWARF_MAX_DEPTH];
	u32 lines = 0;

	(void)state;
	assert_non_null(d);
	assert_true(dwarf_index(d, UINT64_MAX));
	for (u64 addr = 0x1000; addr < 0x1400; addr++) {
		u32 n = dwarf_find(d, addr, f);

		assert_true(n <= 1);
		assert_true(!n || !f[0].name);
		lines += n && f[0].line && f[0].file && strstr(f[0].file, "a.c");
	}
	assert_true(lines > 100);
	dwarf_close(d);
}

/* Debian's way: parts shared by several files are in a third one. */
static const char *build_with_dwz(const char *source, const char *name, const char *compiler,
				  const char *flags)
{
	const char *path = build(source, name, compiler, flags);
	char command[512];

	if (!path || !have("dwz")) {
		printf("# skipped: no compiler or no dwz\n");
		skip();
	}
	snprintf(command, sizeof(command), "cd %s && rm -f common && cp program two && dwz -m common program two",
		 folder);
	assert_int_equal(system(command), 0);
	return path;
}

static void check_with_dwz(const char *source, const char *name, const char *compiler, const char *flags,
			   u32 every)
{
	const char *path = build_with_dwz(source, name, compiler, flags);
	char common[64];

	snprintf(common, sizeof(common), "%s/common", folder);
	sup_fd = open(common, O_RDONLY | O_CLOEXEC);
	assert_true(sup_fd >= 0);
	check(path, "addr2line", every);
	close(sup_fd);
	sup_fd = -1;
}

static void names_in_the_file_of_dwz(void **state)
{
	(void)state;
	check_with_dwz(c_source, "a.c", "gcc", "-O2 -gdwarf-5", 1);
	check_with_dwz(c_source, "a.c", "gcc", "-O2 -gdwarf-4", 1);
	if (!SANITIZED)
		check_with_dwz(cc_source, "a.cc", "g++", "-O2 -g", STEP);
}

/* Missing, or a different one: its names are unknown. */
static void names_in_no_file_are_unknown(void **state)
{
	const char *path = build_with_dwz(c_source, "a.c", "gcc", "-O2 -g");
	struct dwarf_frame f[DWARF_MAX_DEPTH];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct dwarf *d;
	u32 known = 0, inlined = 0;

	(void)state;
	d = dwarf_open(fd, fd);
	close(fd);
	assert_non_null(d);
	assert_true(dwarf_index(d, UINT64_MAX));
	for (u64 addr = 0x1000; addr < 0x1400; addr++) {
		u32 n = dwarf_find(d, addr, f);

		for (u32 i = 0; i < n; i++)
			assert_true(!f[i].name || f[i].name[0] != '<');
		known += n && f[0].line && strstr(f[0].file, "a.c");
		inlined += n > 1 && !f[0].name;
	}
	assert_true(known > 100);
	assert_true(inlined > 10);
	dwarf_close(d);
}

/* ---- running --------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c_of_gcc),
		cmocka_unit_test(c_of_clang),
		cmocka_unit_test(cxx_in_dwarf_4),
		cmocka_unit_test(cxx_in_dwarf_5),
		cmocka_unit_test(cxx_optimized_as_a_whole),
		cmocka_unit_test(rust),
		cmocka_unit_test(go),
		cmocka_unit_test(no_dwarf_is_said),
		cmocka_unit_test(split_dwarf_has_lines_only),
		cmocka_unit_test(names_in_the_file_of_dwz),
		cmocka_unit_test(names_in_no_file_are_unknown),
	};

	if (!mkdtemp(folder))
		return 1;
	if (argc == 1)
		return cmocka_run_group_tests(tests, NULL, clean);
	if (getenv("ADDR2LINE"))
		tool = getenv("ADDR2LINE");
	for (int i = 1; i < argc; i++)
		compare(argv[i]);
	return clean(NULL);
}
