// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Go's function table in its three layouts, whole, hostile and doubtful.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbolizer/pclntab.h"
#include "tests/unit/name_source.h"

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
		struct pclntab *t;
		char text[64];
		u32 line;

		go_image(&g, magics[v]);
		t = pclntab_of(in_memory(g.bytes, g.n), TEXT);
		assert_non_null(t);
		assert_int_equal(pclntab_count(t), N_FUNCS);
		assert_true(pclntab_find(t, TEXT, text, sizeof(text)));
		assert_string_equal(text, "main.f0");
		assert_true(pclntab_find(t, TEXT + 2 * FUNC_SIZE - 1, text, sizeof(text)));
		assert_string_equal(text, "main.f1");
		assert_true(pclntab_find(t, TEXT + 3 * FUNC_SIZE - 1, text, sizeof(text)));
		assert_string_equal(text, "main.f2");
		assert_false(pclntab_find(t, TEXT - 1, text, sizeof(text)));
		assert_false(pclntab_find(t, TEXT + 3 * FUNC_SIZE, text, sizeof(text)));
		assert_false(pclntab_find(t, UINT64_MAX, text, sizeof(text)));
		assert_true(pclntab_line(t, TEXT + FUNC_SIZE + 0x3f, text, sizeof(text), &line));
		assert_string_equal(text, "b.go");
		assert_int_equal(line, 10);
		assert_true(pclntab_line(t, TEXT + 0x40, text, sizeof(text), &line));
		assert_string_equal(text, "a.go");
		assert_int_equal(line, 12);
		pclntab_free(t);
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
		struct pclntab *t;
		struct cfi_row *rows;
		u32 n = 0;

		go_image(&g, magics[v]);
		t = pclntab_of(in_memory(g.bytes, g.n), TEXT);
		rows = pclntab_rows(t, &n);
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
		pclntab_free(t);
	}
}

static void ask_all(const struct go_image *g, size_t n)
{
	/* of exactly that size: reading past it is seen by the address sanitizer */
	u8 *copy = malloc(n ? n : 1);
	struct pclntab *t;
	char text[64];
	u32 line;

	memcpy(copy, g->bytes, n);
	t = pclntab_of(in_memory(copy, n), TEXT);
	for (u64 addr = TEXT - 1; t && addr < TEXT + 4 * FUNC_SIZE; addr += 17) {
		pclntab_find(t, addr, text, sizeof(text));
		pclntab_line(t, addr, text, sizeof(text), &line);
	}
	if (t)
		free(pclntab_rows(t, &line));
	pclntab_free(t);
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

/* An entry contradicted by its own description gives no name. */
static void test_go_doubtful(void **state)
{
	struct go_image g;
	struct pclntab *t;
	char text[64];

	(void)state;
	go_image(&g, 0xfffffff1);
	t = pclntab_of(in_memory(g.bytes, g.n), TEXT);
	assert_true(pclntab_find(t, TEXT + FUNC_SIZE, text, sizeof(text)));
	for (size_t at = 0; at + 4 <= g.n; at += 4) {	/* the second function's own start */
		u32 v;

		memcpy(&v, g.bytes + at, 4);
		if (v == 9 && at > 4) {	/* its name: the start stands before it */
			g.bytes[at - 4] ^= 1;
			break;
		}
	}
	assert_false(pclntab_find(t, TEXT + FUNC_SIZE, text, sizeof(text)));
	pclntab_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_go),
		cmocka_unit_test(test_go_frames),
		cmocka_unit_test(test_go_hostile),
		cmocka_unit_test(test_go_doubtful),
	};

	return cmocka_run_group_tests_name("pclntab", tests, NULL, NULL);
}
