// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * names.c: burns CPU in functions whose names names.test knows.
 *	names burn		main > outer > heavy > burn
 *	names clock		main > read_clock > the vDSO
 *	names jit FILE ...	code made at run time; see jit()
 *	names map FILE OFFSET	calls code at an offset of any file, mapped executable
 * Each prints one line when it is there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

static volatile unsigned long sink;

static NOINLINE void burn(long n)
{
	while (n--)
		sink += n * 2654435761u;
}

NOINLINE void heavy(void) { burn(3000000); sink++; }
NOINLINE void outer(void) { heavy(); sink++; }

NOINLINE void read_clock(void)
{
	struct timespec ts;

	for (int i = 0; i < 1000000; i++)
		clock_gettime(CLOCK_MONOTONIC, &ts);
	sink++;
}

#if defined(__x86_64__)
/* push rbp; mov rbp, rsp; mov edi, 0x800000; 1: dec edi; jnz 1b; pop rbp; ret */
static const unsigned char loop[] = {
	0x55, 0x48, 0x89, 0xe5, 0xbf, 0, 0, 0x80, 0, 0xff, 0xcf, 0x75, 0xfc, 0x5d, 0xc3,
};
#else
/* mov w0, #0x800000; 1: subs w0, w0, #1; b.ne 1b; ret */
static const unsigned loop[] = { 0x52a01000, 0x71000400, 0x54ffffe1, 0xd65f03c0 };
#endif

NOINLINE void call(void *code)
{
	((void (*)(void))code)();
	sink++;
}

static void say(void)
{
	printf("started\n");
	fflush(stdout);
}

/* Formats of a map's lines; %lx: address of the code; "wait": waits for a line on stdin. */
static void jit(const char *file)
{
	char *code = mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	FILE *map = fopen(file, "w");
	char line[4096];

	memcpy(code + 4096, loop, sizeof(loop));
	if (map)
		setvbuf(map, NULL, _IONBF, 0);
	fcntl(0, F_SETFL, O_NONBLOCK);
	say();
	for (;;) {
		/* stdin is appended to the map, "CODE" being the address */
		ssize_t n = read(0, line, sizeof(line) - 1);
		char *at;

		if (n > 0 && map) {
			line[n] = '\0';
			while ((at = strstr(line, "CODE"))) {
				fprintf(map, "%.*s%lx", (int)(at - line), line, (unsigned long)code + 4096);
				memmove(line, at + 4, strlen(at + 4) + 1);
			}
			fputs(line, map);
		}
		call(code + 4096);
	}
}

static void run_file(const char *file, long offset)
{
	int fd = open(file, O_RDONLY);
	char *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, offset & ~4095l);

	if (code == MAP_FAILED) {
		perror(file);
		exit(1);
	}
	say();
	for (;;)
		call(code);
}

/* Writes the code, to make a file of it. */
static void write_code(void)
{
	fwrite(loop, 1, sizeof(loop), stdout);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "burn";

	if (!strcmp(what, "jit"))
		jit(argv[2]);
	if (!strcmp(what, "code")) {
		write_code();
		return 0;
	}
	if (!strcmp(what, "map"))
		run_file(argv[2], atol(argv[3]));
	say();
	for (;;)
		strcmp(what, "clock") ? outer() : read_clock();
}
