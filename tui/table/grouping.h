/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grouping.h: rows of any table added up by some of its columns. A view names its
 * groupings, and `b`, Enter on a group and what is in it come from here:
 *
 *	static const struct grouping groupings[] = {
 *		{ "process", { "pid", "start_time_ns" }, .counts = "path", .noun = "endpoint" },
 *	};
 *
 * A group is a row of the same table (bpf/model/sum.c says how columns add up) with the
 * same address from tick to tick, so that the cursor stays on it. It may be kept with
 * row_get(), as the context of a level of the breadcrumb is.
 */
#ifndef OTTOP_GROUPING_H
#define OTTOP_GROUPING_H

#include "bpf/model/snapshot.h"

struct app;
struct canvas;
struct table_row;
struct table_spec;

#define GROUP_FIELDS 4
#define GROUP_NAMES 4

struct grouping {
	const char *title;			/* "process": by what */
	const char *fields[GROUP_FIELDS];	/* members that are the same in a group */
	u64 (*number)(const struct row *r);	/* instead of the value of the first of them */
	void (*finish)(struct row *sum);	/* computes what does not add up (a share) */
	const char *counts, *noun;	/* a text that says "3 endpoints", and nothing of one is shown; or NULL */
	const char *names;		/* a text whose values are told apart: group_names() */
	const char *spread;		/* a number whose quantiles are asked for: group_spread() */
	const struct table_spec *spec;	/* columns and order; NULL: those of the table */
};

/* Those of one table, of all its groupings. Zeroed memory is none. */
struct groups {
	struct row **rows;
	u32 n, cap;
	u32 members;	/* of those made last: living rows in all of them */
	const struct row **added;	/* rows of the groups made last, one group after the other */
};

/*
 * Puts groups in place of the rows, in no order; returns their number. What has ended
 * before this tick (`past`) is in none; what ended in it is in the sums, but no member.
 */
u32 groups_make(struct groups *g, const struct grouping *by, struct table_row *rows, u32 n);
void groups_free(struct groups *g);

/* ---- of one group: rows with `sum` set, made by groups_make() ---------- */

const struct grouping *group_by(const struct row *sum);
bool group_has(const struct row *sum, const struct row *r);
u32 group_members(const struct row *sum);	/* that live */
/* The i-th row that was added up in it, in no order; NULL: no more. Valid as those given to groups_make(). */
const struct row *group_row(const struct groups *g, const struct row *sum, u32 i);
bool group_is_one(const struct row *sum);	/* of one row: all its values are that row's */
/* What the group is called: "nginx", "none" for a blank text, "port 443", "?". */
char *group_label(const struct row *sum, char *buf, size_t cap);
/* The i-th value told apart and how many members have it; NULL: no more (*ret_n: in all others). */
const char *group_name(const struct row *sum, u32 i, u32 *ret_n);
/* Median and 99th percentile over the members; U64_BLANK: nobody has one. */
u64 group_p50(const struct row *sum);
u64 group_p99(const struct row *sum);

/* Columns of a grouping's own spec: how many members live, and those two as durations. */
#define GROUP_COUNT(text) \
	{ NULL, .title = text, .width = 5, .priority = 1, .draw = group_draw_count, .number = group_number_count }
#define GROUP_P50 { NULL, .title = "p50", .width = 6, .priority = 2, .draw = group_draw_p50, .number = group_number_p50 }
#define GROUP_P99 { NULL, .title = "p99", .width = 6, .priority = 2, .draw = group_draw_p99, .number = group_number_p99 }
void group_draw_count(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr);
void group_draw_p50(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr);
void group_draw_p99(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr);
double group_number_count(const struct row *sum);
double group_number_p50(const struct row *sum);	/* -1: nobody has one */
double group_number_p99(const struct row *sum);

#endif
