// SPDX-License-Identifier: GPL-2.0-or-later
/* thread.c: see thread.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "bpf/model/thread.h"

#define HANDLER_STACK_BYTES (48 << 10)	/* registers alone may take 11 kB */

#define RAISED_NICE (-10)
#define CROWDED 8	/* waiting so many times longer than running: too many others run */
#define PATIENCE 30	/* calls until high priority is tried again */

const int fault_signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
const u32 n_fault_signals = ARRAY_SIZE(fault_signals);

struct start {
	void *(*run)(void *);
	void *arg;
};

static void *begin(void *arg)
{
	struct start s = *(struct start *)arg;
#ifndef __SANITIZE_ADDRESS__	/* it has its own stack, freed with the thread */
	/* at the end of the stack that does not overflow */
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

static bool raised;

int thread_raise(void)
{
	if (setpriority(PRIO_PROCESS, 0, RAISED_NICE))
		return -errno;
	raised = true;
	return 0;
}

bool thread_yields(struct thread_pace *p, u64 ran_ns, u64 waited_ns)
{
	bool crowded = p->yields && waited_ns > max(CROWDED * ran_ns, CROWDED * THREAD_LONG_NS);

	if (crowded)
		p->patience = PATIENCE;
	else if (p->patience)
		p->patience--;
	p->yields = !p->patience && ran_ns > THREAD_LONG_NS;
	return p->yields;
}

/* /proc/thread-self/schedstat: ns on a CPU (to the last clock tick), ns waited for one. */
void thread_follow_pace(struct thread_pace *p)
{
	u64 ran = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	unsigned long long waited;
	FILE *f = raised ? fopen("/proc/thread-self/schedstat", "re") : NULL;
	int n = f ? fscanf(f, "%*u %llu", &waited) : 0;
	bool before = p->yields;

	if (f)
		fclose(f);
	if (n != 1)	/* unknown: no change */
		return;
	if (p->ran_ns && thread_yields(p, ran - p->ran_ns, waited - p->waited_ns) != before)
		setpriority(PRIO_PROCESS, 0, before ? RAISED_NICE : 0);
	p->ran_ns = ran;
	p->waited_ns = waited;
}
