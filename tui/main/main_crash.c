// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main_crash.c: when ottop crashes, in any thread, restores the terminal and prints one line:
 * where it crashed, version and build, and what to send. No core is left, because it would
 * contain data read with privileges; OTTOP_CORE=1 permits one.
 *
 * The handler calls only what signal-safety(7) allows, and backtrace(3).
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/model/fault.h"
#include "bpf/model/thread.h"
#include "tui/main/main.h"
#include "tui/term/termio.h"

#define CALLERS 12
#define STACK_BYTES (64 << 10)	/* alternate stack, in case of a stack overflow */

static bool leaves_core;
static char build[16];
static char line[1024];
static int dying;	/* tid of the thread in the handler; 0: none */

static void add(const char *text)
{
	fault_add(line, sizeof(line), text);
}

static void add_place(u64 at)
{
	char place[300];

	fault_place(place, sizeof(place), at);
	add(place);
}

static const char *name_of(int sig)
{
	return sig == SIGSEGV ? "SIGSEGV" : sig == SIGBUS ? "SIGBUS" : sig == SIGABRT ? "SIGABRT" :
	       sig == SIGFPE ? "SIGFPE" : sig == SIGILL ? "SIGILL" : "a signal";
}

/* The part of the line that needs no stack walk. */
static void begin_line(int sig, const siginfo_t *info, u64 pc)
{
	char thread[16] = "";

	prctl(PR_GET_NAME, thread);
	add("ottop: " OTTOP_VERSION " (build ");
	add(*build ? build : "?");
	add(") died of ");
	add(name_of(sig));
	if (died_why()) {
		add(" (");
		add(died_why());
		add(")");
	} else if (info->si_code <= 0) {
		add(" (sent)");
	} else {
		add(" at address ");
		fault_add_hex(line, sizeof(line), (u64)info->si_addr);
	}
	add(", thread ");
	add(thread);
	add(", in ");
	add_place(pc);
}

/* Restores the terminal and prints the line there. */
static void end_line(void)
{
	static const char what_to_send[] = "; please send this line and what you did (a core: OTTOP_CORE=1)\n";

	termio_restore();	/* as late as possible: another thread may still be drawing */
	line[min(strlen(line), sizeof(line) - sizeof(what_to_send))] = '\0';
	add(what_to_send);
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return;
}

static void die_of(int sig)
{
	if (!leaves_core)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	int self = (int)syscall(SYS_gettid), none = 0;
	u64 callers[CALLERS], pc = fault_pc(context);
	u32 n;

	if (!__atomic_compare_exchange_n(&dying, &none, self, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		while (none != self)	/* another thread crashed first and ends the process */
			pause();
		end_line();	/* the stack is too damaged to walk */
		die_of(sig);
		return;
	}
	termio_close();
	begin_line(sig, info, pc);
	n = fault_callers(pc, callers, CALLERS);
	for (u32 i = 0; i < n; i++) {
		add(i ? " " : " from ");
		add_place(callers[i]);
	}
	end_line();
	die_of(sig);
}

/* For other signals too. With limit 0 a core_pattern(5) program would start; with 1 it does not. */
static void leave_no_core(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_CORE, &l) || l.rlim_max < 1)
		return;
	l.rlim_cur = 1;
	setrlimit(RLIMIT_CORE, &l);
}

void main_catch_faults(void)
{
	static char stack[STACK_BYTES];
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	/* SA_NODEFER: walking a damaged stack may fault again */
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER }, old;

	leaves_core = getenv("OTTOP_CORE") != NULL;
	if (!leaves_core)
		leave_no_core();
	fault_prepare();
	fault_build(build, sizeof(build));
	sigaltstack(&own, NULL);
	for (u32 i = 0; i < n_fault_signals; i++)
		/* keep a sanitizer's own handler, which reports more */
		if (!sigaction(fault_signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(fault_signals[i], &sa, NULL);
}
