// SPDX-License-Identifier: GPL-2.0-or-later
/* Names that a process may choose, and what of them reaches a terminal or a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/model/base.h"

#define DOT "\xc2\xb7"
#define BAD "\xef\xbf\xbd"

static void expect(const char *src, enum text_mode mode, const char *want)
{
	char dst[256];
	size_t n = text_clean(dst, sizeof(dst), src, mode);

	assert_string_equal(dst, want);
	assert_int_equal(n, strlen(want));
}

static void screen(const char *src, const char *want)
{
	expect(src, TEXT_SCREEN, want);
}

static void plain_text_stays(void **state)
{
	screen("", "");
	screen("postgres: writer", "postgres: writer");
	screen("gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e");
	screen("\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac");
	screen("\xf0\x9f\x90\x98", "\xf0\x9f\x90\x98");
	screen("e\xcc\x81", "e\xcc\x81");	/* combining accent */
}

static void controls_become_dots(void **state)
{
	screen("\x1b[31mred\x1b]0;title\x07", DOT "[31mred" DOT "]0;title" DOT);
	screen("a\rb\bc\x7f", "a" DOT "b" DOT "c" DOT);
	for (char c = 1; c < 32; c++)
		screen((char[]){ 'x', c, 'y', 0 },
		       c == '\n' || c == '\t' ? "x y" : "x" DOT "y");
}

static void newlines_and_tabs_become_one_space(void **state)
{
	screen("a\nb", "a b");
	screen("a\n\t\tb", "a b");
	screen("a\t\n", "a ");
	screen("a  b", "a  b");
}

/* U+0080..U+009F: 0x9b alone is CSI for a terminal that reads C1. */
static void c1_controls_become_dots(void **state)
{
	for (u8 c = 0x80; c < 0xa0; c++)
		screen((char[]){ (char)0xc2, (char)c, 'A', 0 }, DOT "A");
	screen("\xc2\xa0" "A", "\xc2\xa0" "A");	/* the no-break space is none */
	screen("\x9b" "31m", DOT "31m");	/* the raw byte is invalid UTF-8 */
}

/* Writes one character as UTF-8. */
static void encode(u32 c, char out[5])
{
	u32 n = 0;

	if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xc0 | c >> 6);
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		out[n++] = (char)(0xe0 | c >> 12);
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | c >> 18);
		out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	}
	out[n] = '\0';
}

static void invisible_characters_become_dots(void **state)
{
	static const u32 ranges[][2] = {
		{ 0x202a, 0x202e }, { 0x2066, 0x2069 }, { 0x200b, 0x200f }, { 0xfeff, 0xfeff },
		{ 0x2028, 0x2029 }, { 0x061c, 0x061c }, { 0x00ad, 0x00ad }, { 0x2060, 0x2064 },
		{ 0xfff9, 0xfffb }, { 0xe0001, 0xe0001 }, { 0xe0020, 0xe007f }, { 0x180e, 0x180e },
	};

	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (u32 c = ranges[i][0]; c <= ranges[i][1]; c++) {
			char one[5];

			encode(c, one);
			screen(one, DOT);
			expect(one, TEXT_SCREEN_ASCII, ".");
			expect(one, TEXT_UTF8, one);
		}
	}
	screen("\xe2\x80\x90", "\xe2\x80\x90");	/* U+2010, beside the range, is a hyphen */
	screen("\xe2\x80\xaf", "\xe2\x80\xaf");	/* U+202F, a narrow space */
}

