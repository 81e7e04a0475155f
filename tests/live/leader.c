// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * leader.c: a thread that burns CPU below known functions, in a process with known memory, whose
 * first thread ends ("ends") or waits for it ("waits"). With the name of a perf map it also
 * generates code. Prints "ready".
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (64 << 20)

static volatile unsigned long count;
static unsigned long (*made)(unsigned long n);
static pthread_t first;
static bool first_ends;

/* A loop: push %rbp; mov %rsp,%rbp; mov %rdi,%rax; 1: dec %rax; jnz 1b; pop %rbp; ret */
static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xf8, 0x48, 0xff, 0xc8, 0x75,
				      0xfb, 0x5d, 0xc3 };

static void make_code(const char *map)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	FILE *f = fopen(map, "w");

	memcpy(at, code, sizeof(code));
	fprintf(f, "%lx %zx made_at_run_time\n", (unsigned long)at, sizeof(code));
	fclose(f);
	made = (unsigned long (*)(unsigned long))at;
}

__attribute__((noinline)) static void burn_inner(void)
{
	for (int i = 0; i < 1000000; i++)
		count += (unsigned long)i;
	if (made)
		count += made(1000000);
}

__attribute__((noinline)) static void burn_outer(void)
{
	for (;;) {
		burn_inner();
		count++;
	}
}

static void *worker(void *arg)
{
	if (first_ends)
		pthread_join(first, NULL);
	puts("ready");
	fflush(stdout);
	burn_outer();
	return arg;
}

int main(int argc, char **argv)
{
	char *memory = malloc(MEMORY), map[64];
	pthread_t t;

	for (size_t i = 0; i < MEMORY; i += 4096)
		*(volatile char *)(memory + i) = 1;
	alarm(120);
	first = pthread_self();
	first_ends = !strcmp(argv[1], "ends");
	if (argc > 2) {
		snprintf(map, sizeof(map), "/tmp/perf-%d.map", getpid());
		make_code(map);
	}
	pthread_create(&t, NULL, worker, NULL);
	if (first_ends)
		pthread_exit(NULL);
	pthread_join(t, NULL);
	return 0;
}
