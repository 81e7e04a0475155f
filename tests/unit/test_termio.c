// SPDX-License-Identifier: GPL-2.0-or-later
/* The way to the terminal: exact colours, the answer about the background, a terminal that hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/patience.h"
#include "tui/term/termio.h"

static const s32 rgb[] = { -1, 0x5fd7ff, 0x010203 };

static void becomes(const char *in, const char *expected)
{
	char out[256];
	size_t n = termio_true_colour(out, in, strlen(in), rgb, 32, 3);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(out, expected, n);
}

static void true_colour(void **state)
{
	becomes("a\033[38;5;33mb", "a\033[38;2;95;215;255mb");
	becomes("\033[48;5;34m", "\033[48;2;1;2;3m");
	becomes("\033[38;5;32m", "\033[38;5;32m");	/* no colour of its own */
	becomes("\033[38;5;35m", "\033[38;5;35m");	/* not ours */
	becomes("\033[38;5;133m", "\033[38;5;133m");
	becomes("[38;5;33", "[38;5;33");	/* cut: left alone */
	becomes("x[12;5H[38;5;33;1m", "x[12;5H[38;5;33;1m");
	becomes("", "");
}

static void background(void **state)
{
	assert_int_equal(termio_parse_background("\033]11;rgb:ffff/ffff/ffff\033\\"), 1);
	assert_int_equal(termio_parse_background("\033]11;rgb:fdfd/f6f6/e3e3\007"), 1);
	assert_int_equal(termio_parse_background("\033]11;rgb:0000/2b2b/3636\007"), 0);
	assert_int_equal(termio_parse_background("\033]11;rgb:ff/ff/ff\007"), 1);
	assert_int_equal(termio_parse_background("\033]11;rgb:00/00/00\007"), 0);
	assert_int_equal(termio_parse_background("garbage"), -1);
	assert_int_equal(termio_parse_background("\033]11;rgb:zz"), -1);
}

/* No answer: the console starts all the same, after at most the wait. */
static void no_answer(void **state)
{
	static const char early[] = "7jj\033]11;rgb:0/0/0\033\\";
	int in[2], out[2];
	u64 before;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	before = boottime_ns();
	assert_int_equal(termio_light_background(in[0], out[1], 20), -1);
	assert_true(boottime_ns() - before < PATIENCE_S * NSEC_PER_SEC);
	assert_int_equal(write(in[1], "\033]11;rgb:ffff/ffff/ffff\007", 25), 25);
	assert_int_equal(termio_light_background(in[0], out[1], 2000), 1);
	assert_string_equal(termio_typed(), "");
	assert_int_equal(write(in[1], early, strlen(early)), strlen(early));
	assert_int_equal(termio_light_background(in[0], out[1], 2000), 0);
	assert_string_equal(termio_typed(), "7jj");	/* typed before the answer came */
	close(in[0]), close(in[1]), close(out[0]), close(out[1]);
}

/* A frame is marked only if the terminal said that it supports synchronized output. */
static void frames(void **state)
{
	static const struct {
		const char *answer;
		bool can;
	} cases[] = {
		{ "\033[?2026;2$y\033]11;rgb:ffff/ffff/ffff\033\\", true },
		{ "jj\033[?2026;1$y\033]11;rgb:0000/0000/0000\007", true },
		{ "\033[?2026;0$y\033]11;rgb:0000/0000/0000\007", false },
		{ "\033]11;rgb:0000/0000/0000\007", false },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		int in[2], out[2];
		char got[128];
		ssize_t n;

		assert_int_equal(pipe(in), 0);
		assert_int_equal(pipe(out), 0);
		assert_true(write(in[1], cases[i].answer, strlen(cases[i].answer)) > 0);
		assert_int_equal(termio_light_background(in[0], out[1], 2000), i == 0);
		n = read(out[0], got, sizeof(got) - 1);
		got[max(n, (ssize_t)0)] = '\0';
		assert_string_equal(got, "\033[?2026$p\033]11;?\033\\");
		assert_int_equal(termio_synchronizes(), cases[i].can);
		assert_int_equal(termio_write_screen(out[1], "abc", 3), 0);
		n = read(out[0], got, sizeof(got) - 1);
		got[max(n, (ssize_t)0)] = '\0';
		assert_string_equal(got, cases[i].can ? "\033[?2026habc\033[?2026l" : "abc");
		close(in[0]), close(in[1]), close(out[0]), close(out[1]);
	}
}

static void shorter(void **state)
{
	static const char *const cases[][2] = {
		{ "abc", "abc" },
		{ "\033[39;49m\033(B\033[mx", "\033[mx" },
		{ "\033[39m\033(B\033[m\033[1;5H", "\033[m\033[1;5H" },
		{ "\033[38;5;16m\033[48;5;221m x", "\033[38;5;16;48;5;221m x" },
		{ "\033[38;5;16m\033[39;49m\033(B\033[m", "\033[38;5;16m\033[m" },
		{ "\033[1m\033[2;3H\033[1mz", "\033[1m\033[2;3H\033[1mz" },
		{ "\033[38;5;16m\033[m", "\033[38;5;16m\033[m" },	/* an empty one resets: it stays by itself */
		{ "\033[38;2;255;255;255m\033[48;2;255;255;255m\033[1m", "\033[38;2;255;255;255;48;2;255;255;255m\033[1m" },
		{ "\033[38;5;1", "\033[38;5;1" },
		{ "\033(B\033[", "\033(B\033[" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[128];
		size_t n = strlen(cases[i][0]);

		memcpy(buf, cases[i][0], n);
		n = termio_shorten(buf, n);
		buf[n] = '\0';
		assert_string_equal(buf, cases[i][1]);
	}
}

static void bytes(void **state)
{
	u64 before = termio_bytes();
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_int_equal(termio_write(p[1], "hello", 5), 0);
	assert_int_equal(termio_bytes() - before, 5);
	close(p[0]);
	close(p[1]);
	assert_true(termio_write(p[1], "x", 1) < 0);	/* the terminal is gone */
}

/* A terminal that does not read: the end is not waited for. Last: the signal stays known. */
static void stuck(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, out;
	size_t n = 1 << 20;
	char *big;
	u64 before = boottime_ns();

	if (master < 0 && access("/dev/pts/ptmx", F_OK))
		skip();		/* a bare chroot: no /dev/pts is mounted */
	big = xcalloc(1, n);
	assert_true(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(termio_raw(slave), 0);
	out = termio_open_out(slave);
	assert_true(out >= 0);
	assert_int_equal(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
	termio_signals(out, "");
	raise(SIGTERM);
	assert_true(termio_write(out, big, n) < 0);
	termio_cooked();
	assert_int_equal(termio_event(), EV_END);
	assert_true(boottime_ns() - before < PATIENCE_S * NSEC_PER_SEC);
	termio_signals_default();
	free(big);
	close(out), close(slave), close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(true_colour), cmocka_unit_test(background), cmocka_unit_test(frames), cmocka_unit_test(shorter),
		cmocka_unit_test(no_answer), cmocka_unit_test(bytes),
		cmocka_unit_test(stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
