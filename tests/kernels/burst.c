// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 200 processes that live some milliseconds, each with its own number of getppid calls and its own
 * end, invisible to a sampler that looks once a second. Every second one calls execve; every
 * twentieth is killed.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "expect.h"

#define CHILDREN 200

struct plan {
	int calls, exit_code;
	int execs, dies;
};

static struct plan plan_of(int i)
{
	return (struct plan){
		.calls = 11 + i % 37, .exit_code = i % 100, .execs = i % 2, .dies = i % 20 == 0,
	};
}

static void child(struct plan plan)
{
	for (int i = 0; i < plan.calls; i++)
		syscall(SYS_getppid);
	if (plan.dies)
		kill(getpid(), SIGKILL);
	_exit(plan.exit_code);
}

static void start_child(const char *self, struct plan plan)
{
	char calls[16], exit_code[16];
	char *argv[] = { "burst", calls, exit_code, NULL };

	if (!plan.execs)
		child(plan);
	snprintf(calls, sizeof(calls), "%d", plan.calls);
	snprintf(exit_code, sizeof(exit_code), "%d", plan.exit_code);
	execve(self, argv, NULL);
	_exit(127);
}

static void expect_child(long pid, struct plan plan)
{
	expect_begin("burst child", "burst", pid);
	expect_call("x86_64", "getppid", plan.calls, 0);
	expect_add("}");
	expect_call("x86_64", "execve", plan.execs, 0);
	expect_add("}");
	/* The child returns from a fork that it never called. */
	expect_call("x86_64", "fork", 0, 0);
	expect_add("}");
	expect_call("x86_64", "exit_group", !plan.dies, 0);
	expect_add(",\"returns\":false}],\"ppid\":%d,", getpid());
	if (plan.dies)
		expect_add("\"signal\":%d,", SIGKILL);
	else
		expect_add("\"exit_code\":%d,", plan.exit_code);
	expect_add("\"events\":{\"fork\":1,\"exec\":%d,\"exit\":1}}\n", plan.execs);
}

static void expect_parent(void)
{
	expect_begin("burst", "burst", getpid());
	expect_call("x86_64", "fork", CHILDREN, 0);
	expect_add("}");
	expect_call("x86_64", "wait4", CHILDREN, 0);
	expect_add("}");
	expect_call("x86_64", "execve", 1, 0);
	expect_add("}");
	expect_call("x86_64", "exit_group", 1, 0);
	expect_add(",\"returns\":false}],\"exit_code\":0,");
	expect_add("\"events\":{\"fork\":1,\"exec\":1,\"exit\":1}}\n");
}

int main(int argc, char **argv)
{
	if (argc == 3) /* the child after its execve */
		child((struct plan){ .calls = atoi(argv[1]), .exit_code = atoi(argv[2]) });
	for (int i = 0; i < CHILDREN; i++) {
		struct plan plan = plan_of(i);
		/* Not fork(), which libc makes a clone. */
		long pid = syscall(SYS_fork);

		if (pid == 0)
			start_child(argv[0], plan);
		if (pid < 0 || syscall(SYS_wait4, pid, NULL, 0, NULL) != pid)
			abort();
		expect_child(pid, plan);
	}
	expect_parent();
	expect_write();
	return 0;
}
