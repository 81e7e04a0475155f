// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * loop CPU MS SLICES: getppid in a tight loop on one CPU. First line: how many
 * calls it made in all; then one line a slice:
 *	<ns of CPU time per call> <calls> <1 when BPF statistics were on>
 * CPU time, so that who else uses the machine costs noise and not a bias; whether
 * the kernel's BPF run-time statistics were on is seen in the run counts.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

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

/* Run counts of all programs: they move only while statistics are on. */
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

static long made;

static unsigned long long time_of(long calls)
{
	unsigned long long begin = cpu_ns();

	for (long i = 0; i < calls; i++)
		syscall(SYS_getppid);
	made += calls;
	return cpu_ns() - begin;
}

int main(int argc, char **argv)
{
	static struct slice s[MAX_SLICES];
	unsigned long long runs;
	int n;
	long calls;
	cpu_set_t set;

	if (argc != 4)
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
	/* calibrate: the first loop warms, the second tells how many calls a slice has */
	time_of(20000);
	calls = 1 + (long)(atof(argv[2]) * 1e6 / n / ((double)time_of(20000) / 20000));

	for (int i = 0; i < n; i++) {
		runs = run_counts();
		time_of(200);	/* the caches after that look around */
		s[i].ns = (double)time_of(calls) / calls;
		s[i].calls = calls;
		s[i].stats = run_counts() - runs > (unsigned long long)calls;
	}
	printf("%ld\n", made);
	for (int i = 0; i < n; i++)
		printf("%.2f %ld %d\n", s[i].ns, s[i].calls, s[i].stats);
	return 0;
}
