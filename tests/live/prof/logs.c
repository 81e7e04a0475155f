// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * logs.c: threads that sleep for 2 to 6 ms again and again, and read the clock before and after.
 *
 *	logs THREADS SECONDS	says "ready", waits in warm_up() for a line, then sleeps; prints
 *				"NAME WAITS NANOSECONDS QUEUED" for each thread
 *
 * Each thread has a name of its own. QUEUED: ns that it waited for a CPU.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#define NOINLINE __attribute__((noipa))

typedef unsigned long long ns_t;

struct sleeper {
	char name[16];
	ns_t waited, queued;
	unsigned long n;
	pthread_t thread;
};

static ns_t end_ns;

static ns_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (ns_t)t.tv_sec * 1000000000u + (ns_t)t.tv_nsec;
}

/* Documentation/scheduler/sched-stats.rst */
static ns_t queued_ns(void)
{
	ns_t ran, queued = 0;
	FILE *f = fopen("/proc/thread-self/schedstat", "r");

	if (f && fscanf(f, "%llu %llu", &ran, &queued) != 2)
		queued = 0;
	if (f)
		fclose(f);
	return queued;
}

NOINLINE void sleeps(struct sleeper *s, unsigned seed)
{
	while (now_ns() < end_ns) {
		struct timespec t = { .tv_nsec = 2000000 + rand_r(&seed) % 4000000 };
		ns_t begin = now_ns();

		nanosleep(&t, NULL);
		s->waited += now_ns() - begin;
		s->n++;
	}
}

static void *run(void *arg)
{
	struct sleeper *s = arg;
	ns_t queued = 0;

	prctl(PR_SET_NAME, s->name);
	queued = queued_ns();
	sleeps(s, (unsigned)(s->name[1] * 7919));
	s->queued = queued_ns() - queued;
	return NULL;
}

/* For observers to learn the program. */
NOINLINE void warm_up(void)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };

	while (!poll(&in, 1, 10))
		;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1;
	struct sleeper *all = calloc((size_t)n, sizeof(*all));

	puts("ready");
	fflush(stdout);
	warm_up();
	if (!all || argc < 3 || getchar() == EOF)
		return 1;
	end_ns = now_ns() + (ns_t)(atof(argv[2]) * 1e9);
	for (int i = 0; i < n; i++) {
		snprintf(all[i].name, sizeof(all[i].name), "sleeper%d", i);
		pthread_create(&all[i].thread, NULL, run, &all[i]);
	}
	for (int i = 0; i < n; i++)
		pthread_join(all[i].thread, NULL);
	for (int i = 0; i < n; i++)
		printf("%s %lu %llu %llu\n", all[i].name, all[i].n, all[i].waited, all[i].queued);
	return 0;
}
