// SPDX-License-Identifier: GPL-2.0-or-later
/* card_lists.c: the threads of a process with their current calls, and the process's calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/table/waits_text.h"
#include "tui/term/graph.h"
#include "tui/views/card.h"

#define MAX_LINES 128
#define MAX_STATES 6
#define CALL_MAX 80		/* columns of "IN CALL    FOR" */

/* ---- threads ---------------------------------------------------------------------- */

static bool collected(const struct table *t)
{
	return t->status == TS_OK || t->status == TS_PARTIAL;
}

static char state_of(const struct threads_row *t)
{
	return t->state && *t->state ? *t->state : '?';
}

/* Blocked first, then busy, then waiting for a CPU. */
static int cmp_threads(const void *pa, const void *pb)
{
	const struct threads_row *a = *(const struct threads_row *const *)pa;
	const struct threads_row *b = *(const struct threads_row *const *)pb;
	float x = f32_known(a->cpu_pct) ? a->cpu_pct : 0, y = f32_known(b->cpu_pct) ? b->cpu_pct : 0;

	return cmp(state_of(b) == 'D', state_of(a) == 'D') ?: cmp(y, x) ?: cmp(a->tid, b->tid);
}

/* The process's threads (free() them); none while the table is another process's. */
static const struct threads_row **find_threads(const struct snapshot *s,
					       const struct processes_row *p, u32 *ret_n)
{
	const struct table *t = &s->tables[TABLE_threads];
	const struct threads_row **rows = xcalloc(t->n + 1, sizeof(*rows));

	*ret_n = 0;
	for (u32 i = 0; i < t->n; i++)
		if (threads_row(t->rows[i])->pid == p->pid)
			rows[(*ret_n)++] = threads_row(t->rows[i]);
	qsort(rows, *ret_n, sizeof(*rows), cmp_threads);
	return rows;
}

static bool in_call(const struct threads_row *t)
{
	return t->syscall && *t->syscall;
}

static void thread_title(struct canvas *c, struct rect r, bool wide)
{
	int row = r.row + 1, col = r.col, end = r.col + r.cols;

	canvas_right(c, row, col + 1, 7, ROLE_dim, "TID");
	canvas_text(c, row, col + 9, -1, ROLE_dim, "NAME");
	col += wide ? 25 : 18;
	canvas_text(c, row, col, 1, ROLE_dim, "S");
	canvas_right(c, row, col + 2, 5, ROLE_dim, "CPU%");
	if (wide) {
		canvas_right(c, row, col + 8, 5, ROLE_dim, "RUNQ%");
		canvas_right(c, row, col + 14, 5, ROLE_dim, "BLK%");
		canvas_right(c, row, col + 20, 4, ROLE_dim, "CPU");
		col += 17;
	}
	end = min(end, col + 8 + CALL_MAX);
	canvas_text(c, row, col + 8, -1, ROLE_dim, "IN CALL");
	canvas_right(c, row, end - 7, 6, ROLE_dim, "FOR");
}

/* "read fd 3: pipe from bash 611" */
static void draw_what(struct canvas *c, int row, int col, int width, u32 style, const char *call,
		      const char *waits_on)
{
	int x = canvas_cut(c, row, col, width, style, call ? call : "?");

	if (waits_on && *waits_on && x + 1 < width)
		waits_draw(c, row, col + x + 1, width - x - 1, style, waits_after(call, waits_on));
}

static void thread_line(struct canvas *c, struct rect r, const struct threads_row *t, bool wide)
{
	u32 style = state_of(t) == 'D' ? ROLE_warn : ROLE_text;
	int col = r.col, end = r.col + r.cols;
	char buf[FORMAT_MAX];

	canvas_right(c, r.row, col + 1, 7, style, format_member(buf, &t->row, "tid", NULL));
	canvas_cut(c, r.row, col + 9, wide ? 15 : 8, style, t->comm ? t->comm : "?");
	col += wide ? 25 : 18;
	canvas_printf(c, r.row, col, 1, style, "%c", state_of(t));
	canvas_right(c, r.row, col + 2, 5, style, format_member(buf, &t->row, "cpu_pct", NULL));
	if (wide) {
		canvas_right(c, r.row, col + 8, 5, style,
			     format_member(buf, &t->row, "runq_wait_pct", NULL));
		canvas_right(c, r.row, col + 14, 5, style,
			     format_member(buf, &t->row, "blocked_pct", NULL));
		canvas_right(c, r.row, col + 20, 4, style,
			     format_member(buf, &t->row, "last_cpu", NULL));
		col += 17;
	}
	if (t->syscall && !in_call(t))
		return;
	end = min(end, col + 8 + CALL_MAX);
	draw_what(c, r.row, col + 8, end - col - 16, style, t->syscall, t->waits_on);
	canvas_right(c, r.row, end - 7, 6, style, format_member(buf, &t->row, "in_call_ns", NULL));
}

