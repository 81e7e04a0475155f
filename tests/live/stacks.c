// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stacks.c: programs whose stacks are hard to walk. main reaches leaf() through outer() in a way
 * that depends on the case. Built in many variants by stacks.test.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_DL
#include <dlfcn.h>
#endif

#define NOINLINE __attribute__((noinline))

static volatile unsigned long sink;
static double seconds = 3;
static const char *library;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Where others take the CPUs: so long yet that it can be sampled often enough. */
static int too_little(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9 < seconds / 4;
}

NOINLINE void leaf(double end)
{
	while (now() < end)
		for (int i = 0; i < 20000; i++)
			sink += (unsigned)i * 2654435761u;
	sink++;
}

/* No frame: the return address is pushed and popped around calls. */
NOINLINE void outer(void)
{
	leaf(now() + seconds);
	while (too_little())
		leaf(now() + 0.02);
	sink++;
}

static void on_signal(int sig)
{
	(void)sig;
	outer();
	sink++;
}

NOINLINE static void in_signal(int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	stack_t ss = { .ss_size = 256 * 1024 };

	ss.ss_sp = malloc(ss.ss_size);
	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	sink++;
}

static void *thread_main(void *arg)
{
	(void)arg;
	outer();
	sink++;
	return NULL;
}

NOINLINE static void in_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, thread_main, NULL);
	pthread_join(t, NULL);
	sink++;
}

NOINLINE void recurse(long n)
{
	if (n)
		recurse(n - 1);
	else
		outer();
	sink++;
}

/* Untouched pages of the stack. */
NOINLINE void over_a_hole(void)
{
	volatile char room[5 * 4096];

	__asm__ volatile("" : : "r"(room) : "memory");
	outer();
	__asm__ volatile("" : : "r"(room) : "memory");
}

/* A realigned stack: the CFA is in memory (DRAP). */
NOINLINE void realigned(int n)
{
	volatile char room[64] __attribute__((aligned(64)));
	volatile char *more = alloca((size_t)n);

	room[0] = more[0] = 1;
	outer();
	sink += (unsigned)room[0] + (unsigned)more[0];
}

static int compare(const void *a, const void *b)
{
	static double end;

	if (!end)
		end = now() + seconds;
	if (now() < end || too_little())
		leaf(now() + 0.02);
	return *(const int *)a - *(const int *)b;
}

/* Through a library without symbols of its own: the PLT, libc's qsort. */
NOINLINE static void through_libc(void)
{
	int values[300];

	for (int i = 0; i < 300; i++)
		values[i] = i * 7919 % 300;
	qsort(values, 300, sizeof(values[0]), compare);
	sink += (unsigned)values[1];
}

NOINLINE static void forked(void)
{
	pid_t pid = fork();

	if (!pid) {
		outer();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	sink++;
}

#ifdef WITH_DL
NOINLINE static void in_library(void)
{
	void *lib;
	void (*run)(void (*)(void));

	leaf(now() + 0.3);	/* ottop knows this process before the library */
	lib = dlopen(library, RTLD_NOW);
	run = lib ? (void (*)(void (*)(void)))dlsym(lib, "run_in_library") : NULL;
	if (run)
		run(outer);
	sink++;
}
#endif

/* Code in anonymous memory, with a frame pointer: push rbp; mov rbp, rsp; call *rdi; pop rbp; ret */
NOINLINE static void in_jit(void)
{
#ifdef __x86_64__
	static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3 };
	unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(p, code, sizeof(code));
	((void (*)(void (*)(void)))(void *)p)(outer);
#endif
	sink++;
}

/* System calls, and of the vDSO in between: most samples are in one of them. */
NOINLINE static void in_calls(void)
{
	double end = now() + seconds;

	while (now() < end || too_little())
		for (int i = 0; i < 100; i++)
			sink += (unsigned)getppid();
	sink++;
}

/* 20,000 executable mappings beforehand. */
NOINLINE static void many_mappings(const char *self)
{
	FILE *f = fopen(self, "re");

	for (int i = 0; f && i < 20000; i++) {
		if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(f), 0) == MAP_FAILED)
			break;
		mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	outer();
	sink++;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc > 2)
		seconds = atof(argv[2]);
	if (argc > 3)
		library = argv[3];
	if (!strcmp(what, "signal"))
		in_signal(0);
	else if (!strcmp(what, "altstack"))
		in_signal(SA_ONSTACK);
	else if (!strcmp(what, "thread"))
		in_thread();
	else if (!strcmp(what, "deep"))
		recurse(100000);
	else if (!strcmp(what, "hundred"))
		recurse(100);
	else if (!strcmp(what, "realigned"))
		realigned(argc * 100);
	else if (!strcmp(what, "hole"))
		over_a_hole();
	else if (!strcmp(what, "libc"))
		through_libc();
	else if (!strcmp(what, "fork"))
		forked();
#ifdef WITH_DL
	else if (!strcmp(what, "dlopen"))
		in_library();
#endif
	else if (!strcmp(what, "jit"))
		in_jit();
	else if (!strcmp(what, "calls"))
		in_calls();
	else if (!strcmp(what, "mappings"))
		many_mappings(argv[0]);
	else if (!strcmp(what, "exec"))
		execl(argv[0], argv[0], "plain", argv[2], (char *)NULL);
	else
		outer();
	return (int)(sink & 1);
}
