// SPDX-License-Identifier: GPL-2.0-or-later
/* cfi_order.c: sorts rows by address, and applies fixes that need it. */
#include <stdlib.h>
#include <string.h>

#include "symbolizer/ehframe.h"

#define REG_BX 3
#define CLONE_GAP 32	/* bytes of code from the system call to the child's code */

static int by_run(const void *a, const void *b)
{
	const struct cfi_run *x = a, *y = b;

	return cmp(x->pc, y->pc) ?: cmp(x->first, y->first);
}

static int by_pc(const void *a, const void *b)
{
	const struct cfi_row *x = a, *y = b;

	/* one function may start where another ends: a row with information sorts last */
	return cmp(x->pc, y->pc) ?: cmp(x->info.cfa != UNW_CFA_NONE, y->info.cfa != UNW_CFA_NONE);
}

/* rbx is only needed in files with a CFA based on rbx. */
static void drop_bx(struct cfi_row *rows, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (rows[i].info.cfa == UNW_CFA_REG && rows[i].info.reg == REG_BX)
			return;
	for (u32 i = 0; i < n; i++)
		rows[i].info.bx = rows[i].info.bx_off = 0;
}

/* During rt_sigreturn the pc is after the last instruction, outside the FDE. */
static void extend_signal_frames(struct cfi_row *rows, u32 n)
{
	for (u32 i = 1; i < n; i++)
		if (rows[i - 1].info.cfa == UNW_CFA_SIGNAL && rows[i].info.cfa == UNW_CFA_NONE &&
		    (i + 1 == n || rows[i + 1].pc > rows[i].pc + 1))
			rows[i].pc++;
}

/*
 * glibc's clone and clone3 end their FDE at the system call for the child; the parent has a caller.
 */
static void fill_clone_gaps(struct cfi_row *rows, u32 n)
{
	for (u32 i = 1; i + 1 < n; i++)
		if (rows[i].info.cfa == UNW_CFA_NONE && rows[i - 1].info.cfa == UNW_CFA_SP &&
		    rows[i + 1].info.cfa == UNW_CFA_END && rows[i + 1].pc - rows[i].pc <= CLONE_GAP)
			rows[i].info = (struct unw_info){ .cfa = UNW_CFA_CLONE,
							  .cfa_off = rows[i - 1].info.cfa_off };
}

static u32 drop_repeats(struct cfi_row *rows, u32 n)
{
	u32 out = 0;

	for (u32 i = 0; i < n; i++) {
		if (out && rows[out - 1].pc == rows[i].pc)
			out--;
		if (out && !memcmp(&rows[out - 1].info, &rows[i].info, sizeof(rows[i].info)))
			continue;
		rows[out++] = rows[i];
	}
	return out;
}

static bool is_sorted(const struct cfi_row *rows, u32 n)
{
	for (u32 i = 1; i < n; i++)
		if (by_pc(&rows[i - 1], &rows[i]) > 0)
			return false;
	return true;
}

static bool runs_sorted(const struct cfi_run *runs, u32 n)
{
	for (u32 i = 1; i < n; i++)
		if (by_run(&runs[i - 1], &runs[i]) > 0)
			return false;
	return true;
}

/* Functions do not overlap in a sane file, so whole runs are moved. */
static struct cfi_row *sort_runs(struct cfi_row *rows, u32 n, struct cfi_run *runs, u32 n_runs)
{
	struct cfi_row *out;
	u32 at = 0;

	if (runs_sorted(runs, n_runs))
		return rows;
	out = xcalloc(n, sizeof(*out));
	qsort(runs, n_runs, sizeof(*runs), by_run);
	for (u32 i = 0; i < n_runs; at += runs[i++].n)
		memcpy(&out[at], &rows[runs[i].first], runs[i].n * sizeof(*out));
	free(rows);
	return out;
}

static struct cfi_row *sort(struct cfi_row *rows, u32 n, struct cfi_run *runs, u32 n_runs)
{
	rows = sort_runs(rows, n, runs, n_runs);
	if (!is_sorted(rows, n))
		qsort(rows, n, sizeof(*rows), by_pc);
	return rows;
}

struct cfi_row *cfi_order(struct cfi_row *rows, u32 *n, struct cfi_run *runs, u32 n_runs)
{
	drop_bx(rows, *n);
	rows = sort(rows, *n, runs, n_runs);
	*n = drop_repeats(rows, *n);
	extend_signal_frames(rows, *n);
	fill_clone_gaps(rows, *n);
	return rows;
}
