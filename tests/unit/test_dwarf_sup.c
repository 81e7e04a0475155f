// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_dwarf_sup.c: references into dwz's supplementary file, in hand-made files. Each is its own
 * supplementary file, so every reference can go either way.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "symbolizer/dwarf.h"
#include "symbolizer/elf.h"

static char folder[] = "/tmp/ottop-sup-XXXXXX";

static int open_in(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void run(const char *command)
{
	char all[1024];

	snprintf(all, sizeof(all), "cd %s && { %s; } >log 2>&1 || { cat log; false; }", folder, command);
	assert_int_equal(system(all), 0);
}

/* dwarf_sup.S, from where the tests are run. */
static void build(u32 form, const char *value)
{
	char command[512], *here = getcwd(NULL, 0);

	snprintf(command, sizeof(command), "gcc -shared -nostdlib -Wl,--build-id=0x01020304 -o program "
		 "'-DFORM=%u' '-DVALUE=%s' '%s'/tests/unit/dwarf_sup.S", form, value, here);
	free(here);
	run(command);
}

/* The names at f + 16, those that are unknown as "?", innermost first. */
static void names_at_f(const char *other, char *buf, size_t cap)
{
	struct dwarf_frame f[DWARF_MAX_DEPTH];
	int fd = open_in("program"), sup_fd = open_in(other);
	struct dwarf *d = dwarf_open(fd, sup_fd);
	u32 n = 0;
	size_t len = 0;

	close(fd);
	close(sup_fd);
	assert_non_null(d);
	assert_true(dwarf_index(d, UINT64_MAX));
	for (u64 addr = 16; addr < 0x10000 && n < 2; addr += 16)
		n = dwarf_find(d, addr, f);
	buf[0] = '\0';
	for (u32 i = 0; i < n && len < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, "%s ", f[i].name ? f[i].name : "?");
	dwarf_close(d);
}

#define ALT 0x1f20	/* DW_FORM_GNU_ref_alt */
#define REF4 0x13
#define DATA8 0x07
#define SDATA 0x0d

static void references(void **state)
{
	static const struct { u32 form; const char *value, *names; } cases[] = {
		{ REF4, ".long name - start", "there around " },
		{ ALT, ".long name - start", "there around " },
		{ REF4, ".long other - start", "there around " },
		/* the other file has no other file */
		{ ALT, ".long other - start", "? around " },
		{ ALT, ".long loop - start", "? around " },
		/* a number that looks as our mark of the other file does */
		{ DATA8, ".quad name - start + 0x8000000000000000", "? around " },
		{ SDATA, ".sleb128 -1", "? around " },
		{ ALT, ".long 0xfffffff0", "? around " },
		{ ALT, ".long 0", "? around " },
	};
	char names[256];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		build(cases[i].form, cases[i].value);
		names_at_f("program", names, sizeof(names));
		assert_string_equal(names, cases[i].names);
	}
}

/* Of the right build-id, and spoiled: what is not in it has its name all the same. */
static void a_spoiled_other_file(void **state)
{
	static const char *const ways[] = {
		"printf x >part && objcopy --update-section .debug_info=part program bad",
		"objcopy --remove-section .debug_info program bad",
		"objcopy --remove-section .debug_abbrev program bad",
		"head -c 500 program >bad", ": >bad",
	};
	char names[256];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(ways); i++) {
		build(ALT, ".long name - start");
		run(ways[i]);
		names_at_f("bad", names, sizeof(names));
		assert_string_equal(names, "? around ");
		build(REF4, ".long name - start");
		run(ways[i]);
		names_at_f("bad", names, sizeof(names));
		assert_string_equal(names, "there around ");
	}
}

/* What .gnu_debugaltlink may claim. */
static void links(void **state)
{
	static const struct { const char *bytes; size_t n; } cases[] = {
		{ "'a/x\\0\\1\\2\\3\\4'", 4 },
		{ "'x\\0' && head -c 20 /dev/zero", 20 }, { "'x\\0' && head -c 21 /dev/zero", 0 },
		{ "'x'", 0 }, { "'x\\0'", 0 }, { "'\\0\\1\\2\\3\\4'", 0 },
		{ "'%126s\\0\\1\\2' x", 2 }, { "'%127s\\0\\1\\2' x", 0 }, { "'%140s' x", 0 },
		{ "'%140s\\0\\1\\2' x", 0 }, { "x && head -c 3000000 /dev/zero", 0 },
	};
	char name[DEBUGLINK_MAX], command[256];
	u8 id[BUILD_ID_MAX];

	(void)state;
	build(REF4, ".long 0");
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct elf_file *f;
		int fd;

		snprintf(command, sizeof(command), "{ printf %s; } >part && "
			 "objcopy --update-section .gnu_debugaltlink=part program bad", cases[i].bytes);
		run(command);
		fd = open_in("bad");
		f = elf_file_open(fd);
		assert_non_null(f);
		assert_int_equal(elf_altlink(f, name, sizeof(name), id, sizeof(id)), cases[i].n);
		elf_file_close(f);
		close(fd);
	}
}

static int clean(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references), cmocka_unit_test(a_spoiled_other_file),
		cmocka_unit_test(links),
	};

	if (!mkdtemp(folder))
		return 1;
	return cmocka_run_group_tests_name("dwarf_sup", tests, NULL, clean);
}