void card_draw_threads(struct app *a, struct card *k, struct canvas *c, struct rect r,
		       const struct processes_row *p)
{
	const struct snapshot *s = app_snapshot(a);
	const struct threads_row **rows;
	char title[64];
	bool wide = r.cols >= 80;
	u32 n;

	rows = find_threads(s, p, &n);
	snprintf(title, sizeof(title), "%u thread%s", n, text_plural(n, "s"));
	canvas_rule(c, r.row, r.col, r.cols, n ? title : "threads");
	if (!n)
		canvas_text(c, r.row + 1, r.col + 1, r.cols - 1, ROLE_dim,
			    p->row.closed ? "it has ended" : app_missing(a));
	else
		thread_title(c, r, wide);
	for (u32 i = 0; i < min(n, (u32)MAX_LINES) && (int)i + 2 < r.rows; i++) {
		struct rect at = { r.row + 2 + (int)i, r.col, 1, r.cols };

		thread_line(c, at, rows[i], wide);
		card_add_door(k, DOOR_THREAD, at, &rows[i]->row);
	}
	free(rows);
}

/* ---- current calls ------------------------------------------------------------------- */

struct doing {
	const char *what;	/* name of the call, or NULL: none */
	u32 threads;
	u64 longest_ns;
	bool blocked, running;
};

static u32 count_doing(const struct threads_row **rows, u32 n, struct doing doing[MAX_STATES])
{
	u32 kinds = 0;

	for (u32 i = 0; i < n; i++) {
		const char *what = in_call(rows[i]) ? rows[i]->syscall : NULL;
		u32 d = 0;

		while (d < kinds && !text_same(doing[d].what, what))
			d++;
		if (d == MAX_STATES)
			continue;
		if (d == kinds)
			doing[kinds++] = (struct doing){ .what = what };
		doing[d].threads++;
		doing[d].blocked |= state_of(rows[i]) == 'D';
		doing[d].running |= state_of(rows[i]) == 'R';
		if (what && u64_known(rows[i]->in_call_ns))
			doing[d].longest_ns = max(doing[d].longest_ns, rows[i]->in_call_ns);
	}
	return kinds;
}

/* What its only thread waits on, or the one longest in a call that is no wait by design. */
static void draw_waits_on(struct canvas *c, int row, int col, int end, const struct threads_row **rows,
			  u32 n, const struct processes_row *p)
{
	const char *call = n == 1 ? rows[0]->syscall : p->in_call;
	const char *waits_on = n == 1 ? rows[0]->waits_on : p->waits_on;

	if (!n || !waits_on || !*waits_on || col >= end)
		return;
	if (n > 1)
		col += canvas_printf(c, row, col, end - col, ROLE_text, "; %s", call ? call : "?");
	col += canvas_text(c, row, col, end - col, ROLE_text, ": ");
	waits_draw(c, row, col, end - col, ROLE_text, waits_after(call, waits_on));
}

void card_draw_now(struct app *a, struct canvas *c, struct rect *r, const struct processes_row *p)
{
	const struct threads_row **rows;
	struct doing doing[MAX_STATES];
	int row = r->row++, col = r->col, end = r->col + r->cols;
	char age[FORMAT_MAX];
	u32 n, kinds;

	r->rows--;
	col += canvas_text(c, row, col, -1, ROLE_dim, "now ");
	rows = find_threads(app_snapshot(a), p, &n);
	kinds = count_doing(rows, n, doing);
	if (!n)
		canvas_printf(c, row, col, end - col, ROLE_dim, " %s", app_missing(a));
	for (u32 i = 0; i < kinds && col < end; i++) {
		const struct doing *d = &doing[i];
		u32 style = d->blocked ? ROLE_warn : ROLE_text;

		col += canvas_printf(c, row, col, end - col, style, i ? ", " : " ");
		if (n > 1)
			col += canvas_printf(c, row, col, end - col, style, "%u ", d->threads);
		if (!d->what)
			col += canvas_text(c, row, col, end - col, style,
					   d->running ? "running" : "in no call");
		else if (d->longest_ns)
			col += canvas_printf(c, row, col, end - col, style, "in %s for %s", d->what,
					     format_ns(age, (double)d->longest_ns));
		else
			col += canvas_printf(c, row, col, end - col, style, "in %s", d->what);
		if (d->blocked)
			col += canvas_text(c, row, col, end - col, style, " (D)");
	}
	draw_waits_on(c, row, col, end, rows, n, p);
	free(rows);
}

/* ---- calls ----------------------------------------------------------------------------- */

