// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_cfi_order.c: rows of functions in any order are sorted as if all rows were sorted at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbolizer/ehframe.h"

#define MAX_ROWS 64

static struct cfi_row *rows;
static struct cfi_run runs[MAX_ROWS];
static u32 n_rows, n_runs;

static void begin(void)
{
	rows = xcalloc(MAX_ROWS, sizeof(*rows));
	n_rows = n_runs = 0;
}

/* A function with a row each so many bytes, and the end of it. */
static void add(u64 pc, u32 n, u32 step, u8 cfa, s32 off)
{
	runs[n_runs++] = (struct cfi_run){ .pc = pc, .first = n_rows, .n = n + 1 };
	for (u32 i = 0; i < n; i++)
		rows[n_rows++] = (struct cfi_row){ pc + i * step, { .cfa = cfa, .cfa_off = off + (s32)i } };
	rows[n_rows++] = (struct cfi_row){ pc + n * step, { .cfa = UNW_CFA_NONE } };
}

static void expect(u32 i, u64 pc, u8 cfa, s32 off)
{
	assert_in_range(i, 0, n_rows - 1);
	assert_int_equal(rows[i].pc, pc);
	assert_int_equal(rows[i].info.cfa, cfa);
	assert_int_equal(rows[i].info.cfa_off, off);
}

static void order(void)
{
	rows = cfi_order(rows, &n_rows, runs, n_runs);
	for (u32 i = 1; i < n_rows; i++)
		assert_true(rows[i - 1].pc < rows[i].pc);
}

static void functions_come_in_order(void **state)
{
	(void)state;
	begin();
	add(0x300, 2, 4, UNW_CFA_SP, 8);
	add(0x100, 2, 4, UNW_CFA_SP, 8);
	add(0x108, 1, 4, UNW_CFA_FP, 16);	/* where the one before ends */
	order();
	assert_int_equal(n_rows, 7);
	expect(0, 0x100, UNW_CFA_SP, 8);
	expect(1, 0x104, UNW_CFA_SP, 9);
	expect(2, 0x108, UNW_CFA_FP, 16);	/* not the end */
	expect(3, 0x10c, UNW_CFA_NONE, 0);
	expect(4, 0x300, UNW_CFA_SP, 8);
	free(rows);
}

/* Broken or hostile: a function starts within another, or twice. */
static void functions_that_overlap_are_sorted_row_by_row(void **state)
{
	(void)state;
	begin();
	add(0x108, 3, 0x10, UNW_CFA_FP, 100);	/* 108 118 128, 138 */
	add(0x100, 4, 0x10, UNW_CFA_SP, 8);	/* 100 110 120 130, 140 */
	add(0x108, 1, 0x10, UNW_CFA_FP, 100);
	order();
	expect(0, 0x100, UNW_CFA_SP, 8);
	expect(1, 0x108, UNW_CFA_FP, 100);
	expect(2, 0x110, UNW_CFA_SP, 9);
	expect(3, 0x118, UNW_CFA_FP, 101);
	expect(n_rows - 1, 0x138, UNW_CFA_NONE, 0);	/* and the same at 140 */
	free(rows);
}

static void repeats_and_gaps(void **state)
{
	(void)state;
	begin();
	add(0x400, 1, 4, UNW_CFA_SIGNAL, 0);
	add(0x210, 1, 4, UNW_CFA_END, 0);	/* the child's part of clone() */
	add(0x200, 1, 8, UNW_CFA_SP, 24);	/* up to its system call */
	add(0x100, 1, 4, UNW_CFA_SP, 8);
	add(0x104, 1, 4, UNW_CFA_SP, 8);	/* says the same */
	order();
	assert_int_equal(n_rows, 8);
	expect(0, 0x100, UNW_CFA_SP, 8);
	expect(1, 0x108, UNW_CFA_NONE, 0);
	expect(3, 0x208, UNW_CFA_CLONE, 24);
	expect(4, 0x210, UNW_CFA_END, 0);
	expect(6, 0x400, UNW_CFA_SIGNAL, 0);
	expect(7, 0x405, UNW_CFA_NONE, 0);	/* one byte on: see extend_signal_frames() */
	free(rows);
}

/* rbx is kept in files that use it for a CFA, and only there. */
static void rbx_is_kept_where_it_is_needed(void **state)
{
	(void)state;
	for (u8 reg = 2; reg <= 3; reg++) {
		begin();
		add(0x200, 1, 4, UNW_CFA_REG, 8);
		rows[0].info.reg = reg;
		add(0x100, 1, 4, UNW_CFA_SP, 8);
		rows[2].info.bx = UNW_BX_SAME;
		order();
		assert_int_equal(rows[0].info.bx, reg == 3 ? UNW_BX_SAME : UNW_BX_LOST);
		free(rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_come_in_order),
		cmocka_unit_test(functions_that_overlap_are_sorted_row_by_row),
		cmocka_unit_test(repeats_and_gaps),
		cmocka_unit_test(rbx_is_kept_where_it_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
