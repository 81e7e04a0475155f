// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions of the kernel: the compact form says what each line of the file says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbolizer/symbolizer.h"

static int load(const char *text)
{
	char path[] = "/tmp/ottop-kallsyms-XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	err = kallsyms_load(path);
	unlink(path);
	return err;
}

static void expect(u64 addr, const char *name, const char *module)
{
	const char *in = "?", *got = kallsyms_name(addr, &in);

	assert_non_null(got);
	assert_string_equal(got, name);
	assert_string_equal(in, module);
}

static void test_names(void **state)
{
	const char *module;

	(void)state;
	assert_int_equal(load("ffffffff81000000 T _stext\n"
			      "ffffffff81000010 t __pfx_do_one\n"
			      "ffffffff81000020 T do_one\n"
			      "ffffffff81000100 D a_variable\n"
			      "ffffffff81000200 t __pfx_alone\n"
			      "ffffffff81000210 W weak\n"
			      "ffffffffc0002000 t of_module	[nf_tables]\n"
			      "ffffffffc0001000 t __pfx_early	[nf_tables]\n"
			      "ffffffffc0001010 t early	[nf_tables]\n"
			      "ffff800012340000 t bpf_prog_1	[bpf]\n"
			      "garbage\nffffffff81000300 T\n0000000000000000 T hidden\n"), 0);
	assert_null(kallsyms_name(0x1000, &module));
	expect(0xffffffff8100000f, "_stext", "");
	expect(0xffffffff81000010, "__pfx_do_one", "");
	expect(0xffffffff8100001f, "__pfx_do_one", "");
	expect(0xffffffff81000020, "do_one", "");
	expect(0xffffffff810001ff, "do_one", "");
	expect(0xffffffff81000200, "__pfx_alone", "");
	expect(0xffffffff81000210, "weak", "");
	expect(0xffffffffc0001008, "__pfx_early", "nf_tables");
	expect(0xffffffffc0001fff, "early", "nf_tables");
	expect(0xffffffffc0002000, "of_module", "nf_tables");
	expect(0xffff800012340004, "bpf_prog_1", "bpf");
	kallsyms_free();
	assert_null(kallsyms_name(0xffffffff81000020, &module));
}

static void test_hidden(void **state)
{
	(void)state;
	assert_int_equal(load("0000000000000000 T _stext\n0000000000000000 T a\n"), -EPERM);
	assert_int_equal(kallsyms_load("/nonexistent/kallsyms"), -ENOENT);
}

static void test_long_names(void **state)
{
	char line[1200], name[513] = "";
	const char *module;

	(void)state;
	memset(name, 'n', 511);
	snprintf(line, sizeof(line), "ffffffff81000000 T __pfx_f\nffffffff81000010 T f\nffffffff81000100 T %s\n",
		 name);
	assert_int_equal(load(line), 0);
	expect(0xffffffff81000101, name, "");
	expect(0xffffffff81000001, "__pfx_f", "");
	kallsyms_free();
	assert_null(kallsyms_name(1, &module));
}

/* More than fit in what is packed together, and further away than its numbers reach. */
static void test_many(void **state)
{
	static char text[300 * 100];
	char name[32];
	size_t at = 0;

	(void)state;
	for (u32 i = 0; i < 300; i++)
		at += (size_t)sprintf(text + at, "%llx t __pfx_f%u%s\n%llx T f%u%s\n", 0xffff800000000000ull +
				      i * 0x100000ull * i * i, i, i % 7 ? "" : "\t[seventh]",
				      0xffff800000000010ull + i * 0x100000ull * i * i, i, i % 7 ? "" : "\t[seventh]");
	assert_int_equal(load(text), 0);
	for (u32 i = 300; i-- > 0;) {
		snprintf(name, sizeof(name), "__pfx_f%u", i);
		expect(0xffff800000000000ull + i * 0x100000ull * i * i, name, i % 7 ? "" : "seventh");
		expect(0xffff80000000000full + i * 0x100000ull * i * i, name, i % 7 ? "" : "seventh");
		expect(0xffff800000000010ull + i * 0x100000ull * i * i, name + 6, i % 7 ? "" : "seventh");
		expect(0xffff80000000ffffull + i * 0x100000ull * i * i, name + 6, i % 7 ? "" : "seventh");
	}
	kallsyms_free();
}

/* Each function of this kernel, where it may be read. */
static void test_this_kernel(void **state)
{
	char line[1024], name[600], type;
	unsigned long long addr, last = 0;
	u32 n = 0, same = 0;
	FILE *f;

	(void)state;
	if (kallsyms_load("/proc/kallsyms"))
		skip();
	f = fopen("/proc/kallsyms", "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *module, *got;

		if (sscanf(line, "%llx %c %599s", &addr, &type, name) != 3 || !strchr("tTwW", type) || !addr ||
		    addr == last)
			continue;
		last = addr;
		got = kallsyms_name(addr, &module);
		assert_non_null(got);
		n++;
		same += !strcmp(got, name);
	}
	fclose(f);
	print_message("%u of %u names, %zu bytes\n", same, n, kallsyms_bytes());
	assert_true(same >= n - n / 100);	/* some addresses have several names */
	kallsyms_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_this_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