/* By time inside; calls that wait by design come last. */
static int cmp_calls(const void *pa, const void *pb)
{
	const struct syscalls_row *a = *(const struct syscalls_row *const *)pa;
	const struct syscalls_row *b = *(const struct syscalls_row *const *)pb;
	float x = f32_known(a->time_rate) ? a->time_rate : 0;
	float y = f32_known(b->time_rate) ? b->time_rate : 0;

	return cmp(a->waits == 1, b->waits == 1) ?: cmp(y, x) ?: cmp(a->nr, b->nr);
}

/* Calls made in this interval, or still in flight. */
static u32 active_calls(const struct table *t, u32 first, u32 end, const struct row **rows)
{
	u32 n = 0;

	for (u32 i = first; i < end; i++) {
		const struct syscalls_row *r = syscalls_row(t->rows[i]);

		if (r->rate > 0 || (u64_known(r->in_flight) && r->in_flight))
			rows[n++] = t->rows[i];
	}
	return n;
}

static void call_line(struct canvas *c, struct rect r, const struct syscalls_row *t)
{
	u32 style = t->waits == 1 ? ROLE_dim : ROLE_text;
	bool wide = r.cols >= 80;
	int col = r.col;
	char buf[FORMAT_MAX];

	canvas_cut(c, r.row, col + 1, wide ? 18 : 12, style, t->syscall ? t->syscall : "?");
	col += wide ? 20 : 13;
	canvas_right(c, r.row, col, 7, style, format_member(buf, &t->row, "rate", NULL));
	canvas_text(c, r.row, col + 7, 2, ROLE_dim, "/s");
	col += 9;
	if (wide) {
		canvas_right(c, r.row, col + 1, 8, style,
			     format_member(buf, &t->row, "time_rate", NULL));
		canvas_text(c, r.row, col + 9, 2, ROLE_dim, "/s");
		col += 11;
	}
	canvas_text(c, r.row, col + 2, 3, ROLE_dim, "p99");
	canvas_right(c, r.row, col + 6, 6, style, format_member(buf, &t->row, "p99_ns", NULL));
	if (!wide)
		return;
	canvas_text(c, r.row, col + 14, 3, ROLE_dim, "max");
	canvas_right(c, r.row, col + 18, 6, style, format_member(buf, &t->row, "max_ns", NULL));
	graph_hist_row(c, r.row, col + 26, min(r.cols - (col - r.col) - 27, 32), t->hist_tick);
}

#define NONE "none in this interval"

static void calls_missing(struct app *a, struct card *k, struct canvas *c, struct rect r,
			  const struct table *t, bool ended)
{
	struct rect at = { r.row + 1, r.col, 1, r.cols };
	char text[160];

	if (t->status == TS_BLOCKED)
		snprintf(text, sizeof(text), "blocked: %s", t->reason ? t->reason : "?");
	else if (t->status == TS_STARTING)
		snprintf(text, sizeof(text), "starting");
	else if (ended)
		snprintf(text, sizeof(text), "were not collected when it ended");
	else
		snprintf(text, sizeof(text), "%s", app_live(a) ? "off: press 7" : app_missing(a));
	canvas_cut(c, at.row, at.col + 1, at.cols - 1, ROLE_dim, text);
	card_add_door(k, DOOR_SYSCALLS, at, NULL);
}

void card_draw_calls(struct app *a, struct card *k, struct canvas *c, struct rect r,
		     const struct processes_row *p)
{
	const struct snapshot *s = app_process_snapshot(a);	/* the last calls, if it has ended */
	const struct table *t = &s->tables[TABLE_syscalls];
	const struct row **rows;
	u32 first, end, n;
	char none[160];

	canvas_rule(c, r.row, r.col, r.cols, "7 syscalls, by time inside");
	if (!collected(t)) {
		calls_missing(a, k, c, r, t, p->row.closed);
		return;
	}
	snapshot_process_rows(s, TABLE_syscalls, p->pid, p->start_time_ns, &first, &end);
	rows = xcalloc(end - first + 1, sizeof(*rows));
	n = active_calls(t, first, end, rows);
	if (!n)
		canvas_cut(c, r.row + 1, r.col + 1, r.cols - 1, ROLE_dim,
			   p->row.closed ? NONE : app_none(a, TABLE_syscalls, p->pid, NONE, none, sizeof(none)));
	qsort(rows, n, sizeof(*rows), cmp_calls);
	for (u32 i = 0; i < min(n, (u32)MAX_LINES) && (int)i + 1 < r.rows; i++) {
		struct rect at = { r.row + 1 + (int)i, r.col, 1, r.cols };

		call_line(c, at, syscalls_row(rows[i]));
		card_add_door(k, DOOR_CALL, at, rows[i]);
	}
	free(rows);
}
