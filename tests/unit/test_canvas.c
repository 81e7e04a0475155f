// SPDX-License-Identifier: GPL-2.0-or-later
/* The canvas: nothing leaves its clip, wide characters stay whole, outside text is made harmless. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tui/term/canvas.h"
#include "tui/term/graph.h"

static struct canvas *c;

static int start(void **state)
{
	c = canvas_new(3, 10, false, false);
	return 0;
}

static int end(void **state)
{
	canvas_free(c);
	return 0;
}

static void shows(const char *expected)
{
	char *text = canvas_dump(c);

	assert_string_equal(text, expected);
	free(text);
}

static void text(void **state)
{
	assert_int_equal(canvas_text(c, 0, 2, -1, ROLE_text, "abc"), 3);
	assert_int_equal(canvas_right(c, 1, 0, 10, ROLE_text, "12"), 2);
	assert_int_equal(canvas_text(c, 2, 8, -1, ROLE_text, "long"), 2);
	shows("  abc\n        12\n        lo\n");
}

static void cutting(void **state)
{
	assert_int_equal(canvas_cut(c, 0, 0, 5, ROLE_text, "command"), 5);
	assert_int_equal(canvas_cut_middle(c, 1, 0, 10, ROLE_text, "/var/lib/postgresql/0001"), 10);
	assert_int_equal(canvas_cut(c, 2, 0, 7, ROLE_text, "command"), 7);
	shows("comm…\n/va…l/0001\ncommand\n");
}

static void wide_characters(void **state)
{
	canvas_text(c, 0, 0, 5, ROLE_text, "日本語");	/* the third does not fit in 5 columns */
	shows("日本\n\n\n");
	canvas_text(c, 0, 1, 1, ROLE_text, "x");	/* over the right half of the first */
	shows(" x本\n\n\n");
	canvas_text(c, 0, 2, 1, ROLE_text, "y");	/* over the left half of the second */
	shows(" xy\n\n\n");
	canvas_text(c, 1, 9, -1, ROLE_text, "日");	/* half of it would be outside */
	shows(" xy\n\n\n");
}

static void combining_characters(void **state)
{
	assert_int_equal(canvas_text(c, 0, 0, -1, ROLE_text, "e\xcc\x81x"), 2);
	shows("e\xcc\x81x\n\n\n");
	assert_int_equal(canvas_width(c, "e\xcc\x81x"), 2);
}

static void clip(void **state)
{
	struct rect old = canvas_clip(c, (struct rect){ 1, 2, 1, 3 });

	for (int row = -1; row < 4; row++)
		canvas_text(c, row, -2, -1, ROLE_text, "abcdefghijklmn");
	canvas_restyle(c, 0, 0, 10, ROLE_bad);
	shows("\n  efg\n\n");
	assert_int_equal(canvas_cell(c, 0, 0)->style, ROLE_text);
	canvas_clip(c, old);
	canvas_text(c, 0, 0, -1, ROLE_text, "x");
	shows("x\n  efg\n\n");
}

/* No byte of a process's name can control the terminal. */
static void outside_text(void **state)
{
	canvas_text(c, 0, 0, -1, ROLE_text, "\033[2J\a\177");
	canvas_text(c, 1, 0, -1, ROLE_text, "a\nb\tc");
	canvas_text(c, 2, 0, -1, ROLE_text, "\xff\xc0\x80\xe2\x80\xae");
	for (int row = 0; row < 3; row++)
		for (int col = 0; col < 10; col++) {
			u32 ch = canvas_cell(c, row, col)->ch;

			assert_true(ch >= ' ' && ch != 0x7f && !(ch >= 0x80 && ch < 0xa0));
			assert_true(ch != 0x202e);
		}
}

static void ascii(void **state)
{
	struct canvas *a = canvas_new(2, 12, true, false);
	char *dump;

	canvas_text(a, 0, 0, -1, ROLE_text, "▌ host › é");
	canvas_cut(a, 1, 0, 4, ROLE_text, "command");
	dump = canvas_dump(a);
	assert_string_equal(dump, "> host > ?\ncom~\n");
	free(dump);
	canvas_free(a);
}

static void rules(void **state)
{
	canvas_rule(c, 0, 0, 10, "ab");
	canvas_rule(c, 1, 0, 10, "much too long");
	canvas_rule(c, 2, 0, 4, NULL);
	shows("─ ab ─────\n─ much … ─\n────\n");
}

static void sparks(void **state)
{
	const float values[] = { 0, 12, 50, NAN, 100, 300 };
	const u8 levels[] = { 0, 1, 8 };

	graph_spark(c, 0, 0, 8, ROLE_text, values, 6, 100);
	graph_spark(c, 1, 0, 3, ROLE_text, values, 6, 0);	/* scaled to 300, newest at the right */
	graph_levels(c, 2, 0, ROLE_text, levels, 3);
	shows("  ▁▁▄ ██\n ▃█\n ▁█\n");
}

static void bars(void **state)
{
	graph_bar(c, 0, 0, 10, ROLE_text, 50, 100);
	graph_bar(c, 1, 0, 10, ROLE_text, 0.01, 100);	/* little is not nothing */
	graph_bar(c, 2, 0, 10, ROLE_text, 0, 100);
	shows("█████\n▏\n\n");
}

static void heat(void **state)
{
	assert_int_equal(graph_heat_step(0, 100, true), 0);
	assert_true(graph_heat_step(1, 1000000, true) >= 1);
	assert_true(graph_heat_step(1, 1000000, false) == 1);
	assert_int_equal(graph_heat_step(100, 100, true), HEAT_STEPS);
	assert_true(graph_heat_step(10, 100, true) > graph_heat_step(10, 100, false));
	for (int i = 0; i <= HEAT_STEPS; i++)
		canvas_heat(c, 0, i, i);
	shows(" ·░░▒▒▓█\n\n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(text, start, end),
		cmocka_unit_test_setup_teardown(cutting, start, end),
		cmocka_unit_test_setup_teardown(wide_characters, start, end),
		cmocka_unit_test_setup_teardown(combining_characters, start, end),
		cmocka_unit_test_setup_teardown(clip, start, end),
		cmocka_unit_test_setup_teardown(outside_text, start, end),
		cmocka_unit_test(ascii),
		cmocka_unit_test_setup_teardown(rules, start, end),
		cmocka_unit_test_setup_teardown(sparks, start, end),
		cmocka_unit_test_setup_teardown(bars, start, end),
		cmocka_unit_test_setup_teardown(heat, start, end),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
