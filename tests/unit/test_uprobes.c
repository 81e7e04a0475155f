// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_uprobes.c: the start of functions in files (symbolizer/symbols.c), compared with nm; kernels
 * with return probes that kill.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/uprobes/attach.h"
#include "symbolizer/placement.h"
#include "symbolizer/symbols.h"

static char folder[] = "/tmp/ottop-uprobes-XXXXXX";

static const char source[] =
	"int one(int x)\n{\n\treturn x * 3;\n}\n"
	"int twenty_one(int x)\n{\n\treturn one(x) + 21;\n}\n"	/* the text of "one" may be the end of this one */
	"static __attribute__((noinline, used)) int hidden(int x)\n{\n\treturn x * 5;\n}\n"
	"int variable = 3;\nextern int not_here(int);\n"
	"int call(int x)\n{\n\treturn hidden(x) + not_here(x);\n}\n";

static const char *const names[] = { "one", "hidden", "variable", "not_here", "twenty_one", "none", "call" };

static void run(const char *command)
{
	char text[512];

	snprintf(text, sizeof(text), "cd %s && %s", folder, command);
	assert_int_equal(system(text), 0);
}

#ifdef __x86_64__
/*
 * inner: called by all; starts with an emulated instruction. exact and ready call it with their own
 * arguments, shuffled with others; slow starts with an instruction that must be stepped over;
 * stranger is not called by others.
 */
static const char code[] =
	".text\n"
	".macro f name\n.globl \\name\n.type \\name, @function\n\\name:\n.endm\n"
	".type inner, @function\ninner: push %r13\npop %r13\nret\n"
	".type guarded, @function\nguarded: endbr64\npush %rbp\npop %rbp\nret\n"
	".type slow, @function\nslow: sub $8, %rsp\nadd $8, %rsp\nret\n"
	".type stranger, @function\nstranger: push %rbx\npop %rbx\nret\n"
	"f exact\nsub $8, %rsp\ncall inner\nadd $8, %rsp\nret\n"
	"f ready\nendbr64\npush %rbx\npush %r12\nsub $0x88, %rsp\ncall guarded\nadd $0x98, %rsp\nret\n"
	"f shuffled\nsub $8, %rsp\nmov %rsi, %rdi\ncall inner\nadd $8, %rsp\nret\n"
	"f tardy\nsub $8, %rsp\ncall slow\nadd $8, %rsp\nret\n"
	"f alone\nsub $8, %rsp\ncall stranger\nadd $8, %rsp\nret\n"
	"f other\nsub $0x18, %rsp\ntest %edx, %edx\njs 1f\ncall inner\ncall guarded\ncall slow\n1: add $0x18, %rsp\nret\n"
	/* Go: small, large and very large frames; before 1.21; no check; a check of 1.16 */
	"f go_small\ncmp 16(%r14), %rsp\njbe 1f\npush %rbp\nmov %rsp, %rbp\npop %rbp\nret\n1: nop\n"
	"f go_large\nlea -0x48(%rsp), %r12\ncmp 16(%r14), %r12\njbe go_far\npush %rbp\npop %rbp\nret\n"
	"f go_larger\nlea -0x1090(%rsp), %r12\ncmp 16(%r14), %r12\njbe go_far\npush %rbp\npop %rbp\nret\n"
	"f go_119\ncmp 16(%r14), %rsp\njbe 1f\nsub $0x18, %rsp\nadd $0x18, %rsp\nret\n1: nop\n"
	"f go_leaf\npush %rbp\nmov %rsp, %rbp\npop %rbp\nret\n"
	"f go_116\nmov %fs:-8, %rcx\ncmp 16(%rcx), %rsp\njbe 1f\npush %rbp\npop %rbp\nret\n1: nop\n"
	"f go_mixed\nlea -0x48(%rsp), %r12\ncmp 16(%r14), %rsp\njbe 1f\npush %rbp\npop %rbp\nret\n1: nop\n"
	"f calls_once\n.rept 600\nnop\n.endr\ncall inner\n.rept 300\nnop\n.endr\nret\n"
	"f calls_twice\ncall inner\n.rept 600\nnop\n.endr\ncall inner\nret\n"
	"f edge\n.rept 250\nnop\n.endr\ncall inner\nret\n"		/* where two reads meet */
	"f go_far\nret\n"
	".section .note.GNU-stack,\"\",@progbits\n";

#endif

/* The library is linked so that addresses and offsets differ by 1 MiB. */
static int build(void **state)
{
	char path[64];
	FILE *f;

	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/a.c", folder);
	f = fopen(path, "w");
	fputs(source, f);
	fclose(f);
	run("cc -O1 -shared -fPIC -nostdlib -Wl,-Ttext-segment=0x100000 -o whole a.c");
	run("strip -o stripped whole");
#ifdef __x86_64__
	snprintf(path, sizeof(path), "%s/b.s", folder);
	f = fopen(path, "w");
	fputs(code, f);
	fclose(f);
	run("cc -shared -nostdlib -Wl,-Ttext-segment=0x100000 -o code b.s");
#endif
	return 0;
}

