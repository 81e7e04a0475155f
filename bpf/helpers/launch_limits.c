// SPDX-License-Identifier: GPL-2.0-or-later
/* launch_limits.c: see launch_limits.h, and helper_work() in launch.h. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "bpf/helpers/launch_limits.h"
#include "bpf/helpers/privileges.h"
#include "bpf/helpers/sandbox.h"
#include "bpf/model/fault.h"
#include "bpf/model/thread.h"

#define NOBODY 65534
#define FAULT_STACK_BYTES (64 << 10)
#define STACK_BYTES (64ul << 20)	/* names of functions are parsed recursively */

static const struct helper_spec *mine;
static volatile struct helper_notes *my_notes;

/*
 * The signals that implement limits must not be blocked, whatever the forking thread had
 * blocked. Signals from the terminal, and those to ottop's process group, are ignored: a
 * helper ends when its socket is closed, as ottop needs it until then.
 */
static void clean_signals(void)
{
	static const int not_ours[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);	/* what cannot be set stays as it is: SIGKILL, SIGSTOP */
	for (u32 i = 0; i < ARRAY_SIZE(not_ours); i++)
		signal(not_ours[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int become_nobody(void)
{
	if (geteuid())
		return 0;
	return setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	       setresuid(NOBODY, NOBODY, NOBODY) ? -errno : 0;
}

static void limit(__rlimit_resource_t what, u64 most)
{
	struct rlimit l = { most, most };

	setrlimit(what, &l);
}

int limits_of_watcher(const struct helper_spec *s)
{
	int err;

	clean_signals();
	prctl(PR_SET_NAME, "ottop-watch");
	setpriority(PRIO_PROCESS, 0, s->nice);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_STACK, STACK_BYTES);
	err = s->rights == HELPER_KEEPS ? 0 : become_nobody();
	err = err ?: privileges_keep(s->rights == HELPER_KEEPS ? s->capabilities : 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* a change of user id clears it */
	return err;
}

/* The innermost address in ottop's own code; for abort(), its caller. */
static u64 own_place(u64 pc)
{
	u64 callers[16], own = fault_own(pc);
	u32 n = own ? 0 : fault_callers(pc, callers, ARRAY_SIZE(callers));

	for (u32 i = 0; i < n && !own; i++)
		own = fault_own(callers[i]);
	return own;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	my_notes->fault = own_place(fault_pc(context));
	raise(sig);	/* SA_RESETHAND: which ends it, when this handler has returned */
}

/* An alternate stack: stack overflow is the most likely fault of a parser. */
__attribute__((unused))		/* under AddressSanitizer */
static void note_faults(void)
{
	static char stack[FAULT_STACK_BYTES];
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };

	fault_prepare();
	sigaltstack(&own, NULL);
	for (u32 i = 0; i < n_fault_signals; i++)
		sigaction(fault_signals[i], &sa, NULL);
}

void limits_of_helper(const struct helper_spec *s, volatile struct helper_notes *notes)
{
	mine = s;
	my_notes = notes;
#ifndef __SANITIZE_ADDRESS__	/* its own handler reports more */
	note_faults();
#endif
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, s->name);
#ifndef __SANITIZE_ADDRESS__	/* which takes terabytes of address space */
	limit(RLIMIT_AS, s->memory_bytes);
	if (s->data_bytes)
		limit(RLIMIT_DATA, s->data_bytes);
#endif
	limit(RLIMIT_NOFILE, s->files);
	/* a kernel without filters of system calls: the rest has to do */
	if (s->rights == HELPER_COMPUTES) {
		limit(RLIMIT_NPROC, 0);
		sandbox_compute_only();
	} else if (s->rights == HELPER_LOOKS_UP) {
		limit(RLIMIT_FSIZE, 0);
		sandbox_lookups();
	}
}

/* ---- limits of a piece of work ---- */

/* Per thread, so that the work of one does not count for another. */
static __thread struct {
	bool made, simple;
	timer_t cpu, clock;
} timers;

static bool make(clockid_t of, int sig, timer_t *ret)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = sig };

	return !timer_create(of, &event, ret);
}

/* Timers need a queued signal, and user nobody may have reached RLIMIT_SIGPENDING: then process timers are used. */
static void make_timers(void)
{
	timers.made = true;
	timers.simple = !make(CLOCK_THREAD_CPUTIME_ID, SIGPROF, &timers.cpu) ||
			!make(CLOCK_MONOTONIC, SIGALRM, &timers.clock);
}

static void set(bool on)
{
	struct itimerspec cpu = { .it_value.tv_sec = on ? mine->cpu_s : 0 };
	struct itimerspec clock = { .it_value.tv_sec = on ? mine->stuck_s : 0 };
	struct itimerval simple_cpu = { .it_value.tv_sec = cpu.it_value.tv_sec };
	struct itimerval simple_clock = { .it_value.tv_sec = clock.it_value.tv_sec };

	if (timers.simple) {
		setitimer(ITIMER_PROF, &simple_cpu, NULL);
		setitimer(ITIMER_REAL, &simple_clock, NULL);
	} else {
		timer_settime(timers.cpu, 0, &cpu, NULL);
		timer_settime(timers.clock, 0, &clock, NULL);
	}
}

void helper_work(u32 work)
{
	if (!mine)	/* not in a helper: a test calls what helpers call */
		return;
	if (!timers.made)
		make_timers();
	set(work != 0);
	my_notes->work = work;
}