static void invalid_utf8_is_replaced(void **state)
{
	static const struct { const char *src; u32 mistakes; } cases[] = {
		{ "\x80", 1 }, { "\xbf", 1 }, { "\xfe", 1 }, { "\xff", 1 },
		{ "\xc0\xaf", 2 },		/* '/' in two bytes */
		{ "\xc1\xbf", 2 },
		{ "\xe0\x80\xaf", 3 },		/* '/' in three */
		{ "\xe0\x9f\xbf", 3 },
		{ "\xf0\x80\x80\xaf", 4 },	/* '/' in four */
		{ "\xf0\x8f\xbf\xbf", 4 },
		{ "\xed\xa0\x80", 3 },		/* the first surrogate */
		{ "\xed\xbf\xbf", 3 },		/* the last one */
		{ "\xf4\x90\x80\x80", 4 },	/* U+110000 */
		{ "\xf5\x80\x80\x80", 4 },
		{ "\xf8\x88\x80\x80\x80", 5 },
		{ "\xc3", 1 }, { "\xe2\x82", 1 }, { "\xf0\x9f\x90", 1 },	/* cut */
		{ "\xe2\x82\xe2\x82", 2 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		char src[16], dots[64] = "x", marks[64] = "x", ascii[64] = "x";

		snprintf(src, sizeof(src), "x%sy", cases[i].src);
		for (u32 k = 0; k < cases[i].mistakes; k++) {
			strcat(dots, DOT);
			strcat(marks, BAD);
			strcat(ascii, ".");
		}
		screen(src, strcat(dots, "y"));
		expect(src, TEXT_UTF8, strcat(marks, "y"));
		expect(src, TEXT_SCREEN_ASCII, strcat(ascii, "y"));
	}
}

static void utf8_mode_keeps_controls_for_the_writer(void **state)
{
	expect("a\n\tb\x1b[m", TEXT_UTF8, "a\n\tb\x1b[m");
	expect("\xe2\x80\xae" "x", TEXT_UTF8, "\xe2\x80\xae" "x");
	expect("a\n\tb\x1b[m\x7f", TEXT_EXPORT, "a\n\tb\xef\xbf\xbd[m\xef\xbf\xbd");
	expect("\xc2\x9b" "1\xe2\x80\xae" "\xff\xc3\xa9", TEXT_EXPORT, "\xef\xbf\xbd" "1\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9");
}

static void ascii_has_a_question_mark_for_the_rest(void **state)
{
	expect("gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x90\x98", TEXT_SCREEN_ASCII, "gr??e ?");
	expect("\x1b\xc2\x9b\xff", TEXT_SCREEN_ASCII, "...");
}

static void result_is_cut_at_whole_characters(void **state)
{
	char dst[8];

	memset(dst, 'x', sizeof(dst));
	assert_int_equal(text_clean(dst, 4, "a\xe6\x97\xa5", TEXT_SCREEN), 1);
	assert_string_equal(dst, "a");
	assert_int_equal(dst[4], 'x');
	assert_int_equal(text_clean(dst, 5, "a\xe6\x97\xa5", TEXT_SCREEN), 4);
	assert_int_equal(text_clean(dst, 2, "\x1b", TEXT_SCREEN), 0);
	assert_int_equal(text_clean(dst, 1, "abc", TEXT_SCREEN), 0);
	assert_string_equal(dst, "");
	dst[0] = 'x';
	assert_int_equal(text_clean(dst, 0, "abc", TEXT_SCREEN), 0);
	assert_int_equal(dst[0], 'x');
}

static void cut_text_does_not_read_beyond_its_end(void **state)
{
	/* on the heap, so that a sanitizer build sees a read behind the NUL */
	char *src = xstrdup("\xf0"), dst[16];

	text_clean(dst, sizeof(dst), src, TEXT_UTF8);
	assert_string_equal(dst, BAD);
	free(src);
}

static void every_character_decodes_to_itself(void **state)
{
	for (u32 c = 1; c <= 0x10ffff; c++) {
		char one[5];
		u32 got = 0;
		size_t len;

		encode(c, one);
		len = strlen(one);
		if (c >= 0xd800 && c <= 0xdfff) {
			assert_int_equal(text_decode(one, &got), 0);
			continue;
		}
		assert_int_equal(text_decode(one, &got), len);
		assert_int_equal(got, c);
	}
}

static void nothing_is_no_character(void **state)
{
	u32 c = 7;

	assert_int_equal(text_decode("", &c), 0);
	assert_int_equal(text_decode("\xc3", &c), 0);
	assert_int_equal(c, 7);
}

static void one_thing_is_no_plural(void **state)
{
	assert_string_equal(text_plural(0, "s"), "s");
	assert_string_equal(text_plural(1, "s"), "");
	assert_string_equal(text_plural(2, "es"), "es");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_stays),
		cmocka_unit_test(controls_become_dots),
		cmocka_unit_test(newlines_and_tabs_become_one_space),
		cmocka_unit_test(c1_controls_become_dots),
		cmocka_unit_test(invisible_characters_become_dots),
		cmocka_unit_test(invalid_utf8_is_replaced),
		cmocka_unit_test(utf8_mode_keeps_controls_for_the_writer),
		cmocka_unit_test(ascii_has_a_question_mark_for_the_rest),
		cmocka_unit_test(result_is_cut_at_whole_characters),
		cmocka_unit_test(cut_text_does_not_read_beyond_its_end),
		cmocka_unit_test(every_character_decodes_to_itself),
		cmocka_unit_test(nothing_is_no_character),
		cmocka_unit_test(one_thing_is_no_plural),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
