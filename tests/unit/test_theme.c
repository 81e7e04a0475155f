// SPDX-License-Identifier: GPL-2.0-or-later
/* The palette: every text colour readable, heat monotone, also with few colours. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tui/term/theme.h"

/* Relative luminance of WCAG 2. */
static double luminance(s32 rgb)
{
	double sum = 0;
	static const double weight[] = { 0.2126, 0.7152, 0.0722 };

	for (int i = 0; i < 3; i++) {
		double c = (double)((rgb >> (16 - 8 * i)) & 255) / 255;

		sum += weight[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static double contrast(s32 a, s32 b)
{
	double x = luminance(a), y = luminance(b);

	return (max(x, y) + 0.05) / (min(x, y) + 0.05);
}

static const s32 dark[] = { 0x000000, 0x1e1e1e, 0x002b36 };
static const s32 light[] = { 0xffffff, 0xfdf6e3, 0xeeeeee };

static void texts_are_readable(void **state)
{
	static const u32 roles[] = { ROLE_dim, ROLE_accent, ROLE_warn, ROLE_bad };

	for (u32 r = 0; r < ARRAY_SIZE(roles); r++)
		for (u32 b = 0; b < 3; b++) {
			assert_true(contrast(theme_rgb(roles[r], false), dark[b]) >= 4.5);
			assert_true(contrast(theme_rgb(roles[r], true), light[b]) >= 4.5);
		}
	assert_true(contrast(0x000000, theme_rgb(ROLE_selection, false)) >= 4.5);
	assert_true(contrast(0xffffff, theme_rgb(ROLE_selection, true)) >= 4.5);
}

/* A single call, the lowest step, must be visible; more is always further from the background. */
static void heat_stands_out(void **state)
{
	for (u32 b = 0; b < 3; b++) {
		assert_true(contrast(theme_rgb(ROLE_heat1, false), dark[b]) >= 3);
		assert_true(contrast(theme_rgb(ROLE_heat1, true), light[b]) >= 3);
	}
	for (u32 r = ROLE_heat1; r < ROLE_heat7; r++) {
		assert_true(luminance(theme_rgb(r + 1, false)) > luminance(theme_rgb(r, false)));
		assert_true(luminance(theme_rgb(r + 1, true)) < luminance(theme_rgb(r, true)));
	}
}

static void numbers(void **state)
{
	assert_int_equal(theme_color(ROLE_text, COLOURS_256, false, 256), -1);
	assert_int_equal(theme_color(ROLE_accent, COLOURS_256, false, 256), 81);
	assert_int_equal(theme_color(ROLE_accent, COLOURS_256, true, 256), 24);
	/* Not 181, the nearest: beside 187 that is pink, and looks like another kind. */
	assert_int_equal(theme_color(ROLE_flame_library2, COLOURS_256, false, 256), 144);
	assert_int_equal(theme_color(ROLE_bad, COLOURS_16, false, 16), 9);
	assert_int_equal(theme_color(ROLE_bad, COLOURS_16, false, 8), 1);
	assert_int_equal(theme_color(ROLE_bad, COLOURS_16, true, 8), 1);
	assert_int_equal(theme_color(ROLE_bad, MONO, false, 2), -1);
	assert_int_equal(theme_color(ROLE_text, COLOURS_TRUE, false, 256), -1);
	assert_int_equal(theme_color(ROLE_warn, COLOURS_TRUE, false, 256), THEME_TRUE_FIRST + ROLE_warn);
	assert_int_equal(theme_color(ROLE_warn, COLOURS_DIRECT, false, 1 << 24), 0xffaf5f);
	assert_int_equal(theme_mono(ROLE_selection), MONO_REVERSE);
	assert_true(theme_contrast(COLOURS_256, true) != theme_contrast(COLOURS_256, false));
	assert_true(theme_contrast(COLOURS_DIRECT, true) != theme_contrast(COLOURS_DIRECT, false));
}

static void environment(void **state)
{
	unsetenv("COLORFGBG");
	assert_int_equal(theme_light_from_env(), -1);
	setenv("COLORFGBG", "0;15", 1);
	assert_int_equal(theme_light_from_env(), 1);
	setenv("COLORFGBG", "15;default;0", 1);
	assert_int_equal(theme_light_from_env(), 0);
	setenv("COLORFGBG", "15;", 1);
	assert_int_equal(theme_light_from_env(), -1);
	assert_true(theme_terminal_answers("xterm-256color"));
	assert_true(theme_terminal_answers("tmux-256color"));
	assert_false(theme_terminal_answers("linux"));
	assert_false(theme_terminal_answers("vt220"));
	assert_false(theme_terminal_answers(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_readable), cmocka_unit_test(heat_stands_out),
		cmocka_unit_test(numbers), cmocka_unit_test(environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
