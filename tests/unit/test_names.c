// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where names come from, with good and with hostile input: Go's function table
 * in its three layouts, perf maps against a plain model of them, .gnu_debugdata,
 * symbols of this very program, files that change, places of debug files.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bpf/helpers/opener.h"
#include "symbolizer/gotable.h"
#include "symbolizer/minidebug.h"
#include "symbolizer/names.h"
#include "symbolizer/perfmap.h"
#include "symbolizer/symtab.h"

static u64 random_state = 88172645463325252ull;

static u32 random_below(u32 n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (u32)(random_state >> 32) % n;
}

static struct source in_memory(const void *data, size_t n)
{
	return (struct source){ .mem = data, .fd = -1, .size = n };
}

/* ---- Go ---------------------------------------------------------------------------- */

#define TEXT 0x401000u
#define N_FUNCS 3
#define FUNC_SIZE 0x100u

struct go_image {
	u8 bytes[2048];
	size_t n;
};

static void put(struct go_image *g, u64 v, u32 size)
{
	memcpy(g->bytes + g->n, &v, size);
	g->n += size;
}

static void put_bytes(struct go_image *g, const void *p, size_t n)
{
	memcpy(g->bytes + g->n, p, n);
	g->n += n;
}

static void set(struct go_image *g, size_t at, u64 v)
{
	memcpy(g->bytes + at, &v, 8);
}

/* A table of three functions: main.f0, main.f1, main.f2; f1 is in b.go from line 10 on. */
static void go_image(struct go_image *g, u32 magic)
{
	static const char names[] = "\0main.f0\0main.f1\0main.f2";
	static const char files[] = "a.go\0b.go";
	/* value -1 + 1 = file 0 all along; lines: 10 for 0x40 bytes, 12 for the rest */
	/* depth of the stack: 0 for 0x10 bytes, 24 for 0xe0, 0 for the rest */
	static const u8 pc[] = { 0,	2, 0x80, 0x02, 0,	22, 0x40, 4, 0xc0, 0x01, 0,
				 2, 0x10, 48, 0xe0, 0x01, 47, 0x10, 0 };
	bool old = magic == 0xfffffffa;
	u32 word = old ? 2 : 3;
	size_t funcs, descriptions;

	memset(g, 0, sizeof(*g));
	put(g, magic, 4);
	put(g, 0, 2);
	put(g, 1, 1);
	put(g, 8, 1);
	put(g, N_FUNCS, 8);
	put(g, 2, 8);
	g->n = 8 + 8 * (word + 5);
	if (!old)
		set(g, 8 + 16, TEXT);
	set(g, 8 + 8 * word, g->n);
	put_bytes(g, names, sizeof(names));
	set(g, 8 + 8 * (word + 1), g->n);
	put(g, 0, 4);	/* unit 0: file 0 is a.go */
	put(g, 5, 4);	/* unit 1: file 0 is b.go */
	set(g, 8 + 8 * (word + 2), g->n);
	put_bytes(g, files, sizeof(files));
	set(g, 8 + 8 * (word + 3), g->n);
	put_bytes(g, pc, sizeof(pc));
	g->n = (g->n + 7) & ~7ull;
	funcs = g->n;
	set(g, 8 + 8 * (word + 4), funcs);
	descriptions = (old ? 16 : 8) * N_FUNCS + (old ? 8 : 4);
	descriptions = (descriptions + 7) & ~7ull;
	for (u32 i = 0; i < N_FUNCS; i++) {
		put(g, (old ? TEXT : 0) + i * FUNC_SIZE, old ? 8 : 4);
		put(g, descriptions + i * 64, old ? 8 : 4);
	}
	put(g, (old ? TEXT : 0) + N_FUNCS * FUNC_SIZE, old ? 8 : 4);
	for (u32 i = 0; i < N_FUNCS; i++) {
		g->n = funcs + descriptions + i * 64;
		put(g, (old ? TEXT : 0) + i * FUNC_SIZE, old ? 8 : 4);
		put(g, 1 + i * 8, 4);	/* name */
		put(g, 0, 8);		/* args, deferreturn */
		put(g, 11, 4);		/* pcsp */
		put(g, 1, 4);		/* pcfile */
		put(g, 5, 4);		/* pcln */
		put(g, 0, 4);		/* npcdata */
		put(g, i == 1, 4);	/* unit */
		if (magic == 0xfffffff1)
			put(g, 1, 4);	/* startLine */
		put(g, i == 2 ? 1 << 8 : 0, 4);	/* flags: nothing calls f2 */
	}
	g->n += 64;
}

