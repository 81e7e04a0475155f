// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shares.c: spends known shares of its CPU time in known call paths.
 *
 *	shares [MS]	says "ready", waits for a line, uses MS of CPU time (3000),
 *			then prints "PATH NANOSECONDS" for each path
 *
 * A path is left when its part is used up by the thread's own CPU clock, and
 * what it really took is what is printed: the truth holds on a busy machine.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NOINLINE __attribute__((noipa))	/* nor clones with other names */
#define ROUND_NS 250000000ull

typedef unsigned long long ns_t;

static volatile unsigned long sink;
static ns_t until;

static ns_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (ns_t)t.tv_sec * 1000000000u + (ns_t)t.tv_nsec;
}

/* The leaf of every path: half a millisecond, or the rest of the path's time. */
static NOINLINE void burn(void)
{
	for (long i = 0; i < 200000; i++)
		sink += (unsigned long)i * 2654435761u;
}

static NOINLINE void burn_all(void)
{
	while (cpu_ns() < until)
		burn();
	sink++;
}

NOINLINE void heavy(void) { burn_all(); sink++; }
NOINLINE void light(void) { burn_all(); sink++; }

NOINLINE void outer(int is_heavy)
{
	if (is_heavy)
		heavy();
	else
		light();
	sink++;
}

NOINLINE int compare(const void *a, const void *b)
{
	burn();
	return *(const int *)a - *(const int *)b;
}

NOINLINE void sort_all(void)
{
	while (cpu_ns() < until) {
		int some[3] = { 2, 3, 1 };

		qsort(some, 3, sizeof(*some), compare);
	}
	sink++;
}

NOINLINE void recurse(int depth)
{
	if (depth)
		recurse(depth - 1);
	else
		burn_all();
	sink++;
}

NOINLINE void on_signal(int sig)
{
	burn_all();
	sink += (unsigned long)sig;
}

NOINLINE void by_signal(void)
{
	raise(SIGUSR1);
	sink++;
}

/* A frame of variable size: its caller is found by a register. */
NOINLINE void variable(int n)
{
	volatile char space[n];

	space[n - 1] = 1;
	burn_all();
	sink += (unsigned long)space[n - 1];
}

static void outer_heavy(void) { outer(1); }
static void outer_light(void) { outer(0); }
static void recurse_40(void) { recurse(40); }
static void variable_999(void) { variable(999); }

static struct path {
	const char *name;
	void (*run)(void);
	unsigned percent;
	ns_t used;
} paths[] = {
	{ "main;outer;heavy;burn", outer_heavy, 35, 0 },
	{ "main;outer;light;burn", outer_light, 20, 0 },
	{ "main;sort_all;compare;burn", sort_all, 15, 0 },
	{ "main;recurse;recurse;recurse;burn", recurse_40, 10, 0 },
	{ "main;by_signal;on_signal;burn", by_signal, 10, 0 },
	{ "main;variable;burn", variable_999, 10, 0 },
};

int main(int argc, char **argv)
{
	ns_t all = (argc > 1 ? (ns_t)atoi(argv[1]) : 3000) * 1000000u, begin;
	unsigned n = sizeof(paths) / sizeof(*paths);

	signal(SIGUSR1, on_signal);
	puts("ready");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	begin = cpu_ns();
	while (cpu_ns() - begin < all)
		for (unsigned i = 0; i < n; i++) {
			ns_t now = cpu_ns();

			until = now + ROUND_NS * paths[i].percent / 100;
			paths[i].run();
			paths[i].used += cpu_ns() - now;
		}
	for (unsigned i = 0; i < n; i++)
		printf("%s %llu\n", paths[i].name, paths[i].used);
	return 0;
}
