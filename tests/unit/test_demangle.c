// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_demangle.c: names that stand for gigabytes are shown as they are, at once; long
 * ones that are harmless are demangled; a name of Rust is told from one of C++.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/base.h"
#include "symbolizer/symtab.h"

/* pair<int, int>, then a pair of two of these, and so on: 2^n names of int. */
static void cpp_bomb(char *buf, size_t cap, u32 levels)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t n = (size_t)snprintf(buf, cap, "_Z1fSt4pairIiiE");

	for (u32 i = 0; i < levels; i++) {
		char id[4] = { 0 };

		if (i < 36)
			id[0] = digits[i];
		else
			snprintf(id, sizeof(id), "%c%c", digits[i / 36], digits[i % 36]);
		n += (size_t)snprintf(buf + n, cap - n, "S_IS%s_S%s_E", id, id);
	}
}

/* A back reference of v0: "B" and the place in base 62, less one; "B_" is 0. */
static void back_reference(char *buf, size_t cap, u32 at)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (!at)
		snprintf(buf, cap, "B_");
	else if (at - 1 < 62)
		snprintf(buf, cap, "B%c_", digits[at - 1]);
	else
		snprintf(buf, cap, "B%c%c_", digits[(at - 1) / 62], digits[(at - 1) % 62]);
}

/* (i32, i32), then ((i32, i32), (i32, i32)), ... */
static void rust_bomb(char *buf, size_t cap, u32 levels)
{
	size_t n = (size_t)snprintf(buf, cap, "_RINvC1a1fTllE");
	u32 at = (u32)n - 4 - 2;	/* of the tuple; places count behind "_R" */

	for (u32 i = 0; i < levels; i++) {
		char ref[8];

		back_reference(ref, sizeof(ref), at);
		at = (u32)n - 2;
		n += (size_t)snprintf(buf + n, cap - n, "T%s%sE", ref, ref);
	}
	snprintf(buf + n, cap - n, "E");
}

static void is_raw(const char *name)
{
	char *s = symbol_demangle(name);

	assert_string_equal(s, name);
	free(s);
}

static void bombs(void **state)
{
	char name[4096];
	char *s;

	cpp_bomb(name, sizeof(name), 4);
	s = symbol_demangle(name);
	assert_int_equal(strncmp(s, "f(std::pair<int, int>, std::pair<std::pair<int, int>, std::pair<int, int>", 70), 0);
	free(s);
	cpp_bomb(name, sizeof(name), 40);
	is_raw(name);
	rust_bomb(name, sizeof(name), 2);
	s = symbol_demangle(name);
	assert_string_equal(s, "a::f::<(i32, i32), ((i32, i32), (i32, i32)), "
			       "(((i32, i32), (i32, i32)), ((i32, i32), (i32, i32)))>");
	free(s);
	rust_bomb(name, sizeof(name), 40);
	is_raw(name);
}

/* A function of many arguments: 10,000 bytes that stand for themselves. */
static void long_but_harmless(void **state)
{
	char name[12000], *s;
	size_t n = (size_t)snprintf(name, sizeof(name), "_Z1f");

	for (u32 i = 0; n < 10000; i++)
		n += (size_t)snprintf(name + n, sizeof(name) - n, "80type%076u", i);
	s = symbol_demangle(name);
	assert_int_equal(strncmp(s, "f(type0000", 10), 0);
	assert_true(strlen(s) > 10000);
	free(s);
}

static void nesting(void **state)
{
	char *name = xmalloc(16000), *s;

	memset(name, 'P', 15000);	/* a pointer to a pointer to ... */
	memcpy(name, "_Z1f", 4);
	strcpy(name + 15000, "i");
	s = symbol_demangle(name);
	assert_true(*s);
	free(s);
	free(name);
}

static void languages(void **state)
{
	assert_true(symbol_is_rust("_RNvC1a1f"));
	assert_true(symbol_is_rust("_ZN4core3ptr4drop17h0123456789abcdefE"));
	assert_true(symbol_is_rust("_ZN4core3ptr4drop17h0123456789abcdefE.llvm.123"));
	assert_false(symbol_is_rust("_ZN4core3ptr4dropEv"));
	assert_false(symbol_is_rust("_ZN4core3ptr4drop17h0123456789abcdegE"));
	assert_false(symbol_is_rust("main"));
	assert_false(symbol_is_rust(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bombs), cmocka_unit_test(long_but_harmless), cmocka_unit_test(nesting),
		cmocka_unit_test(languages),
	};

	return cmocka_run_group_tests_name("demangle", tests, NULL, NULL);
}
