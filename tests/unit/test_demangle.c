// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_demangle.c: names that would expand to gigabytes are shown mangled, at once; long but
 * harmless ones are demangled, and cut to what a flame graph shows; marks say why a name stays
 * mangled; Rust names are distinguished from C++.
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
#include "bpf/stacks/mangled.h"
#include "symbolizer/symbolizer.h"
#include "symbolizer/symtab.h"
#include "tui/engines/flame.h"

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

/* total::<(types)>, as rustc writes it: v0. */
static void rust_v0(char *buf, size_t cap, u32 types)
{
	size_t n = (size_t)snprintf(buf, cap, "_RINvNtC4shop7pricing5totalT");

	for (u32 i = 0; i < types; i++)
		n += (size_t)snprintf(buf + n, cap - n, "NtC4shop40ArticleWithAVeryLongNameIndeed%010u", i);
	snprintf(buf + n, cap - n, "EE");
}

/* <Basket<(types)> as Price>::price, as rustc wrote it before. */
static void rust_legacy(char *buf, size_t cap, u32 types)
{
	static char path[11900];
	size_t n = (size_t)snprintf(path, sizeof(path), "_$LT$shop..Basket$LT$$LP$");

	for (u32 i = 0; i < types; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "%sshop..ArticleWithAVeryLongNameIndeed%010u",
				      i ? "$C$" : "", i);
	snprintf(path + n, sizeof(path) - n, "$RP$$GT$$u20$as$u20$shop..Price$GT$");
	snprintf(buf, cap, "_ZN%zu%s5price17h0123456789abcdefE", strlen(path), path);
}

/* "before" (types) "behind", as a person would write it. */
static void is_of_types(const char *mangled, u32 types, const char *before, const char *comma, const char *behind)
{
	static char want[16000];
	size_t n = (size_t)snprintf(want, sizeof(want), "%s", before);
	char *s = symbol_demangle(mangled), *marked = symbol_marked(mangled);

	for (u32 i = 0; i < types; i++)
		n += (size_t)snprintf(want + n, sizeof(want) - n, "%sshop::ArticleWithAVeryLongNameIndeed%010u",
				      i ? comma : "", i);
	snprintf(want + n, sizeof(want) - n, "%s", behind);
	assert_string_equal(s, want);
	assert_int_equal(marked[0], SYMBOLIZER_RUST);
	assert_string_equal(marked + 1, want);
	free(s);
	free(marked);
}

/* A flame graph shows only the last names. */
static void is_labelled(const char *mangled, const char *narrow, const char *wide)
{
	char *s = symbol_demangle(mangled), label[256];

	flame_label(label, sizeof(label), s, FLAME_RUST, 18);
	assert_string_equal(label, narrow);
	flame_label(label, sizeof(label), s, FLAME_RUST, 120);
	assert_string_equal(label, wide);
	free(s);
}

/* Generic code of Rust has such names: 300 bytes to 10 kB. */
static void long_rust(void **state)
{
	static char name[12000];
	static const u32 sizes[] = { 6, 80, 190 };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		rust_v0(name, sizeof(name), sizes[i]);
		assert_true(strlen(name) > sizes[i] * 50);
		is_of_types(name, sizes[i], "shop::pricing::total::<(", ", ", ")>");
		is_labelled(name, "…::pricing::total", "shop::pricing::total");
		rust_legacy(name, sizeof(name), sizes[i]);
		is_of_types(name, sizes[i], "<shop::Basket<(", ",", ")> as shop::Price>::price");
		is_labelled(name, "Basket::price", "<Basket as Price>::price");
	}
}

static void is_marked(const char *name, u8 mark)
{
	char *s = symbol_marked(name);

	assert_int_equal((u8)s[0], mark);
	assert_string_equal(s + 1, name);
	free(s);
}

/* Marks say why a name stays mangled; a name that was never mangled has none. */
static void why_left(void **state)
{
	char *name = xmalloc(16000), *s;

	cpp_bomb(name, 16000, 40);
	is_marked(name, SYMBOLIZER_LONG);
	rust_bomb(name, 16000, 40);
	is_marked(name, SYMBOLIZER_LONG | SYMBOLIZER_RUST);
	is_marked("_RNvC1a", SYMBOLIZER_ODD | SYMBOLIZER_RUST);
	is_marked("_ZN3fooE3ba", SYMBOLIZER_ODD);
	memset(name, 'P', 15000);
	memcpy(name, "_Z1f", 4);
	strcpy(name + 15000, "i");
	is_marked(name, SYMBOLIZER_DEEP);
	s = symbol_marked("_Reset_all");
	assert_string_equal(s, "_Reset_all");
	free(s);
	free(name);
}

static void notes(void **state)
{
	char text[128];

	mangled_note("main");
	mangled_note(NULL);
	mangled_note((char []){ SYMBOLIZER_RUST, 'f', 0 });
	mangled_text(text, sizeof(text));
	assert_string_equal(text, "");
	assert_null(mangled_reason((char []){ SYMBOLIZER_RUST, 'f', 0 }));
	for (u32 i = 0; i < 2; i++)	/* of many frames */
		mangled_note((char []){ SYMBOLIZER_LONG | SYMBOLIZER_RUST, 'f', 0 });
	mangled_text(text, sizeof(text));
	assert_string_equal(text, "1 function has a mangled name: 1 longer than 32 kB");
	mangled_note((char []){ SYMBOLIZER_LONG, 'g', 0 });
	mangled_note((char []){ SYMBOLIZER_ODD, 'h', 0 });
	mangled_text(text, sizeof(text));
	assert_string_equal(text, "3 functions have mangled names: 2 longer than 32 kB, 1 not a valid name");
	assert_string_equal(mangled_reason((char []){ SYMBOLIZER_ODD, 'h', 0 }), "left mangled: not a valid name");
	mangled_clear();
	mangled_text(text, sizeof(text));
	assert_string_equal(text, "");
}

static void languages(void **state)
{
	assert_true(symbol_is_rust("_ZN46_$LT$shop..Basket$u20$as$u20$shop..Price$GT$5price17h0123456789abcdefE"));
	assert_false(symbol_is_rust("_Reset_all"));
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
		cmocka_unit_test(long_rust), cmocka_unit_test(why_left), cmocka_unit_test(notes), cmocka_unit_test(languages),
	};

	return cmocka_run_group_tests_name("demangle", tests, NULL, NULL);
}
