// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * moved.c: a thread that is moved to the other CPU just after it fell asleep, until the kernel has
 * taken three sleeps for waits for a CPU, or 60 times. Prints the number of such sleeps, and ns
 * asleep.
 */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 60, ENOUGH = 3, SPINNERS = 2, WORK_NS = 20000000, SLEEP_NS = 200000000,
       SLICE_NS = 50000000 };

struct shared {
	_Atomic long sleeps;	/* of the sleeper, before the next one */
	atomic_int turn;	/* whose turn is next */
};

static long long now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void pin(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(tid, sizeof(set), &set);
}

/*
 * linux/sched/types.h. A thread with a long slice has a debt when it falls asleep, and stays in the
 * queue.
 */
static void slice(void)
{
	struct {
		unsigned size, policy;
		unsigned long long flags;
		int nice;
		unsigned priority;
		unsigned long long runtime_ns, deadline_ns, period_ns;
	} attr = { .size = sizeof(attr), .runtime_ns = SLICE_NS };

	syscall(SYS_sched_setattr, 0, &attr, 0);
}

static void spin(int cpu)
{
	slice();
	pin(0, cpu);
	for (;;)
		;
}

/* Voluntary switches. Its state is useless: it is S before it sleeps. */
static long sleeps(pid_t pid)
{
	char line[256];
	long n = -1;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/%d/status", pid);
	f = fopen(line, "r");
	if (!f)
		exit(1);
	while (fgets(line, sizeof(line), f) && sscanf(line, "voluntary_ctxt_switches: %ld", &n) != 1)
		;
	fclose(f);
	return n;
}

static void move(struct shared *s, pid_t sleeper)
{
	struct sched_param first = { 10 };
	int seen = 0;

	pin(0, 1);
	sched_setscheduler(0, SCHED_FIFO, &first);
	for (;;) {
		while (s->turn == seen)
			usleep(200);
		seen = s->turn;
		while (sleeps(sleeper) == s->sleeps && s->turn == seen)
			usleep(50);
		pin(sleeper, 1);
	}
}

/* Time waited for a CPU by /proc/thread-self/schedstat. */
static long long queued_ns(void)
{
	FILE *f = fopen("/proc/thread-self/schedstat", "r");
	long long ran, queued = 0;

	if (!f || fscanf(f, "%lld %lld", &ran, &queued) != 2)
		exit(77);
	fclose(f);
	return queued;
}

/* One sleep. True: counted as a wait. */
static int fall_asleep(struct shared *s)
{
	struct timespec rest = { 0, SLEEP_NS };
	long long queued = queued_ns(), wall = now_ns(CLOCK_MONOTONIC), until;

	pin(0, 0);
	until = now_ns(CLOCK_THREAD_CPUTIME_ID) + WORK_NS;
	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until)
		;
	s->sleeps = sleeps(getpid());
	s->turn++;
	nanosleep(&rest, NULL);
	wall = now_ns(CLOCK_MONOTONIC) - wall;
	return queued_ns() - queued > wall - SLEEP_NS;
}

int main(void)
{
	struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int wrong = 0, n = 0;
	pid_t me = getpid();

	for (int i = 0; i <= SPINNERS; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (i < SPINNERS)
			spin(i % 2);
		move(s, me);
	}
	slice();
	while (n < ROUNDS && wrong < ENOUGH) {
		wrong += fall_asleep(s);
		n++;
	}
	printf("%d %lld\n", wrong, (long long)n * SLEEP_NS);
	return 0;
}
