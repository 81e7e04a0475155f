// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_launch.c: each limit of each helper process ends it, although its parent had blocked every
 * signal; ottop learns what it was working on, and it is restarted.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/helpers/launch.h"
#include "bpf/helpers/admin.h"
#include "bpf/helpers/message.h"
#include "bpf/helpers/resolver_server.h"
#include "bpf/protocols/report.h"
#include "symbolizer/protocol.h"

#define WAIT_MS 500000	/* longer than the limits below: a second of CPU takes long on a busy machine */

/* What is asked of the helper: a number of a piece of work, and what it does then. */
enum deed { SPIN, SLEEP, EAT, CRASH, ANSWER, MASK };
struct letter {
	u32 work, value;
};

static volatile u64 sink;

static void spin(void)
{
	for (;;)
		sink++;
}

static void eat(void)
{
	for (;;) {
		char *p = malloc(1 << 20);

		if (!p)
			abort();	/* as xmalloc() does */
		*p = 1;		/* address space is what is limited */
	}
}

static u32 blocked_signals(void)
{
	sigset_t set;
	u32 n = 0;

	sigprocmask(SIG_BLOCK, NULL, &set);
	for (int sig = 1; sig < NSIG; sig++)
		n += sigismember(&set, sig) == 1;
	return n;
}

static void serve(const void *arg)
{
	struct letter l;
	int fd;

	(void)arg;
	while (message_receive(HELPER_SOCK, &l, sizeof(l), &fd, 0) == sizeof(l)) {
		helper_work(l.work);
		switch (l.value) {
		case SPIN:
			spin();
			break;
		case SLEEP:
			for (;;)
				usleep(100000);
		case EAT:
			eat();
			break;
		case CRASH:
			*(volatile int *)0 = 1;
			break;
		case MASK:
			l.value = blocked_signals();
			break;
		}
		helper_work(0);
		message_send(HELPER_SOCK, &l, sizeof(l), -1, 0);
	}
}

static void died(u32 work, enum helper_death how)
{
	struct letter l = { work, 1000 + how };

	message_send(HELPER_SOCK, &l, sizeof(l), -1, 0);
}

static void tell(struct helper *h, u32 work, enum deed deed)
{
	struct letter l = { work, deed };

	assert_int_equal(send(h->sock, &l, sizeof(l), MSG_NOSIGNAL), sizeof(l));
}

static u32 answer(struct helper *h, u32 work)
{
	struct letter l;
	struct pollfd p = { .fd = h->sock, .events = POLLIN };

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(recv(h->sock, &l, sizeof(l), 0), sizeof(l));
	assert_int_equal(l.work, work);
	return l.value;
}

static u32 ask(struct helper *h, u32 work, enum deed deed)
{
	tell(h, work, deed);
	return answer(h, work);
}

static void start(struct helper *h, const struct helper_spec *spec)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);	/* as the thread that starts the sampler does */
	err = helper_start(h, spec);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_int_equal(err, 0);
	assert_int_equal(ask(h, 1, MASK), 0);
	assert_int_equal(ask(h, 2, ANSWER), ANSWER);
}

/* ---- what ottop starts: as it is, but for its work and for limits that are soon reached ---- */

static void real_helper(const struct helper_spec *real)
{
	struct helper_spec spec[2] = { *real, *real };
	struct helper h = HELPER_NONE, stuck = HELPER_NONE;
	char text[256];

	assert_true(real->cpu_s && real->stuck_s && real->memory_bytes && real->memory_bytes <= 4ull << 30);
	for (u32 i = 0; i < 2; i++) {
		spec[i].serve = serve;
		spec[i].died = died;
		spec[i].nice = 0;	/* a second of CPU time is to come on a busy machine, too */
		spec[i].cpu_s = i ? 50 : 1;
		spec[i].stuck_s = i ? 2 : 400;
	}
	spec[1].name = "stuck";		/* deaths are counted by name */
	helpers_deaths_text(text, sizeof(text));
	assert_string_equal(text, "");
	start(&stuck, &spec[1]);
	tell(&stuck, 3, SLEEP);		/* its two seconds pass during the following */
	start(&h, &spec[0]);
#ifndef __SANITIZE_ADDRESS__	/* there is no limit of address space then, and it reports crashes itself */
	assert_int_equal(ask(&h, 3, SPIN), 1000 + HELPER_CPU);
	assert_int_equal(ask(&h, 4, EAT), 1000 + HELPER_NO_MEMORY);
	assert_int_equal(ask(&h, 6, CRASH), 1000 + HELPER_DIED);
	assert_int_equal(helper_deaths(&h), 3);
	helpers_deaths_text(text, sizeof(text));
	assert_non_null(strstr(text, " died 3 times, last: killed by SIGSEGV at ottop+0x"));
#endif
	assert_int_equal(ask(&h, 5, ANSWER), ANSWER);
	helper_stop(&h);
	assert_int_equal(answer(&stuck, 3), 1000 + HELPER_STUCK);
	assert_int_equal(ask(&stuck, 5, ANSWER), ANSWER);
	helper_stop(&stuck);
}

static void tables(void **state)
{
	(void)state;
	real_helper(&server_of_tables);
}

static void names(void **state)
{
	(void)state;
	real_helper(&server_of_names);
}

static void resolver(void **state)
{
	(void)state;
	real_helper(&resolver_server);
}

static void admin(void **state)
{
	(void)state;
	real_helper(&admin_spec);
}

static void protocol_reader(void **state)
{
	(void)state;
	real_helper(&protocols_spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables), cmocka_unit_test(names), cmocka_unit_test(resolver),
		cmocka_unit_test(admin), cmocka_unit_test(protocol_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
