// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * odd.c: what is hard for a profiler. Each says "ready" and goes on until it is killed.
 *
 *	odd many N		N processes that each run for a moment, again and again
 *	odd maps FILE N		N executable mappings of FILE (its own program works), then burns
 *	odd deep N		N calls deep, then burns there
 *	odd exec N		becomes itself again after 5 ms of work, N times
 *	odd threads N		N threads that each run for a moment, again and again
 *	odd names		changes its name and those of its threads into anything
 *	odd jit			burns in code that it writes anew again and again
 *	odd stuck		burns with a stack pointer that leads nowhere
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noipa))

static volatile unsigned long sink;

NOINLINE void burn(int n)
{
	for (int i = 0; i < n; i++)
		sink += (unsigned long)i * 2654435761u;
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static void burn_for_ever(void)
{
	for (;;)
		burn(100000);
}

/*
 * All begin together, as running ones would delay the creation of others; ready when each has run
 * and slept once, which takes seconds on a busy host.
 */
static int gate[2];
static _Atomic int *been;	/* number that have; shared with processes */

NOINLINE void short_life(int us)
{
	for (bool first = true;; first = false) {
		burn(100000);
		usleep((unsigned)us);
		if (first)
			++*been;
	}
}

static bool make_gate(void)
{
	been = mmap(NULL, sizeof(*been), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return been != MAP_FAILED && !pipe(gate);
}

static void wait_for_all(void)
{
	char c;

	while (read(gate[0], &c, 1) < 0)
		;
}

static int go_on(int n)
{
	close(gate[1]);
	while (*been < n)
		usleep(10000);
	ready();
	pause();
	return 0;
}

static int many(int n)
{
	if (!make_gate())
		return 1;
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			return 1;
		}
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(gate[1]);
			wait_for_all();
			short_life(n * 150);
		}
	}
	return go_on(n);
}

static int maps(const char *path, int n)
{
	int fd = open(path, O_RDONLY);

	for (int i = 0; i < n; i++)	/* alternating two pages: neighbours are not merged */
		if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, i % 2 * 4096) == MAP_FAILED) {
			perror("mmap");
			return 1;
		}
	ready();
	burn_for_ever();
	return 0;
}

NOINLINE void deep(int n)
{
	if (n)
		deep(n - 1);
	else
		burn_for_ever();
	sink++;
}

static void *deep_thread(void *n)
{
	ready();
	deep(*(int *)n);
	return NULL;
}

static int deep_main(int n)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)n * 128 + (1 << 20));
	if (pthread_create(&t, &attr, deep_thread, &n))
		return 1;
	pthread_join(t, NULL);
	return 0;
}

static int exec_loop(char **argv, int n)
{
	char left[16];

	if (!getenv("ODD_AGAIN")) {
		setenv("ODD_AGAIN", "1", 1);
		ready();
	}
	for (int i = 0; i < 20; i++)
		burn(100000);
	if (n <= 0)
		return 0;
	snprintf(left, sizeof(left), "%d", n - 1);
	execl(argv[0], argv[0], "exec", left, NULL);
	return 1;
}

static void *thread(void *us)
{
	wait_for_all();
	short_life(*(int *)us);
	return NULL;
}

static int threads(int n)
{
	static int us;
	pthread_attr_t attr;
	pthread_t t;

	us = n * 150;
	if (!make_gate())
		return 1;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < n; i++)
		if (pthread_create(&t, &attr, thread, &us))
			return 1;
	return go_on(n);
}

static void names(void)
{
	static const char *const all[] = {
		"\033[31mred\033[0m", "a;b;c 1000", "\033]0;title\a", "new\nline\ttab", "\xff\xfe\xfd\xfc", "",
		"[cut: no]_[k]", "\xe2\x80\xae" "rtl", "<b>&amp;\"'</b>", "%s%n%s%n",
	};

	ready();
	for (unsigned i = 0;; i++) {
		prctl(PR_SET_NAME, all[i % (sizeof(all) / sizeof(*all))]);
		for (int k = 0; k < 40; k++)	/* 60 ms: seconds on a busy machine */
			burn(100000);
	}
}

/* sub $8,%rsp; mov $COUNT,%ecx; 1: dec %ecx; jnz 1b; add $8,%rsp; ret */
static int jit(void)
{
	static const unsigned char code[] = {
		0x48, 0x83, 0xec, 0x08, 0xb9, 0, 0, 0x10, 0, 0xff, 0xc9, 0x75, 0xfc, 0x48, 0x83, 0xc4, 0x08, 0xc3,
	};

	ready();
	for (unsigned i = 0;; i++) {
		unsigned char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_EXEC,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return 1;
		for (int at = 0; at + 64 <= 65536; at += 64) {
			memcpy(p + at, code, sizeof(code));
			((void (*)(void))(void *)(p + at))();
		}
		munmap(p, 65536);
		mmap(NULL, 4096 * (i % 16 + 1), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
}

static int stuck(void)
{
	static unsigned long space[4096];

	ready();
#if defined(__x86_64__)
	__asm__ volatile("mov %0, %%rsp\n\t"
			 "mov %0, %%rbp\n"
			 "1: inc %%rax\n\t"
			 "jmp 1b" : : "r"(&space[2048]) : "rax");
#else
	burn_for_ever();
#endif
	return (int)space[0];
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[argc - 1]) : 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(what, "many"))
		return many(n);
	if (!strcmp(what, "maps") && argc == 4)
		return maps(argv[2], n);
	if (!strcmp(what, "deep"))
		return deep_main(n);
	if (!strcmp(what, "exec"))
		return exec_loop(argv, n);
	if (!strcmp(what, "threads"))
		return threads(n);
	if (!strcmp(what, "names"))
		names();
	if (!strcmp(what, "jit"))
		return jit();
	if (!strcmp(what, "stuck"))
		return stuck();
	return 2;
}