static int clean(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static u64 addr_in(const char *file, const char *name)
{
	char command[128];
	unsigned long long addr = 0;
	FILE *f;

	snprintf(command, sizeof(command), "nm %s/%s | sed -n 's/ [tT] %s$//p'", folder, file, name);
	f = popen(command, "r");
	if (fscanf(f, "%llx", &addr) != 1)
		addr = 0;
	pclose(f);
	return addr;
}

static u64 addr_of(const char *name)
{
	return addr_in("whole", name);
}

static u32 find_all(const char *file, const char *const *all, u32 count, u64 *offsets)
{
	char path[64];
	struct elf_file *f;
	u32 n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	f = elf_file_open(fd);
	assert_non_null(f);
	n = symbols_find(f, all, count, offsets);
	elf_file_close(f);
	close(fd);
	return n;
}

static u32 find(const char *file, u64 *offsets)
{
	return find_all(file, names, ARRAY_SIZE(names), offsets);
}

static void test_symbols(void **s)
{
	u64 offsets[ARRAY_SIZE(names)];

	assert_int_equal(find("whole", offsets), 4);
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		bool function = i == 0 || i == 1 || i == 4 || i == 6;

		assert_true(function == !!offsets[i]);
		if (function)
			assert_int_equal(offsets[i], addr_of(names[i]) - 0x100000);
	}
}

static void test_stripped(void **s)
{
	u64 offsets[ARRAY_SIZE(names)];

	assert_int_equal(find("stripped", offsets), 3);
	assert_int_equal(offsets[1], 0);
	assert_int_equal(offsets[4], addr_of("twenty_one") - 0x100000);
}

#ifdef __x86_64__
static void test_placement(void **s)
{
	static const char *const all[] = {
		"exact", "ready", "shuffled", "tardy", "alone", "other",
		"exact>other", "ready>other", "shuffled>other", "tardy>other", "alone>other", "exact>none",
	};
	u64 offsets[ARRAY_SIZE(all)];

	find_all("code", all, ARRAY_SIZE(all), offsets);
	assert_int_equal(offsets[0], addr_in("code", "exact") - 0x100000);
	assert_int_equal(offsets[1], addr_in("code", "ready") - 0x100000 + 4);	/* behind its endbr64 */
	assert_int_equal(offsets[6], addr_in("code", "inner") - 0x100000);
	assert_int_equal(offsets[7], addr_in("code", "guarded") - 0x100000 + 4);
	for (u32 i = 8; i < ARRAY_SIZE(all); i++)
		assert_int_equal(offsets[i], 0);
}

static u64 offset_in_code(const char *name)
{
	return addr_in("code", name) - 0x100000;
}

static void test_go(void **s)
{
	static const struct { const char *name; u32 behind; bool known; } all[] = {
		{ "go_small", 6, true }, { "go_large", 15, true }, { "go_larger", 18, true }, { "go_119", 4, true },
		{ "go_leaf", 0, false }, { "go_116", 0, false }, { "go_mixed", 0, false }, { "go_far", 0, false },
	};
	struct elf_file *f;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/code", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	f = elf_file_open(fd);
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		u64 at = offset_in_code(all[i].name);

		assert_int_equal(placement_go(f, at), all[i].known ? at + all[i].behind : 0);
	}
	assert_int_equal(placement_call(f, offset_in_code("calls_once"), 906, offset_in_code("inner")),
			 offset_in_code("calls_once") + 600);
	assert_int_equal(placement_call(f, offset_in_code("calls_once"), 604, offset_in_code("inner")), 0);
	assert_int_equal(placement_call(f, offset_in_code("calls_once"), 906, offset_in_code("alone")), 0);
	assert_int_equal(placement_call(f, offset_in_code("calls_twice"), 611, offset_in_code("inner")), 0);
	assert_int_equal(placement_call(f, offset_in_code("edge"), 256, offset_in_code("inner")), offset_in_code("edge") + 250);
	assert_int_equal(placement_call(f, 1ull << 40, 4096, 8), 0);
	elf_file_close(f);
	close(fd);
}
#endif

static void test_kernels(void **s)
{
	static const struct { const char *release; bool kills; } all[] = {
		{ "6.1.0-18-amd64", false }, { "6.8.0-45-generic", false }, { "6.10.14", false },
		{ "6.11.0-9-generic", true }, { "6.11", true }, { "6.12.0-rc3", true }, { "6.12.13-amd64", true },
		{ "6.12.14", false }, { "6.12.43+deb13-amd64", false }, { "6.13.2", true }, { "6.13.3", false },
		{ "6.14.0", false }, { "7.12.1", false }, { "nothing", false },
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		assert_true(uprobe_returns_kill(all[i].release) == all[i].kills);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_stripped),
		cmocka_unit_test(test_kernels),
#ifdef __x86_64__
		cmocka_unit_test(test_placement),
		cmocka_unit_test(test_go),
#endif
	};

	return cmocka_run_group_tests(tests, build, clean);
}
