// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Perf maps compared with a plain model; hostile ones; allowed locations.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/helpers/opener.h"
#include "symbolizer/perfmap.h"
#include "tests/unit/name_source.h"

static bool named(struct perfmap *m, const char *map, u64 addr, const char *want)
{
	struct source s = in_memory(map, strlen(map));
	char text[64];
	bool found = perfmap_find(m, &s, addr, text, sizeof(text));

	return want ? found && !strcmp(text, want) : !found;
}

static struct perfmap *read_map(const char *map)
{
	struct source s = in_memory(map, strlen(map));
	struct perfmap *m = perfmap_new();

	perfmap_update(m, &s);
	return m;
}

static void test_map(void **state)
{
	const char *map = "1000 10 one\n0x2000 0x20 two words\nABC0 8 three\n";
	struct perfmap *m = read_map(map);

	(void)state;
	assert_int_equal(perfmap_count(m), 3);
	assert_int_equal(perfmap_bad_lines(m), 0);
	assert_true(named(m, map, 0x1000, "one"));
	assert_true(named(m, map, 0x100f, "one"));
	assert_true(named(m, map, 0x1010, NULL));
	assert_true(named(m, map, 0xfff, NULL));
	assert_true(named(m, map, 0x201f, "two words"));
	assert_true(named(m, map, 0xabc7, "three"));
	assert_true(named(m, map, UINT64_MAX, NULL));
	perfmap_free(m);
}

static void test_map_grows(void **state)
{
	const char *full = "1000 10 one\n1000 10 newer\n5000 10 other\n";
	struct source s = in_memory(full, 15);	/* up to the middle of the second line */
	struct perfmap *m = perfmap_new();
	u32 generation;

	(void)state;
	perfmap_update(m, &s);
	assert_int_equal(perfmap_count(m), 1);
	generation = perfmap_generation(m);
	s.size = 26;
	perfmap_update(m, &s);
	assert_int_equal(perfmap_count(m), 1);
	assert_true(named(m, full, 0x1000, "newer"));
	assert_int_not_equal(perfmap_generation(m), generation);	/* the address means something else */
	generation = perfmap_generation(m);
	s.size = strlen(full);
	perfmap_update(m, &s);
	assert_true(named(m, full, 0x5000, "other"));
	assert_int_equal(perfmap_generation(m), generation);	/* a new address changes nothing */
	s = in_memory("9000 10 anew\n", 13);	/* shorter: it was begun again */
	perfmap_update(m, &s);
	assert_int_equal(perfmap_count(m), 1);
	assert_true(named(m, "9000 10 anew\n", 0x9000, "anew"));
	assert_int_not_equal(perfmap_generation(m), generation);
	perfmap_free(m);
}

static void test_map_nonsense(void **state)
{
	static const char *const lines[] = {
		"\n", "1000\n", "1000 10\n", "1000 10 \n", "zz 10 x\n", " 1000 10 x\n", "1000 0 x\n",
		"1000 ffffffffffffffff x\n", "ffffffffffffff00 100 x\n", "7fffffffff00 200 x\n",
		"10000000000000000000000 10 x\n", "1000 20000000 x\n", "-1 10 x\n", "0x 10 x\n",
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++) {
		struct perfmap *m = read_map(lines[i]);

		if (perfmap_count(m) || perfmap_bad_lines(m) != 1)
			fail_msg("taken: %s", lines[i]);
		perfmap_free(m);
	}
}

/* 10 MB without a newline, then a good line: time and memory stay small, the good line counts. */
static void test_map_long_line(void **state)
{
	size_t n = 10u << 20, at;
	char *map = malloc(n + 64);
	struct perfmap *m = perfmap_new();
	struct source s;
	char text[64];

	(void)state;
	at = (size_t)sprintf(map, "1000 10 ");
	memset(map + at, 'A', n);
	s = in_memory(map, n);
	perfmap_update(m, &s);
	perfmap_update(m, &s);
	assert_int_equal(perfmap_count(m), 1);
	n += (size_t)sprintf(map + n, "\n2000 10 good\n");
	s = in_memory(map, n);
	perfmap_update(m, &s);
	assert_int_equal(perfmap_count(m), 2);
	assert_true(perfmap_find(m, &s, 0x2001, text, sizeof(text)));
	assert_string_equal(text, "good");
	assert_true(perfmap_find(m, &s, 0x1000, text, sizeof(text)));
	assert_int_equal(strlen(text), sizeof(text) - 1);
	assert_string_equal(text + strlen(text) - 3, "...");
	assert_true(perfmap_bytes(m) < 65536);
	perfmap_free(m);
	free(map);
}

