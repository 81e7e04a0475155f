// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_state_bpf.c: the letter of a task's state. The words are those of include/linux/sched.h of Linux
 * 6.18, as its functions put them together; the letters what fs/proc/array.c makes of them.
 */
#include "bpf_on_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/collectors/processes/processes_state.bpf.h"

#define KILLABLE 0x0100		/* TASK_WAKEKILL */
#define WAKING 0x0200
#define NEW 0x0800
#define FREEZABLE 0x2000	/* the freezer need not wake it */
#define FREEZABLE_UNSAFE 0x4000

static const struct { u32 state, exit_state; char letter; const char *why; } cases[] = {
	{ 0, 0, 'R', "runs" },
	{ 1, 0, 'S', "sleeps" },
	{ 2, 0, 'D', "blocked" },
	{ 2 | KILLABLE, 0, 'D', "blocked, can be killed" },
	{ 2 | TASK_NOLOAD, 0, 'I', "an idle kernel thread" },
	{ 4 | KILLABLE, 0, 'T', "stopped" },
	{ 8, 0, 't', "traced" },
	{ TASK_PARKED, 0, 'P', "parked" },
	{ TASK_DEAD, 0, 'R', "its last switch, nobody has asked yet" },
	{ TASK_DEAD, EXIT_ZOMBIE, 'Z', "zombie" },
	{ TASK_DEAD, EXIT_DEAD, 'X', "dead" },
	{ 0, EXIT_ZOMBIE, 'Z', "a zombie that still runs" },
	{ WAKING, 0, 'R', "on its way to a CPU" },
	{ NEW, 0, 'R', "not woken for the first time" },
	/* beyond 0x0fff */
	{ TASK_RTLOCK_WAIT, 0, 'D', "a lock that sleeps (PREEMPT_RT)" },
	{ 1 | FREEZABLE, 0, 'S', "sleeps, may be frozen there" },
	{ 2 | FREEZABLE, 0, 'D', "blocked, may be frozen there" },
	{ 2 | KILLABLE | FREEZABLE | FREEZABLE_UNSAFE, 0, 'D', "the same, with a lock (NFS)" },
	{ 2 | TASK_NOLOAD | FREEZABLE, 0, 'I', "an idle kernel thread that may be frozen" },
	{ TASK_FROZEN, 0, 'D', "frozen" },
};

static void letters(void **state)
{
	struct task_struct t = {};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		t.__state = cases[i].state;
		t.exit_state = (int)cases[i].exit_state;
		if (state_letter(&t) != cases[i].letter)
			fail_msg("%#x %#x (%s): %c instead of %c", cases[i].state, cases[i].exit_state, cases[i].why,
				 state_letter(&t), cases[i].letter);
		/* D counts as blocked, except for frozen tasks and the kernel's own locks */
		if (is_blocked_state(t.__state) != (cases[i].letter == 'D' &&
						   !(t.__state & (TASK_FROZEN | TASK_RTLOCK_WAIT))))
			fail_msg("%#x (%s): blocked or not", cases[i].state, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