static const u32 magics[] = { 0xfffffffa, 0xfffffff0, 0xfffffff1 };

static void test_go(void **state)
{
	(void)state;
	for (u32 v = 0; v < ARRAY_SIZE(magics); v++) {
		struct go_image g;
		struct gotable *t;
		char text[64];
		u32 line;

		go_image(&g, magics[v]);
		t = gotable_of(in_memory(g.bytes, g.n), TEXT);
		assert_non_null(t);
		assert_int_equal(gotable_count(t), N_FUNCS);
		assert_true(gotable_find(t, TEXT, text, sizeof(text)));
		assert_string_equal(text, "main.f0");
		assert_true(gotable_find(t, TEXT + 2 * FUNC_SIZE - 1, text, sizeof(text)));
		assert_string_equal(text, "main.f1");
		assert_true(gotable_find(t, TEXT + 3 * FUNC_SIZE - 1, text, sizeof(text)));
		assert_string_equal(text, "main.f2");
		assert_false(gotable_find(t, TEXT - 1, text, sizeof(text)));
		assert_false(gotable_find(t, TEXT + 3 * FUNC_SIZE, text, sizeof(text)));
		assert_false(gotable_find(t, UINT64_MAX, text, sizeof(text)));
		assert_true(gotable_line(t, TEXT + FUNC_SIZE + 0x3f, text, sizeof(text), &line));
		assert_string_equal(text, "b.go");
		assert_int_equal(line, 10);
		assert_true(gotable_line(t, TEXT + 0x40, text, sizeof(text), &line));
		assert_string_equal(text, "a.go");
		assert_int_equal(line, 12);
		gotable_free(t);
	}
}

static void test_go_frames(void **state)
{
	static const struct { u64 at; u8 cfa; s32 off; } want[] = {
		{ 0, UNW_CFA_SP, 8 }, { 0x10, UNW_CFA_SP, 32 }, { 0xf0, UNW_CFA_SP, 8 },
		{ 0x110, UNW_CFA_SP, 32 }, { 0x1f0, UNW_CFA_SP, 8 }, { 0x200, UNW_CFA_END, 0 },
		{ 0x300, UNW_CFA_NONE, 0 },
	};

	(void)state;
	for (u32 v = 0; v < ARRAY_SIZE(magics); v++) {
		struct go_image g;
		struct gotable *t;
		struct cfi_row *rows;
		u32 n = 0;

		go_image(&g, magics[v]);
		t = gotable_of(in_memory(g.bytes, g.n), TEXT);
		rows = gotable_rows(t, &n);
		if (!v) {	/* the flags are younger than this layout */
			assert_null(rows);
			assert_int_equal(errno, ENODATA);
		}
		assert_int_equal(n, v ? ARRAY_SIZE(want) : 0);
		for (u32 i = 0; i < n; i++) {
			assert_int_equal(rows[i].pc, TEXT + want[i].at);
			assert_int_equal(rows[i].info.cfa, want[i].cfa);
			assert_int_equal(rows[i].info.cfa_off, want[i].off);
			assert_int_equal(rows[i].info.fp, want[i].off == 32 ? UNW_FP_CFA : UNW_FP_SAME);
			assert_int_equal(rows[i].info.fp_off, want[i].off == 32 ? -16 : 0);
		}
		free(rows);
		gotable_free(t);
	}
}