/* Compared with a brute-force model, in random portions. */
static void test_map_overlaps(void **state)
{
	enum { N = 60, SPACE = 400 };

	(void)state;
	for (u32 round = 0; round < 400; round++) {
		static char map[N * 32];
		u32 start[N], size[N], ends[N], n = 0, read = 0;
		bool dead[N] = {};
		struct perfmap *m = perfmap_new();

		for (u32 i = 0; i < N; i++) {
			start[i] = random_below(SPACE);
			size[i] = 1 + random_below(round % 40 + 1);
			n += (u32)sprintf(map + n, "%x %x f%u\n", start[i], size[i], i);
			ends[i] = n;
		}
		while (read < N) {
			struct source s;

			read = min(read + 1 + random_below(N), (u32)N);
			s = in_memory(map, ends[read - 1]);
			perfmap_update(m, &s);
		}
		for (u32 i = 0; i < N; i++)
			for (u32 k = i + 1; k < N; k++)
				dead[i] |= start[i] < start[k] + size[k] && start[k] < start[i] + size[i];
		for (u32 addr = 0; addr < SPACE + 50; addr++) {
			char want[16] = "";

			for (u32 i = 0; i < N; i++)
				if (!dead[i] && addr >= start[i] && addr < start[i] + size[i])
					sprintf(want, "f%u", i);
			if (!named(m, map, addr, want[0] ? want : NULL))
				fail_msg("round %u, address %x: not %s", round, addr, want);
		}
		perfmap_free(m);
	}
}

static void test_map_full(void **state)
{
	size_t cap = 40u << 20, n = 0;
	char *map = malloc(cap);
	struct perfmap *m = perfmap_new();
	struct source s;

	(void)state;
	for (u32 i = 0; i < PERFMAP_MAX + 1000; i++)
		n += (size_t)sprintf(map + n, "%x 10 f%u\n", 0x1000 + i * 16, i);
	assert_true(n < cap);
	s = in_memory(map, n);
	perfmap_update(m, &s);
	assert_true(perfmap_is_full(m));
	assert_true(perfmap_count(m) <= PERFMAP_MAX);
	assert_true(perfmap_bytes(m) <= 33u << 20);
	perfmap_free(m);
	/* as many lines, but of the same few addresses: that is not full */
	m = perfmap_new();
	for (u32 i = n = 0; i < PERFMAP_MAX + 1000; i++)
		n += (size_t)sprintf(map + n, "%x 10 f%u\n", 0x1000 + i % 1000 * 16, i);
	s = in_memory(map, n);
	perfmap_update(m, &s);
	assert_false(perfmap_is_full(m));
	assert_int_equal(perfmap_count(m), 1000);
	perfmap_free(m);
	free(map);
}

/* A perf map must be a regular file of the process that is meant. */
static void test_open_map(void **state)
{
	struct opener_job job = { .kind = OPEN_PERF_MAP, .pid = (u32)getpid() };
	char path[64], stat_text[1024], *p;
	FILE *f = fopen("/proc/self/stat", "r");

	(void)state;
	assert_non_null(f);
	assert_non_null(fgets(stat_text, sizeof(stat_text), f));
	fclose(f);
	p = strrchr(stat_text, ')');
	for (int i = 0; i < 20; i++)
		p = strchr(p + 1, ' ');
	job.start_ns = strtoull(p, NULL, 10) * 10000000;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	unlink(path);
	opener_work(&job);
	assert_int_equal(job.fd, -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	opener_work(&job);
	assert_int_equal(job.fd, -EINVAL);
	unlink(path);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	opener_work(&job);
	assert_true(job.fd < 0);
	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	opener_work(&job);
	assert_true(job.fd >= 0);
	close(job.fd);
	job.start_ns += NSEC_PER_SEC;	/* another process of that pid */
	opener_work(&job);
	assert_int_equal(job.fd, -ESRCH);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_grows),
		cmocka_unit_test(test_map_nonsense),
		cmocka_unit_test(test_map_long_line),
		cmocka_unit_test(test_map_overlaps),
		cmocka_unit_test(test_map_full),
		cmocka_unit_test(test_open_map),
	};

	return cmocka_run_group_tests_name("perfmap", tests, NULL, NULL);
}
