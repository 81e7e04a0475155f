// SPDX-License-Identifier: GPL-2.0-or-later
/* What a call waits on, in little room: the holder is kept, paths are cut in their middle. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/base.h"
#include "tui/table/waits_text.h"

static void drawn(void **state)
{
	static const struct {
		const char *text;
		int width;
		const char *want;
	} all[] = {
		{ "lock on /var/lib/x.db held by 4821 (postgres)", 60, "lock on /var/lib/x.db held by 4821 (postgres)" },
		{ "lock on /var/lib/postgresql/x.db held by 4821 (postgres)", 46,
		  "lock on /var…esql/x.db held by 4821 (postgres)" },
		{ "lock on /var/lib/postgresql/x.db held by 4821 (postgres)", 28, "loc… held by 4821 (postgres)" },
		{ "fd 3: pipe from bash 611", 24, "fd 3: pipe from bash 611" },
		{ "fd 3: pipe from bash 611", 20, "pipe from bash 611" },
		{ "fd 12: tcp 127.0.0.1:59734 (postgres 12478)", 28, "tcp 127.0.… (postgres 12478)" },
		{ "fd 4: unix socket /run/systemd/private/x from stuck-other 7", 40, "unix socket /r…vate/x from stuck-other 7" },
		{ "futex held by tid 77, which waits for this thread", 28, "futex held by tid 77, which…" },
		{ "stopped by its tracer, 77 (gdb)", 28, "stopped by its tra… 77 (gdb)" },
		{ "wait for child 900 (a.out)", 20, "wait fo… 900 (a.out)" },
		{ "fifo /run/some/long/path/that/has/no/end (no writer)", 28, "fifo /ru…/no/end (no writer)" },
		{ "futex, ? (no owner: a condition, a semaphore or a parked thread)", 28, "futex, ? (no owner: a condi…" },
		{ "/held by 1", 28, "/held by 1" },
		{ "", 5, "" },
		{ "lock on /x held by 12 (y)", 1, "…" },
	};
	struct canvas *c = canvas_new(1, 80, false, false);
	int bad = 0;

	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		char *text;
		int n;

		canvas_clear(c);
		n = waits_draw(c, 0, 0, all[i].width, ROLE_text, all[i].text);
		text = canvas_dump(c);
		text[strcspn(text, "\n")] = '\0';
		if (strcmp(text, all[i].want) || n > all[i].width) {
			print_message("\"%s\" in %d is\n\"%s\", %d; not\n\"%s\"\n", all[i].text, all[i].width, text, n,
				      all[i].want);
			bad++;
		}
		free(text);
	}
	canvas_free(c);
	assert_int_equal(bad, 0);
}

static void shortened(void **state)
{
	char buf[256];

	assert_string_equal(waits_short("lock on /var/lib/postgresql/data/x.db held by 4821 (postgres)", buf, sizeof(buf)),
			    "lock on …/x.db held by 4821 (postgres)");
	assert_string_equal(waits_short("lock on /var/x.db held by 4821", buf, sizeof(buf)), "lock on /var/x.db held by 4821");
	assert_string_equal(waits_short("fifo /run/some/long/path/fifo (no writer)", buf, sizeof(buf)),
			    "fifo …/fifo (no writer)");
	assert_string_equal(waits_short(NULL, buf, sizeof(buf)), "");
}

/* Behind the name of the call no word stands twice. */
static void after_the_call(void **state)
{
	static const struct {
		const char *call, *text, *want;
	} all[] = {
		{ "futex", "futex held by tid 77", "held by tid 77" },
		{ "futex", "futex, ? (no owner: a condition, a semaphore or a parked thread)",
		  "? (no owner: a condition, a semaphore or a parked thread)" },
		{ "epoll_wait", "epoll: 3 sockets, 1 timer", "3 sockets, 1 timer" },
		{ "epoll_pwait2", "epoll: of nothing", "of nothing" },
		{ "poll", "poll: 2 pipes", "2 pipes" },
		{ "io_uring_enter", "io_uring: 1 request", "1 request" },
		{ "futex_waitv", "any of 3 futexes", "any of 3 futexes" },
		{ "read", "fd 0: pipe from bash 611", "fd 0: pipe from bash 611" },
		{ "ppoll", "poll: 2 pipes", "poll: 2 pipes" },
		{ "wait4", "wait for child 900", "wait for child 900" },
		{ "flock", "lock on /x held by 12 (y)", "lock on /x held by 12 (y)" },
		{ "timerfd", "time", "time" },
		{ "time", "time", "time" },
		{ NULL, "futex held by tid 77", "futex held by tid 77" },
		{ "futex", NULL, "" },
		{ "futex", "", "" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		assert_string_equal(waits_after(all[i].call, all[i].text), all[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drawn),
		cmocka_unit_test(shortened),
		cmocka_unit_test(after_the_call),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
