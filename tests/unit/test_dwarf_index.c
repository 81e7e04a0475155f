// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_dwarf_index.c: the index in a file (.gdb_index) gives the same results as addr2line, and one
 * that does not match the file is ignored.
 */
#include "tests/unit/dwarf_programs.h"

/* Writes an index into the program that was built; skips where it was not, or there is no gdb. */
static const char *add_index(const char *path)
{
	char command[256];

	if (!path || !have("gdb-add-index")) {
		printf("# skipped: no compiler or no gdb-add-index\n");
		skip();
	}
	snprintf(command, sizeof(command), "cd %s && HOME=%s gdb-add-index program", folder, folder);
	assert_int_equal(system(command), 0);
	return path;
}

/*
 * Whether the units of a file were listed from its index; all of its code must be found
 * nevertheless.
 */
static bool is_told(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct dwarf *d = dwarf_open(fd, -1);
	bool has;

	close(fd);
	assert_non_null(d);
	assert_true(dwarf_index(d, UINT64_MAX));
	has = d->has_index;
	dwarf_close(d);
	return has;
}

static void index_of_gdb(void **state)
{
	const char *path;

	(void)state;
	skip_sanitized();
	path = build(cc_source, "a.cc", "g++", "-O2 -gdwarf-5 -gz");
	assert_false(is_told(path));
	check(add_index(path), "addr2line", STEP);
	assert_true(is_told(path));
}

/* Many units, of which most have no code that is left. */
static void index_of_many_units(void **state)
{
	const char *path;

	(void)state;
	skip_sanitized();
	path = add_index(build(rs_source, "a.rs", "rustc", "-g"));
	check(path, "addr2line", 4 * FAR);
	assert_true(is_told(path));
}

static void index_of_a_linker(void **state)
{
	const char *path;

	(void)state;
	if (!have("ld.gold"))
		skip();
	path = build(c_source, "a.c", "gcc", "-O2 -gdwarf-4 -fuse-ld=gold -Wl,--gdb-index");
	check(path, "addr2line", 1);
	assert_true(is_told(path));
}

/* The index of a modified file is ignored. Its second word is the offset of its list of units. */
static void index_that_does_not_fit(void **state)
{
	const char *path = add_index(build(c_source, "a.c", "gcc", "-O2 -gdwarf-5"));
	char command[512];

	(void)state;
	snprintf(command, sizeof(command), "cd %s && objcopy --dump-section .gdb_index=index program && "
		 "printf '\\1' | dd of=index bs=1 seek=$(od -An -tu4 -j4 -N4 index | tr -d ' ') conv=notrunc 2>/dev/null && "
		 "objcopy --update-section .gdb_index=index program", folder);
	assert_int_equal(system(command), 0);
	assert_false(is_told(path));
	check(path, "addr2line", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_of_gdb),
		cmocka_unit_test(index_of_many_units),
		cmocka_unit_test(index_of_a_linker),
		cmocka_unit_test(index_that_does_not_fit),
	};

	return mkdtemp(folder) ? cmocka_run_group_tests(tests, NULL, clean) : 1;
}
