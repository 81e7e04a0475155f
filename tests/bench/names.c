// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * names.c: cost of names. `names FILE [DEBUG-FILE]` prints one line: ms to index, functions, KiB of
 * index, names a second (found and demangled) over evenly spread addresses. `names -l FILE` answers
 * hex addresses on stdin with name and file:line, for comparisons.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbolizer/elf.h"
#include "symbolizer/names.h"
#include "symbolizer/perfmap.h"
#include "symbolizer/symtab.h"

#define QUESTIONS 50000

static u64 cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void look_up(struct names *n)
{
	char line[64], name[SYMBOL_NAME_MAX], file[4096];

	while (fgets(line, sizeof(line), stdin)) {
		u64 addr = strtoull(line, NULL, 16);
		u32 number;
		char *s = names_find(n, addr, name, sizeof(name)) ? symbol_demangle(name) : NULL;

		printf("%" PRIx64 "\t%s\t", addr, s ?: "?");
		if (names_line(n, addr, file, sizeof(file), &number))
			printf("%s:%u\n", file, number);
		else
			printf("?\n");
		free(s);
	}
}

static u32 ask(struct names *n, const struct symbolizer_segment *seg, u32 questions)
{
	char name[SYMBOL_NAME_MAX];
	u32 found = 0;

	for (u32 i = 0; i < questions; i++) {
		if (!names_find(n, seg->addr + seg->size / questions * i, name, sizeof(name)))
			continue;
		free(symbol_demangle(name));
		found++;
	}
	return found;
}

/* `names -m MAP`: the same of a perf map; random addresses near the first line's. */
static int bench_map(const char *path)
{
	struct source s = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct perfmap *m = perfmap_new();
	u64 begin = cpu_ns(), indexed, first;
	char name[SYMBOL_NAME_MAX];
	u32 found = 0;

	s.size = (u64)lseek(s.fd, 0, SEEK_END);
	if (!source_get(&s, 0, name, 12))
		return 1;
	first = strtoull(name, NULL, 16);
	perfmap_update(m, &s);
	indexed = cpu_ns();
	for (u32 i = 0; i < QUESTIONS; i++)
		found += perfmap_find(m, &s, first + (u64)i * 1280, name, sizeof(name));
	printf("%.2f %u %.0f %.0f %.0f\n", (double)(indexed - begin) / 1e6, perfmap_count(m),
	       (double)perfmap_bytes(m) / 1024, QUESTIONS / ((double)(cpu_ns() - indexed) / 1e9),
	       100.0 * found / QUESTIONS);
	perfmap_free(m);
	return 0;
}

int main(int argc, char **argv)
{
	bool list = argc > 1 && !strcmp(argv[1], "-l");
	const char *path = argc > 1 + list ? argv[1 + list] : "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int debug = argc > 2 + list ? open(argv[2 + list], O_RDONLY | O_CLOEXEC) : -1;
	struct symbolizer_segment seg = {};
	struct elf_file *f = elf_file_open(fd);
	u64 begin = cpu_ns(), indexed, asked;
	struct names *n = names_read(fd, debug);
	char name[SYMBOL_NAME_MAX];
	u32 found;

	if (argc > 2 && !strcmp(argv[1], "-m"))
		return bench_map(argv[2]);
	if (!f || !n || !elf_exec_segments(f, &seg, 1)) {
		perror(path);
		return 1;
	}
	elf_file_close(f);
	if (list) {
		look_up(n);
		names_free(n);
		return 0;
	}
	names_find(n, 1, name, sizeof(name));	/* nothing there: opens every table */
	indexed = cpu_ns();
	found = ask(n, &seg, QUESTIONS);
	asked = cpu_ns();
	printf("%.2f %u %.0f %.0f %.0f\n", (double)(indexed - begin) / 1e6, names_count(n),
	       (double)names_bytes(n) / 1024, QUESTIONS / ((double)(asked - indexed) / 1e9),
	       100.0 * found / QUESTIONS);
	names_free(n);
	return 0;
}
