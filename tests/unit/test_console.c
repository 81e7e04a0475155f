// SPDX-License-Identifier: GPL-2.0-or-later
/* The main loop on a terminal: keys are handled while ticks arrive faster than they are taken. */
#include "app_source.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/patience.h"
#include "tui/app/app.h"

/* ncurses keeps its terminal description until exit. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libtinfo\nleak:libncursesw\n";
}

static int master, always[2];
static _Atomic u64 taken;
static _Atomic bool over;
static char shown[1 << 16];

static int readable(void *arg)
{
	return always[0];
}

/* There is always one more. */
static const struct snapshot *one_more(void *arg)
{
	const struct snapshot *s = make_tick(++taken);

	history_append(history, s);
	return snapshot_get(s);
}

/* The user: sees what is drawn, and types when there were some ticks. */
static void *look_and_type(void *arg)
{
	const char *key = arg;
	size_t n = 0;

	while (!over) {
		struct pollfd p = { .fd = master, .events = POLLIN };
		ssize_t got = 0;

		if (poll(&p, 1, 10) > 0)
			got = read(master, shown + n, sizeof(shown) - 1 - n);
		n = (n + (size_t)max(got, (ssize_t)0)) % (sizeof(shown) / 2);
		if (taken >= 3 && key && strstr(shown, "steady")) {
			assert_int_equal(write(master, key, strlen(key)), strlen(key));
			key = NULL;
		}
	}
	return NULL;
}

static void ends_with(const char *key)
{
	struct console_config config = { .app = { .session = &session, .interval_ns = NSEC_PER_SEC } };
	pthread_t user;
	int slave;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 && access("/dev/pts/ptmx", F_OK))
		skip();		/* a bare chroot: no /dev/pts is mounted */
	assert_true(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_true(!pipe(always) && write(always[1], "", 1) == 1);
	setenv("TERM", "xterm-256color", 1);
	taken = 0;
	over = false;
	memset(shown, 0, sizeof(shown));
	history = history_new(HISTORY_CAP_BYTES);
	config.app.history = history;
	config.app.source = source;
	config.app.source.fd = readable;
	config.app.source.take = one_more;
	config.in_fd = config.out_fd = slave;
	assert_int_equal(pthread_create(&user, NULL, look_and_type, (void *)key), 0);
	alarm(PATIENCE_S);
	assert_int_equal(console_run(&config), 0);
	alarm(0);
	over = true;
	pthread_join(user, NULL);
	close(slave), close(master), close(always[0]), close(always[1]);
	history_free(history);
	snapshot_put(last);
	last = NULL;
}

static void ctrl_c(void **state)
{
	ends_with("\003");
}

static void keys_in_order(void **state)
{
	ends_with("jjq");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ctrl_c), cmocka_unit_test(keys_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
