// SPDX-License-Identifier: GPL-2.0-or-later
/* Pending keys: all are read at once, Ctrl-C is noticed behind others, sequences stay together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tui/term/typeahead.h"

struct typist {
	int fd;
	const char *text;
};

static int terminal[2];
static struct typeahead ahead;

static int setup(void **state)
{
	return pipe(terminal) || typeahead_open(&ahead, terminal[0]);
}

static int teardown(void **state)
{
	typeahead_close(&ahead);
	return close(terminal[0]) || close(terminal[1]);
}

static void type(const char *text)
{
	assert_int_equal(write(terminal[1], text, strlen(text)), strlen(text));
}

/* What ncurses would read now. */
static void has(const char *expected)
{
	char got[65536] = "";
	ssize_t n = read(ahead.from, got, sizeof(got) - 1);

	got[max(n, (ssize_t)0)] = '\0';
	assert_string_equal(got, expected);
}

static void in_order(void **state)
{
	has("");
	type("abc");
	assert_true(typeahead_take(&ahead));
	type("d");
	assert_true(typeahead_take(&ahead));
	has("abcd");
	assert_true(typeahead_take(&ahead));
	has("");
}

static void behind_many(void **state)
{
	char many[20001];

	memset(many, 'j', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	many[sizeof(many) - 3] = 3;
	ahead.room = 1 << 20;		/* also where this user may have only small pipes: it holds this much */
	type(many);
	assert_false(typeahead_take(&ahead));
	assert_false(typeahead_take(&ahead));	/* and it stays so */
}

/* Keys beyond the capacity stay in the kernel, in order. */
static void full(void **state)
{
	char many[12289], expected[4097];

	memset(many, 'j', sizeof(many) - 1);
	memset(many + 4096, 'k', 4096);
	many[sizeof(many) - 1] = '\0';
	ahead.room = 4096;
	type(many);
	for (int i = 0; i < 3; i++) {
		assert_true(typeahead_take(&ahead));
		memset(expected, i == 1 ? 'k' : 'j', 4096);
		expected[4096] = '\0';
		has(expected);
	}
}

static void *type_late(void *arg)
{
	const struct typist *typist = arg;

	usleep(5000);
	return write(typist->fd, typist->text, strlen(typist->text)) < 0 ? arg : NULL;
}

/* The second part comes 5 ms after the first: on a busy host it may be later than what is waited for. */
static void in_parts(void **state)
{
	static const char *const cases[][2] = {
		{ "j\033", "[A" }, { "\033[", "A" }, { "\033[1;5", "A" }, { "\033O", "P" },
		{ "\033]11;rgb:ffff/", "ffff/ffff\a" },
	};
	static const char *const whole[] = { "j", "\033[A", "\033OP", "\033]11;rgb:0/0/0\033\\", "\033j", "\033[15~" };

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		char both[64];
		bool together = false;

		snprintf(both, sizeof(both), "%s%s", cases[i][0], cases[i][1]);
		for (int try = 0; try < 50 && !together; try++) {
			struct typist typist = { .fd = terminal[1], .text = cases[i][1] };
			char got[64] = "";
			pthread_t thread;

			type(cases[i][0]);
			assert_int_equal(pthread_create(&thread, NULL, type_late, &typist), 0);
			assert_true(typeahead_take(&ahead));
			assert_true(read(ahead.from, got, sizeof(got) - 1) > 0);
			together = !strcmp(got, both);
			pthread_join(thread, NULL);
			typeahead_take(&ahead);
			while (read(ahead.from, got, sizeof(got)) > 0)
				;
		}
		assert_true(together);
	}
	for (u32 i = 0; i < ARRAY_SIZE(whole); i++) {	/* nothing more comes, and none is lost */
		type(whole[i]);
		assert_true(typeahead_take(&ahead));
		has(whole[i]);
	}
	type("\033");
	assert_true(typeahead_take(&ahead));
	has("\033");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(behind_many, setup, teardown),
		cmocka_unit_test_setup_teardown(full, setup, teardown),
		cmocka_unit_test_setup_teardown(in_parts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
