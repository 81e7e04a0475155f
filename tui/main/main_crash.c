// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main_crash.c: when ottop dies of a fault of its own: the terminal is given back, and one
 * line says where it died, in which version, and what to send. No core is left, because
 * it would have in it what a privileged process has read; OTTOP_CORE=1 asks for one.
 *
 * Only what signal-safety(7) allows is called in the handler, and backtrace(3), whose
 * library was loaded before.
 */
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tui/main/main.h"
#include "tui/term/termio.h"

#define FRAMES 12
#define STACK_BYTES (64 << 10)	/* a stack that overflowed has no room for a handler */

static const struct { int sig; const char *name; } faults[] = {
	{ SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" }, { SIGABRT, "SIGABRT" }, { SIGFPE, "SIGFPE" },
	{ SIGILL, "SIGILL" },
};

static bool leaves_core;

struct line {
	char s[512];
	size_t n;
};

static void add(struct line *l, const char *text)
{
	while (*text && l->n + 1 < sizeof(l->s))
		l->s[l->n++] = *text++;
}

static void add_hex(struct line *l, u64 v)
{
	char digits[17];
	int i = 16;

	digits[i] = '\0';
	do {
		digits[--i] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	add(l, "0x");
	add(l, digits + i);
}

/* An address of ottop's own file as addr2line(1) wants it; others, of libraries, as they are. */
static void add_place(struct line *l, u64 at)
{
	extern const char __executable_start[], etext[];
	u64 first = (u64)__executable_start;

	add(l, " ");
	if (at >= first && at < (u64)etext) {
		add(l, "+");
		at -= first;
	}
	add_hex(l, at);
}

static const char *name_of(int sig)
{
	for (u32 i = 0; i < ARRAY_SIZE(faults); i++)
		if (faults[i].sig == sig)
			return faults[i].name;
	return "a signal";
}

static void say(int sig, const siginfo_t *info)
{
	void *frames[FRAMES];
	struct line l = { .n = 0 };
	int n = backtrace(frames, FRAMES);

	add(&l, "ottop: " OTTOP_VERSION " died of ");
	add(&l, name_of(sig));
	if (sig == SIGSEGV || sig == SIGBUS) {
		add(&l, " at address ");
		add_hex(&l, (u64)info->si_addr);
	}
	add(&l, ", in");
	for (int i = 2; i < n; i++)	/* without this function and the handler */
		add_place(&l, (u64)frames[i]);
	add(&l, "; please send this line and what you did (a core: OTTOP_CORE=1)\n");
	if (write(STDERR_FILENO, l.s, l.n) < 0)
		return;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	termio_restore();
	say(sig, info);
	if (!leaves_core)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(sig, SIG_DFL);
	raise(sig);
}

void main_catch_faults(void)
{
	static char stack[STACK_BYTES];
	stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK }, old;
	void *frame;

	leaves_core = getenv("OTTOP_CORE") != NULL;
	backtrace(&frame, 1);	/* loads what it needs */
	sigaltstack(&own, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(faults); i++)
		/* a sanitizer's own handler says more than ours */
		if (!sigaction(faults[i].sig, NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(faults[i].sig, &sa, NULL);
}