static void ask_all(const struct go_image *g, size_t n)
{
	/* of exactly that size: reading past it is seen by the address sanitizer */
	u8 *copy = malloc(n ? n : 1);
	struct gotable *t;
	char text[64];
	u32 line;

	memcpy(copy, g->bytes, n);
	t = gotable_of(in_memory(copy, n), TEXT);
	for (u64 addr = TEXT - 1; t && addr < TEXT + 4 * FUNC_SIZE; addr += 17) {
		gotable_find(t, addr, text, sizeof(text));
		gotable_line(t, addr, text, sizeof(text), &line);
	}
	if (t)
		free(gotable_rows(t, &line));
	gotable_free(t);
	free(copy);
}

static void test_go_hostile(void **state)
{
	(void)state;
	for (u32 v = 0; v < ARRAY_SIZE(magics); v++) {
		struct go_image g;

		go_image(&g, magics[v]);
		for (size_t n = 0; n <= g.n; n++)
			ask_all(&g, n);
		for (u32 i = 0; i < 3000; i++) {
			go_image(&g, magics[v]);
			for (u32 k = 0; k <= i % 4; k++)
				g.bytes[random_below((u32)g.n)] = (u8)(i % 3 ? random_below(256) : 0xff);
			ask_all(&g, g.n);
		}
	}
}

/* An entry that its own description contradicts names nothing. */
static void test_go_doubtful(void **state)
{
	struct go_image g;
	struct gotable *t;
	char text[64];

	(void)state;
	go_image(&g, 0xfffffff1);
	t = gotable_of(in_memory(g.bytes, g.n), TEXT);
	assert_true(gotable_find(t, TEXT + FUNC_SIZE, text, sizeof(text)));
	for (size_t at = 0; at + 4 <= g.n; at += 4) {	/* the second function's own start */
		u32 v;

		memcpy(&v, g.bytes + at, 4);
		if (v == 9 && at > 4) {	/* its name: the start stands before it */
			g.bytes[at - 4] ^= 1;
			break;
		}
	}
	assert_false(gotable_find(t, TEXT + FUNC_SIZE, text, sizeof(text)));
	gotable_free(t);
}

/* ---- perf maps ----------------------------------------------------------------------- */

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

/* Against a model that compares everything with everything, in random portions. */
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

/* ---- .gnu_debugdata ------------------------------------------------------------------- */

static u8 *pack(const u8 *data, size_t n, size_t *ret)
{
	size_t cap = n / 2 + 65536;
	u8 *out = malloc(cap);

	*ret = 0;
	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, data, n, out, ret, cap), LZMA_OK);
	return out;
}

static void test_unpack(void **state)
{
	size_t n = 300000, packed_n, got_n;
	u8 *data = malloc(n), *packed, *got;
	struct source s;

	(void)state;
	for (size_t i = 0; i < n; i++)
		data[i] = (u8)(random_below(4) * i);
	packed = pack(data, n, &packed_n);
	s = in_memory(packed, packed_n);
	got = minidebug_unpack(&s, &got_n);
	assert_non_null(got);
	assert_int_equal(got_n, n);
	assert_memory_equal(got, data, n);
	free(got);
	for (size_t cut = 0; cut < packed_n; cut += 1 + packed_n / 97) {
		s.size = cut;
		assert_null(minidebug_unpack(&s, &got_n));
		assert_int_equal(errno, EBADMSG);
	}
	free(packed);
	free(data);
}

static void test_unpack_bomb(void **state)
{
	size_t n = MINIDEBUG_MAX + 1, packed_n, got_n;
	u8 *data = calloc(1, n), *packed = pack(data, n, &packed_n);
	struct source s = in_memory(packed, packed_n);

	(void)state;
	assert_null(minidebug_unpack(&s, &got_n));
	assert_int_equal(errno, EFBIG);
	free(packed);
	free(data);
}

/* ---- files ---------------------------------------------------------------------------- */

static int base_of(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(u64 *)arg = info->dlpi_addr;
	return 1;	/* the first is the program itself */
}

