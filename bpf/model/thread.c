// SPDX-License-Identifier: GPL-2.0-or-later
/* thread.c: see thread.h. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "bpf/model/thread.h"

#define HANDLER_STACK_BYTES (48 << 10)	/* the state of all registers may take 11 of it */

const int fault_signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
const u32 n_fault_signals = ARRAY_SIZE(fault_signals);

struct start {
	void *(*run)(void *);
	void *arg;
};

static void *begin(void *arg)
{
	struct start s = *(struct start *)arg;
#ifndef __SANITIZE_ADDRESS__	/* which has its own, and frees what it finds when the thread ends */
	/* at the far end of the stack, which is not what overflows */
	char stack[HANDLER_STACK_BYTES];
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };

	sigaltstack(&own, NULL);
#endif
	free(arg);
	return s.run(s.arg);
}

int thread_start(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	struct start *s = xmalloc(sizeof(*s));
	sigset_t blocked, old;
	int err;

	*s = (struct start){ run, arg };
	sigfillset(&blocked);
	for (u32 i = 0; i < n_fault_signals; i++)
		sigdelset(&blocked, fault_signals[i]);
	pthread_sigmask(SIG_SETMASK, &blocked, &old);
	err = pthread_create(ret, attr, begin, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		free(s);
	return err;
}

void thread_background(const char *name)
{
	prctl(PR_SET_NAME, name);
	setpriority(PRIO_PROCESS, 0, 0);
}
