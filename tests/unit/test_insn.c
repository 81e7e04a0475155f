// SPDX-License-Identifier: GPL-2.0-or-later
/* Instructions of real files have the length that objdump prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbolizer/insn.h"

/* "  401000:\tf3 0f 1e fa \tendbr64": the bytes; 0: another line, or what objdump cannot read. */
static u32 bytes_of_line(const char *line, u8 *ret, bool *ret_bad)
{
	const char *at = strstr(line, ":\t");
	u32 n = 0;
	unsigned byte;
	int used;

	*ret_bad = strstr(line, "(bad)") || strstr(line, ".byte") || strstr(line, ".insn");
	if (!at)
		return 0;
	for (at += 2; n < 16 && sscanf(at, "%2x%n", &byte, &used) == 1 && used == 2 && at[2] == ' '; at += 3)
		ret[n++] = (u8)byte;
	return n;
}

/* Prefixes that objdump prints alone, as "rex.W" or "data16", are its own view of nonsense. */
static bool is_prefix(const char *line)
{
	static const char *const alone[] = { "\trex", "\tdata16", "\tcs", "\tds", "\tfs", "\tgs", "\tss",
					     "\tes", "\trep", "\tlock", "\taddr32", "\tfwait", "\tnotrack",
					     "\tbnd" };

	for (u32 i = 0; i < ARRAY_SIZE(alone); i++)
		if (strstr(line, alone[i]))
			return true;
	return false;
}

static void compare_file(const char *path)
{
	char *command = xasprintf("objdump -d --wide --section=.text '%s' 2>/dev/null", path), *line = NULL;
	FILE *f = popen(command, "r");
	u32 compared = 0, differ = 0, n;
	size_t cap = 0;
	u8 code[16];
	bool bad;

	assert_non_null(f);
	while (getline(&line, &cap, f) > 0 && compared < 400000) {
		struct insn i;

		n = bytes_of_line(line, code, &bad);
		if (!n || bad || is_prefix(line))
			continue;
		compared++;
		if ((!insn_decode(code, n, &i) || i.length != n) && differ++ < 10)
			print_message("# %s: %u for %s", path, i.length, line);
	}
	while (getline(&line, &cap, f) > 0)
		;
	pclose(f);
	free(line);
	free(command);
	print_message("# %s: %u instructions, %u differ\n", path, compared, differ);
	assert_int_equal(differ, 0);
}

static void test_lengths(void **state)
{
	static const char *const files[] = {
		"/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6", "/bin/bash",
		"/usr/lib/x86_64-linux-musl/libc.so",
	};

	(void)state;
	if (system("objdump --version >/dev/null 2>&1"))
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(files); i++)
		compare_file(files[i]);
}

static void test_parts(void **state)
{
	struct insn i;

	(void)state;
	assert_true(insn_decode((const u8 *)"\x48\x83\xec\x28", 4, &i));	/* sub rsp,0x28 */
	assert_true(i.wide && i.mod == 3 && i.reg == 5 && i.rm == INSN_SP && i.imm == 0x28);
	assert_true(insn_writes(&i, INSN_SP) && !insn_writes(&i, INSN_BP));
	assert_true(insn_decode((const u8 *)"\x48\x8d\x65\xd8", 4, &i));	/* lea rsp,[rbp-0x28] */
	assert_true(i.reg == INSN_SP && i.rm == INSN_BP && i.disp == -0x28 && insn_writes(&i, INSN_SP));
	assert_true(insn_decode((const u8 *)"\x41\x5d", 2, &i));		/* pop r13 */
	assert_true(i.rm == 13 && !insn_writes(&i, INSN_BP));
	assert_true(insn_decode((const u8 *)"\x48\x89\x6c\x24\x08", 5, &i));	/* mov [rsp+8],rbp */
	assert_true(i.has_sib && i.base == INSN_SP && i.index == INSN_SP && i.disp == 8);
	assert_false(insn_writes(&i, INSN_BP));
	assert_false(insn_decode((const u8 *)"\x48\x8d\x65", 3, &i));	/* cut */
	assert_false(insn_decode((const u8 *)"\x06", 1, &i));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lengths), cmocka_unit_test(test_parts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
