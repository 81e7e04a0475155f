// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * processes_preview.c: the selected process's time, calls and identity, from data collected anyway.
 */
#include <stdio.h>

#include "tui/views/peers.h"
#include "tui/views/processes.h"

#define TOP 8		/* maximum rows of a part */
#define TIME_COLS 52
#define CALLS_COLS 62
#define PEERS_COLS 38

/* ---- time ---------------------------------------------------------------------------- */

static void time_line(struct canvas *c, int row, int col, const char *name, float pct, float top, u32 style)
{
	char text[FORMAT_MAX];

	canvas_text(c, row, col + 1, 14, ROLE_text, name);
	if (!f32_known(pct)) {
		canvas_right(c, row, col + TIME_COLS - 10, 7, ROLE_dim, "?");
		return;
	}
	graph_bar(c, row, col + 16, TIME_COLS - 27, style, (double)pct, (double)top);
	canvas_right(c, row, col + TIME_COLS - 10, 7, pct > 0 ? ROLE_text : ROLE_dim,
		     format_pct(text, (double)pct));
	canvas_text(c, row, col + TIME_COLS - 2, 1, ROLE_dim, "%");
}

static void draw_time(struct canvas *c, struct rect r, const struct processes_row *p)
{
	float top = 100;
	const float values[] = { p->user_pct, p->system_pct, p->runq_wait_pct, p->blocked_pct };
	static const char *const names[] = { "on CPU user", "on CPU kernel", "run queue", "blocked (D)" };

	for (u32 i = 0; i < ARRAY_SIZE(values); i++)
		if (f32_known(values[i]))
			top = max(top, values[i]);
	for (int i = 0; i < (int)ARRAY_SIZE(values); i++)
		time_line(c, r.row + 1 + i, r.col, names[i], values[i], top,
			  i >= 2 ? ROLE_warn : ROLE_accent);
}

/* ---- calls ------------------------------------------------------------------------------ */

static u32 top_calls(const struct snapshot *s, const struct processes_row *p,
		     const struct syscalls_row *best[TOP])
{
	const struct table *t = &s->tables[TABLE_syscalls];
	u32 first, end, n = 0;

	snapshot_process_rows(s, TABLE_syscalls, p->pid, p->start_time_ns, &first, &end);
	for (u32 i = first; i < end; i++) {
		const struct syscalls_row *r = syscalls_row(t->rows[i]);
		u32 at;

		if (!f32_known(r->rate) || r->rate <= 0 || (n == TOP && r->rate <= best[n - 1]->rate))
			continue;
		for (at = min(n, (u32)TOP - 1); at > 0 && best[at - 1]->rate < r->rate; at--)
			best[at] = best[at - 1];
		best[at] = r;
		n = min(n + 1, (u32)TOP);
	}
	return n;
}

static void call_line(struct canvas *c, int row, int col, const struct syscalls_row *r)
{
	char rate[FORMAT_MAX], time[FORMAT_MAX], p99[FORMAT_MAX];

	canvas_cut(c, row, col + 1, 18, ROLE_text, r->syscall ? r->syscall : "?");
	canvas_right(c, row, col + 20, 6, ROLE_text, format_member(rate, &r->row, "rate", NULL));
	canvas_text(c, row, col + 26, 2, ROLE_dim, "/s");
	canvas_right(c, row, col + 30, 7, ROLE_text, format_member(time, &r->row, "time_rate", NULL));
	canvas_text(c, row, col + 37, 2, ROLE_dim, "/s");
	canvas_text(c, row, col + 42, 3, ROLE_dim, "p99");
	canvas_right(c, row, col + 46, 7, ROLE_text, format_member(p99, &r->row, "p99_ns", NULL));
}

