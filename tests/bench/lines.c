// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lines FILE N: source lines of N addresses, at random from its functions' code, as
 * the symbolizer finds them. Prints what lines.py turns into a table: milliseconds
 * until the list of units is there, until 256 addresses are done, addresses a second
 * for the rest, answers and frames, peak RSS added (kB). "lines -l FILE N" prints the
 * addresses.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "symbolizer/dwarf.h"
#include "symbolizer/elf.h"

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Of this program; ru_maxrss includes its parent's before exec. */
static long peak_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmHWM: %ld", &kb);
	if (f)
		fclose(f);
	return kb;
}

static struct elf_section text_of(int fd)
{
	struct elf_section s = { 0 };
	struct elf_file *f = elf_file_open(fd);

	if (!f || !elf_section(f, ".text", &s))
		exit(1);
	elf_file_close(f);
	return s;
}

static u64 pick(const struct elf_section *s, u64 i)
{
	u64 x = (i + 1) * 0x9e3779b97f4a7c15ull;

	return s->addr + (x ^ x >> 29) % s->size;
}

static int by_addr(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	bool list = argc > 1 && !strcmp(argv[1], "-l");
	const char *path = argc > 2 + list ? argv[1 + list] : "", *count = argc > 2 + list ? argv[2 + list] : "0";
	u64 n = strtoull(count, NULL, 10), found = 0, frames = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_section s = text_of(fd);
	struct dwarf_frame f[DWARF_MAX_DEPTH];
	double start, indexed, first = 0;
	long before;
	struct dwarf *d;
	u64 *addrs;

	for (u64 i = 0; list && i < n; i++)
		printf("0x%llx\n", (unsigned long long)pick(&s, i));
	if (list)
		return 0;
	addrs = xcalloc(n, sizeof(*addrs));
	for (u64 i = 0; i < n; i++)
		addrs[i] = pick(&s, i);
	before = peak_kb();
	start = now_ms();
	d = dwarf_open(fd, -1);
	if (!d)
		return 1;
	dwarf_index(d, UINT64_MAX);
	indexed = now_ms();
	for (u64 i = 0; i < n; i += 256)	/* as in requests */
		qsort(addrs + i, min(n - i, (u64)256), sizeof(*addrs), by_addr);
	for (u64 i = 0; i < n; i++) {
		u32 k = dwarf_find(d, addrs[i], f);

		if (i == 255)
			first = now_ms();
		found += k > 0;
		frames += k;
	}
	printf("%.1f %.1f %.0f %llu %llu %ld\n", indexed - start, first - start,
	       (double)(n - 256) / (now_ms() - first) * 1e3, (unsigned long long)found,
	       (unsigned long long)frames, peak_kb() - before);
	return 0;
}