__attribute__((noinline)) void names_test_known_function(void)
{
	assert_true(random_state != 0);
}

static int copy_of_myself(void)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = memfd_create("copy", MFD_CLOEXEC);
	char buf[65536];
	ssize_t n;

	assert_true(from >= 0 && to >= 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		assert_int_equal(write(to, buf, (size_t)n), n);
	close(from);
	return to;
}

static void test_own_symbols(void **state)
{
	int fd = copy_of_myself();
	struct names *n = names_read(fd, -1);
	char text[SYMBOL_NAME_MAX];
	u64 base = 0, addr;

	(void)state;
	assert_non_null(n);
	dl_iterate_phdr(base_of, &base);
	addr = (u64)(uintptr_t)names_test_known_function - base;
	assert_true(names_find(n, addr + 1, text, sizeof(text)));
	assert_string_equal(text, "names_test_known_function");
	assert_false(names_find(n, 1, text, sizeof(text)));
	assert_false(names_find(n, UINT64_MAX, text, sizeof(text)));
	assert_int_equal(names_missing(n), MISSING_NOT_COVERED);
	assert_true(names_count(n) > 100);
	assert_true(names_bytes(n) / names_count(n) <= 16);
	assert_true(names_unchanged(n));
	/* written over, then cut off: said, and no SIGBUS */
	assert_int_equal(pwrite(fd, "x", 1, 4000), 1);
	assert_int_equal(ftruncate(fd, 5000), 0);
	assert_false(names_unchanged(n));
	assert_false(names_find(n, addr + 1, text, sizeof(text)));
	names_free(n);
	close(fd);
}

/* Cut off anywhere, and with bytes changed where the headers are. */
static void test_hostile_files(void **state)
{
	int fd = copy_of_myself();
	u64 size;
	struct stat st;

	(void)state;
	fstat(fd, &st);
	size = (u64)st.st_size;
	for (u32 i = 0; i < 60; i++) {
		int bad = memfd_create("bad", MFD_CLOEXEC);
		char text[SYMBOL_NAME_MAX];
		struct names *n;
		static char all[64u << 20];
		size_t keep = i % 3 ? size : size / 60 * i, got;

		assert_true(size < sizeof(all));
		got = (size_t)pread(fd, all, keep, 0);
		if (i % 3 && got > 64 * 64)
			for (u32 k = 0; k < i % 20; k++)
				all[i % 3 == 1 ? random_below(4096) : got - 1 - random_below(64 * 40)] =
					(char)(i & 1 ? random_below(256) : 0xff);
		assert_int_equal(write(bad, all, got), got);
		n = names_read(bad, i & 4 ? fd : -1);
		for (u64 addr = 0; n && addr < size; addr += size / 20)
			names_find(n, addr, text, sizeof(text));
		names_free(n);
		if (i % 10 == 0)
			debugfile_matches(bad, fd);
		close(bad);
	}
	close(fd);
}

static void test_debug_file(void **state)
{
	int fd = copy_of_myself(), other = open("/bin/true", O_RDONLY | O_CLOEXEC);
	int empty = memfd_create("empty", MFD_CLOEXEC);
	struct elf_file *f = elf_open(fd);
	u8 id[BUILD_ID_MAX];
	bool has = elf_build_id(f, id, sizeof(id)) > 0;

	(void)state;
	elf_close(f);
	assert_int_equal(debugfile_matches(fd, fd), has);
	assert_false(debugfile_matches(fd, other));
	assert_false(debugfile_matches(fd, empty));
	assert_false(debugfile_matches(empty, fd));
	assert_false(debugfile_matches(fd, -1));
	close(fd);
	close(other);
	close(empty);
}

