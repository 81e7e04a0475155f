/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grouping.h: aggregates rows of any table by some of its columns. A view declares its
 * groupings; `b`, Enter on a group and the member list are provided here:
 *
 *	static const struct grouping groupings[] = {
 *		{ "process", { "pid", "start_time_ns" }, .counts = "path", .noun = "endpoint" },
 *	};
 *
 * A group is a row of the same table (bpf/model/sum.c defines how columns add up), with the
 * same address from tick to tick, so that the cursor stays on it. It may be kept with
 * row_get(), as the context of a breadcrumb level is.
 */
#pragma once

#include "bpf/model/snapshot.h"

struct app;
struct canvas;
struct table_row;
struct table_spec;

#define GROUP_FIELDS 4
#define GROUP_NAMES 4

struct grouping {
	const char *title;			/* "process": the criterion */
	const char *fields[GROUP_FIELDS];	/* members equal within a group */
	u64 (*number)(const struct row *r);	/* replaces the value of the first of them */
	void (*finish)(struct row *sum);	/* computes what cannot be summed (a share) */
	const char *counts, *noun;	/* a text shown as "3 endpoints"; or NULL */
	const char *names;		/* a text member to enumerate: group_names() */
	const char *spread;		/* a number to compute quantiles of: group_spread() */
	const struct table_spec *spec;	/* columns and order; NULL: the table's */
};

/* The groups of one table, for all groupings. Zero-initialized: empty. */
struct groups {
	struct row **rows;
	u32 n, cap;
	u32 members;	/* live rows in the groups made last */
	const struct row **added;	/* rows of the groups made last, group by group */
};

/*
 * Replaces rows by unsorted groups; returns their number. Rows that ended before (`past`) are left
 * out; those that ended in this tick are in the sums, but no members.
 */
u32 groups_make(struct groups *g, const struct grouping *by, struct table_row *rows, u32 n);
void groups_free(struct groups *g);

/* ---- a single group: rows with `sum` set, made by groups_make() --------- */

const struct grouping *group_by(const struct row *sum);
bool group_has(const struct row *sum, const struct row *r);
u32 group_members(const struct row *sum);	/* live ones */
/* The i-th row of the group, unordered, or NULL; valid as long as groups_make()'s rows. */
const struct row *group_row(const struct groups *g, const struct row *sum, u32 i);
bool group_is_one(const struct row *sum);	/* of a single row, so all values are that row's */
/* The group's label: "nginx", "none" for a blank text, "port 443", "?". Returns buf. */
char *group_label(const struct row *sum, char *buf, size_t cap);
/* The i-th enumerated value and its number of members; NULL: the end (*ret_n: in all others). */
const char *group_name(const struct row *sum, u32 i, u32 *ret_n);
/* Median and 99th percentile over the members; U64_BLANK: no values. */
u64 group_p50(const struct row *sum);
u64 group_p99(const struct row *sum);

/* Columns for a grouping's own spec: live members, and the quantiles as durations. */
#define GROUP_COUNT(text) \
	{ NULL, .title = text, .width = 5, .priority = 1, .draw = group_draw_count, .number = group_number_count }
#define GROUP_P50 { NULL, .title = "p50", .width = 6, .priority = 2, .draw = group_draw_p50, .number = group_number_p50 }
#define GROUP_P99 { NULL, .title = "p99", .width = 6, .priority = 2, .draw = group_draw_p99, .number = group_number_p99 }
void group_draw_count(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr);
void group_draw_p50(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr);
void group_draw_p99(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr);
double group_number_count(const struct row *sum);
double group_number_p50(const struct row *sum);	/* -1: no values */
double group_number_p99(const struct row *sum);