static void draw_calls(struct app *a, struct canvas *c, struct rect r, const struct processes_row *p)
{
	const struct snapshot *s = app_snapshot(a);
	const struct table *t = &s->tables[TABLE_syscalls];
	const struct syscalls_row *best[TOP];
	char none[160];
	u32 n;

	if (t->status == TS_OFF || t->status == TS_STARTING || t->status == TS_BLOCKED) {
		canvas_printf(c, r.row + 1, r.col + 1, r.cols - 2, ROLE_dim,
			      t->status == TS_BLOCKED ? "blocked: %s" :
			      app_live(a) ? "not collected per call now: press 7" :
			      app_replaying(a) ? "not recorded per call" : "not collected per call then",
			      t->reason ? t->reason : "");
		return;
	}
	n = top_calls(s, p, best);
	for (u32 i = 0; i < n; i++)
		call_line(c, r.row + 1 + (int)i, r.col, best[i]);
	if (!n)
		canvas_cut(c, r.row + 1, r.col + 1, r.cols - 2, ROLE_dim,
			   app_none(a, TABLE_syscalls, p->pid, "no call in this interval", none, sizeof(none)));
}

/* ---- identity ----------------------------------------------------------------------------- */

static void fact(struct canvas *c, struct rect r, int *row, const char *name, const char *text)
{
	if (!text || !*text || *row >= r.rows)
		return;
	canvas_text(c, r.row + *row, r.col + 1, 10, ROLE_dim, name);
	canvas_cut(c, r.row + *row, r.col + 12, r.cols - 13, ROLE_text, text);
	++*row;
}

static void draw_who(struct app *a, struct canvas *c, struct rect r, const struct processes_row *p)
{
	const struct snapshot *s = app_snapshot(a);
	const struct processes_row *parent = snapshot_process(s, p->ppid, 0);
	char text[160], b1[FORMAT_MAX], b2[FORMAT_MAX];
	int row = 1;

	fact(c, r, &row, "command", p->cmdline && *p->cmdline ? p->cmdline : p->comm);
	if (parent) {
		snprintf(text, sizeof(text), "%s %llu", parent->comm ? parent->comm : "?",
			 (unsigned long long)parent->pid);
		fact(c, r, &row, "parent", text);
	}
	snprintf(text, sizeof(text), "%s, %s thread%s, %s old", p->user ? p->user : "?",
		 format_member(b1, &p->row, "threads", NULL), text_plural(p->threads, "s"),
		 format_age(b2, s->time_ns - min(p->start_time_ns, s->time_ns)));
	fact(c, r, &row, "user", text);
	fact(c, r, &row, "container", p->container);
	fact(c, r, &row, "unit", p->unit);
	fact(c, r, &row, "cgroup", p->cgroup);
	snprintf(text, sizeof(text), "%s, CPU time %s", format_member(b1, &p->row, "rss_bytes", NULL),
		 format_member(b2, &p->row, "cpu_ns", NULL));
	fact(c, r, &row, "memory", text);
}

void preview_draw(struct app *a, struct canvas *c, struct rect r, const struct processes_row *p)
{
	struct rect calls = { r.row, r.col + TIME_COLS + 1, r.rows, CALLS_COLS - 6 };
	struct rect who = { r.row, calls.col + calls.cols + 1, r.rows, 0 };
	char title[96];

	who.cols = r.col + r.cols - who.col;
	snprintf(title, sizeof(title), "%llu %s ─ where its time went", (unsigned long long)p->pid,
		 p->comm ? p->comm : "?");
	canvas_rule(c, r.row, r.col, TIME_COLS, title);
	draw_time(c, r, p);
	if (who.cols < 30)
		calls.cols = r.col + r.cols - calls.col;
	canvas_rule(c, r.row, calls.col, calls.cols, "7 syscalls");
	draw_calls(a, c, calls, p);
	if (who.cols < 30)
		return;
	if (who.cols >= PEERS_COLS + 40) {
		peers_draw(a, c, rect_left(&who, PEERS_COLS), app_snapshot(a), p);
		rect_left(&who, 1);
	}
	canvas_rule(c, r.row, who.col, who.cols, "who it is");
	draw_who(a, c, who, p);
}