static void test_demangle(void **state)
{
	static const char *const pairs[][2] = {
		{ "main", "main" }, { "memcpy@@GLIBC_2.14", "memcpy" }, { "@odd", "@odd" },
		{ "_ZN3foo3barEi@@V1", "foo::bar(int)" }, { "_Zbroken", "_Zbroken" },
		{ "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad" },
		{ "main.(*worker).burn", "main.(*worker).burn" },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(pairs); i++) {
		char *s = symbol_demangle(pairs[i][0]);

		assert_string_equal(s, pairs[i][1]);
		free(s);
	}
}

/* ---- where files are looked for --------------------------------------------------------- */

static void test_places(void **state)
{
	struct opener_job job = { .kind = OPEN_DEBUG, .build_id = "abcdef0123", .link = "x.debug",
				  .path = "/usr/bin/x (deleted)" };
	static const char *const want[DEBUG_PLACES] = {
		"/usr/lib/debug/.build-id/ab/cdef0123.debug", "/usr/lib/debug/.build-id/ab/cdef0123.debug",
		"/usr/bin/x.debug", "/usr/bin/.debug/x.debug", "/usr/lib/debug/usr/bin/x.debug",
	};
	static const char *const bad_links[] = { "", "../../etc/shadow", "/etc/shadow", ".", ".." };
	char path[256];
	bool own;

	(void)state;
	for (u32 i = 0; i < DEBUG_PLACES; i++) {
		assert_true(debug_place(&job, i, path, sizeof(path), &own));
		assert_string_equal(path, want[i]);
		assert_int_equal(own, i == 1);
	}
	assert_false(debug_place(&job, DEBUG_PLACES, path, sizeof(path), &own));
	assert_false(debug_place(&job, 4, path, 10, &own));
	for (u32 k = 0; k < ARRAY_SIZE(bad_links); k++) {
		snprintf(job.link, sizeof(job.link), "%s", bad_links[k]);
		for (u32 i = 2; i < DEBUG_PLACES; i++)
			assert_false(debug_place(&job, i, path, sizeof(path), &own));
	}
	job.build_id[0] = '\0';
	assert_false(debug_place(&job, 0, path, sizeof(path), &own));
}

static void test_places_of_dwz(void **state)
{
	struct opener_job job = { .kind = OPEN_SUP, .build_id = "abcdef0123",
				  .link = "../../.dwz/x86_64-linux-gnu/x.debug" };
	static const char *const bad_links[] = { "", "/etc/shadow", "/.dwz/../../etc/shadow" };
	char path[256];
	bool own;

	(void)state;
	for (u32 i = 0; i < SUP_PLACES; i++) {
		assert_true(debug_place(&job, i, path, sizeof(path), &own));
		assert_string_equal(path, i < 2 ? "/usr/lib/debug/.dwz/x86_64-linux-gnu/x.debug" :
				    "/usr/lib/debug/.build-id/ab/cdef0123.debug");
		assert_int_equal(own, i % 2);
	}
	assert_false(debug_place(&job, SUP_PLACES, path, sizeof(path), &own));
	for (u32 k = 0; k < ARRAY_SIZE(bad_links); k++) {
		snprintf(job.link, sizeof(job.link), "%s", bad_links[k]);
		assert_false(debug_place(&job, 0, path, sizeof(path), &own));
		assert_true(debug_place(&job, 2, path, sizeof(path), &own));
	}
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
		cmocka_unit_test(test_go), cmocka_unit_test(test_go_frames), cmocka_unit_test(test_go_hostile),
		cmocka_unit_test(test_go_doubtful), cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_grows), cmocka_unit_test(test_map_nonsense),
		cmocka_unit_test(test_map_long_line), cmocka_unit_test(test_map_overlaps),
		cmocka_unit_test(test_map_full), cmocka_unit_test(test_unpack),
		cmocka_unit_test(test_unpack_bomb), cmocka_unit_test(test_own_symbols),
		cmocka_unit_test(test_hostile_files), cmocka_unit_test(test_debug_file),
		cmocka_unit_test(test_demangle), cmocka_unit_test(test_places),
		cmocka_unit_test(test_places_of_dwz),
		cmocka_unit_test(test_open_map),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
