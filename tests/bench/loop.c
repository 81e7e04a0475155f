// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * loop CPU MS SLICES [http|other|https CERTIFICATE KEY]: getppid in a tight loop on one CPU, or an exchange
 * of HTTP, of HTTP in TLS, or of something else (exchange.c). First line: how many
 * calls (exchanges) it made in all, and how many BPF programs hung on system calls meanwhile
 * (somebody else's would be measured too); then one line a slice:
 *	<ns of CPU time per call> <calls> <1 when BPF statistics were on>
 * CPU time, so that who else uses the machine costs noise and not a bias; whether
 * the kernel's BPF run-time statistics were on is seen in the run counts.
 */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/bench/exchange.h"

#define MAX_SLICES 1000

struct slice {
	double ns;
	long calls;
	int stats;
};

static unsigned long long cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Sum of all programs' run counts, which only grow while statistics are on. */
static unsigned long long run_counts(void)
{
	unsigned long long sum = 0;
	unsigned int id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {};
		unsigned int len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len))
			sum += info.run_cnt;
		close(fd);
	}
	return sum;
}

/* Number of BPF programs on sys_enter and sys_exit, of any process. */
static int programs_on_syscalls(void)
{
	unsigned int id = 0;
	int n = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		char name[32] = "";
		struct bpf_link_info info = {
			.raw_tracepoint.tp_name = (unsigned long)name,
			.raw_tracepoint.tp_name_len = sizeof(name),
		};
		unsigned int len = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    info.type == BPF_LINK_TYPE_RAW_TRACEPOINT)
			n += !strcmp(name, "sys_enter") || !strcmp(name, "sys_exit");
		close(fd);
	}
	return n;
}

static void one_call(void)
{
	syscall(SYS_getppid);
}

static void (*work)(void) = one_call;
static long made;

static unsigned long long time_of(long calls)
{
	unsigned long long begin = cpu_ns();

	for (long i = 0; i < calls; i++)
		work();
	made += calls;
	return cpu_ns() - begin;
}

/* Selects the body of the loop. False: unknown or not available. */
static bool choose(char **args)
{
	if (!args[0])
		return true;
	work = !strcmp(args[0], "http") ? exchange_http : !strcmp(args[0], "https") ? exchange_https : exchange_other;
	return !exchange_open(args[1], args[1] ? args[2] : NULL);
}

int main(int argc, char **argv)
{
	static struct slice s[MAX_SLICES];
	unsigned long long runs;
	int n, before, after;
	long calls, warm = argc > 4 ? 1000 : 20000;	/* traps take 0.1 ms and more */
	cpu_set_t set;

	if (argc < 4)
		return 2;
	n = atoi(argv[3]);
	if (n < 1 || n > MAX_SLICES)
		return 2;
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[1]), &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("loop: sched_setaffinity");
		return 1;
	}
	if (!choose(argv + 4)) {
		perror("loop: exchange");
		return 1;
	}
	before = programs_on_syscalls();
	/* calibration: the first loop warms up, the second gives the calls of a slice */
	time_of(warm);
	calls = 1 + (long)(atof(argv[2]) * 1e6 / n / ((double)time_of(warm) / warm));

	for (int i = 0; i < n; i++) {
		runs = run_counts();
		time_of(200);	/* warms the caches after reading counts */
		s[i].ns = (double)time_of(calls) / calls;
		s[i].calls = calls;
		s[i].stats = run_counts() - runs > (unsigned long long)calls;
	}
	after = programs_on_syscalls();
	printf("%ld %d\n", made, before > after ? before : after);
	for (int i = 0; i < n; i++)
		printf("%.2f %ld %d\n", s[i].ns, s[i].calls, s[i].stats);
	return 0;
}
