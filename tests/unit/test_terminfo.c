// SPDX-License-Identifier: GPL-2.0-or-later
/* test_terminfo.c: which built-in description a $TERM gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bpf/model/base.h"
#include "tui/term/terminfo.h"

static void test_families(void **state)
{
	static const char *const cases[][2] = {
		{ "xterm", "xterm" }, { "xterm-256color", "xterm-256color" },
		{ "xterm-kitty", "xterm-256color" }, { "xterm-direct", "xterm" },
		{ "tmux-256color", "tmux-256color" }, { "tmux", "screen" },
		{ "screen.xterm-256color", NULL }, { "screen", "screen" },
		{ "screen-256color-bce", "screen-256color" }, { "linux", "linux" },
		{ "linux-16color", "linux" }, { "vt100", "vt100" }, { "vt220", "vt220" },
		{ "rxvt-unicode-256color", "rxvt" }, { "alacritty", "xterm-256color" },
		{ "foot-extra", "xterm-256color" }, { "kitty", "xterm-256color" },
		{ "xtermite", NULL }, { "dumb", NULL }, { "", NULL },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *like = terminfo_like(cases[i][0]);

		if (cases[i][1])
			assert_string_equal(like ? like : "none", cases[i][1]);
		else
			assert_null(like);
	}
	assert_null(terminfo_like(NULL));
}

/* A terminal that is not known changes nothing. */
static void test_unknown(void **state)
{
	unsetenv("TERMINFO");
	assert_null(terminfo_built_in("dumb"));
	assert_null(getenv("TERMINFO"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
