// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's names for its functions agree with /proc/kallsyms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "bpf/kernel/ksym.h"
#include "bpf/kernel/probes.h"
#include "drops.skel.h"

static void expect_split(const char *said, const char *name, const char *module)
{
	char text[KSYM_BYTES];
	const char *in = NULL;

	snprintf(text, sizeof(text), "%s", said);
	assert_int_equal(ksym_split(text, &in), name ? 0 : -ENOENT);
	if (!name)
		return;
	assert_string_equal(text, name);
	assert_string_equal(in, module);
}

static void test_split(void **state)
{
	(void)state;
	expect_split("do_one", "do_one", "");
	expect_split("nft_do_chain [nf_tables]", "nft_do_chain", "nf_tables");
	expect_split("cut [nf_tab", "cut", "nf_tab");
	expect_split("bpf_prog_1d0f_on_enter", "bpf_prog_1d0f_on_enter", "bpf");
	expect_split("poll.constprop.0", "poll.constprop.0", "");
	expect_split("0xffffffffdead0000", NULL, NULL);
	expect_split("", NULL, NULL);
}

/* Where several names have one address the kernel chooses one; the file lists them all. */
static bool lists(u64 addr, const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[700], *end;
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\t\n")] = '\0';
		found = strtoull(line, &end, 16) == addr && strlen(end) > 3 && !strcmp(end + 3, name);
	}
	if (f)
		fclose(f);
	return found;
}

static u32 compare_with_file(int prog)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[700], text[KSYM_BYTES], *end;
	const char *module;
	u32 n = 0, compared = 0;

	while (f && fgets(line, sizeof(line), f)) {
		u64 addr = strtoull(line, &end, 16);

		line[strcspn(line, "\t\n")] = '\0';
		if (!addr || !strchr("tT", end[1]) || strlen(end + 3) >= KSYM_BYTES || n++ % 3001)
			continue;
		assert_int_equal(ksym_name(prog, addr, text, &module), 0);
		if (strcmp(text, end + 3) && !lists(addr, text))
			fail_msg("%#llx: %s in the file, %s", (unsigned long long)addr, end + 3, text);
		compared++;
	}
	if (f)
		fclose(f);
	return compared;
}

static void test_kernel(void **state)
{
	struct drops *skel = drops__open();
	char text[KSYM_BYTES];
	const char *module;

	(void)state;
	probes_quiet();
	assert_non_null(skel);
	bpf_program__set_autoload(skel->progs.on_drop, false);
	if (drops__load(skel)) {
		drops__destroy(skel);
		skip();
	}
	assert_int_equal(ksym_name(bpf_program__fd(skel->progs.name_place), 0x1000, text, &module), -ENOENT);
	if (!compare_with_file(bpf_program__fd(skel->progs.name_place)))
		print_message("# addresses are hidden: nothing to compare with\n");
	drops__destroy(skel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
