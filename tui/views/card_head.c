// SPDX-License-Identifier: GPL-2.0-or-later
/* card_head.c: identity of a process, where its time went, what it is doing now. */
#include <stdio.h>
#include <string.h>

#include "tui/term/graph.h"
#include "tui/views/card.h"

#define MAX_PARENTS 6

static int next_line(struct rect *r)
{
	return rect_top(r, 1).row;
}

static const char *name_of(const struct processes_row *p)
{
	return p->comm ? p->comm : "?";
}

/* ---- identity ------------------------------------------------------------------ */

/* "user shop   ", or nothing if the value is blank. */
static int fact(struct canvas *c, int row, int col, int end, const char *name, const char *value)
{
	int x = col;

	if (!*value || col >= end)
		return col;
	x += canvas_text(c, row, x, end - x, ROLE_dim, name);
	x += canvas_text(c, row, x, end - x, ROLE_dim, " ");
	x += canvas_cut(c, row, x, end - x, ROLE_text, value);
	return x + 3;
}

static void draw_facts(struct app *a, struct canvas *c, struct rect *r,
		       const struct processes_row *p)
{
	const struct snapshot *s = app_snapshot(a);
	int row = next_line(r), col = r->col, end = r->col + r->cols;
	char buf[FORMAT_MAX];

	col = fact(c, row, col, end, "user", format_member(buf, &p->row, "user", s));
	if (p->container)
		col = fact(c, row, col, end, "container", p->container);
	if (p->unit)
		col = fact(c, row, col, end, "unit", p->unit);
	col = fact(c, row, col, end, "threads", format_member(buf, &p->row, "threads", s));
	if (u64_known(p->ns_pid) && p->ns_pid != p->pid)
		col = fact(c, row, col, end, "pid inside", format_member(buf, &p->row, "ns_pid", s));
	if (p->cwd)
		fact(c, row, col, end, "cwd", p->cwd);
}

static u32 find_parents(const struct snapshot *s, const struct processes_row *p,
			const struct processes_row *chain[MAX_PARENTS])
{
	u32 n = 0;

	for (; n < MAX_PARENTS; n++) {
		p = u64_known(p->ppid) && p->ppid ? snapshot_process(s, p->ppid, 0) : NULL;
		if (!p)
			break;
		chain[n] = p;
	}
	return n;
}

/* "started 3d02h ago by sshd 812 › bash 1902": the parent last; each is a link. */
static void draw_parents(struct app *a, struct card *k, struct canvas *c, struct rect *r,
			 const struct processes_row *p)
{
	const struct snapshot *s = app_snapshot(a);
	const struct processes_row *chain[MAX_PARENTS];
	u32 n = find_parents(s, p, chain);
	int row = next_line(r), end = r->col + r->cols, col = r->col;
	char age[FORMAT_MAX], text[64];

	/* As many of the nearest ancestors as fit. */
	while (n > 1 && n * 22 > (u32)r->cols - 22)
		n--;
	col += canvas_printf(c, row, col, -1, ROLE_dim, "started %s ago",
			     format_age(age, s->time_ns - min(p->start_time_ns, s->time_ns)));
	if (n)
		col += canvas_text(c, row, col, end - col, ROLE_dim, " by ");
	for (u32 i = n; i-- > 0 && col < end;) {
		struct rect at = { row, col, 1, 0 };

		snprintf(text, sizeof(text), "%s %llu", name_of(chain[i]),
			 (unsigned long long)chain[i]->pid);
		at.cols = canvas_cut(c, row, col, end - col, ROLE_text, text);
		col += at.cols;
		card_add_door(k, DOOR_PARENT, at, &chain[i]->row);
		if (i)
			col += canvas_text(c, row, col, end - col, ROLE_dim, " › ");
	}
}

/* How and when an ended process ended, and how long it lived. */
static void draw_end(struct app *a, struct canvas *c, struct rect *r, const struct processes_row *p)
{
	char text[160], how[48];

	if (!p->row.closed)
		return;
	if (u64_known(p->signal) && p->signal)
		snprintf(how, sizeof(how), "killed by signal %llu", (unsigned long long)p->signal);
	else if (u64_known(p->exit_code))
		snprintf(how, sizeof(how), "exit status %llu", (unsigned long long)p->exit_code);
	else
		snprintf(how, sizeof(how), "exit status not known");
	snprintf(text, sizeof(text), "× ended: %s; these are its last values", how);
	canvas_cut(c, next_line(r), r->col, r->cols, ROLE_warn | S_BOLD, text);
}

void card_draw_head(struct app *a, struct card *k, struct canvas *c, struct rect *r,
		    const struct processes_row *p)
{
	const char *command = p->cmdline && *p->cmdline ? p->cmdline : name_of(p);

	draw_end(a, c, r, p);
	canvas_cut(c, next_line(r), r->col, r->cols, ROLE_text | S_BOLD, command);
	draw_facts(a, c, r, p);
	draw_parents(a, k, c, r, p);
}

/* ---- time ------------------------------------------------------------------------ */

static const struct {
	enum trace_id id;
	const char *name, *wide;
} shares[] = {
	{ TRACE_user, "user", "on CPU user" },
	{ TRACE_system, "kernel", "on CPU kernel" },
	{ TRACE_runq, "run queue", "run queue" },
	{ TRACE_blocked, "blocked", "blocked (D)" },
};

static const char *share_text(char buf[FORMAT_MAX], float pct)
{
	return f32_known(pct) ? format_pct(buf, (double)pct) : "?";
}

/* Waiting is highlighted, computing is not. */
static u32 share_style(enum trace_id id, float pct)
{
	bool waits = id == TRACE_runq || id == TRACE_blocked;

	return !f32_known(pct) ? ROLE_dim : waits && pct >= 10 ? ROLE_warn : ROLE_text;
}

static void draw_shares_line(struct card *k, struct canvas *c, struct rect *r)
{
	int row = next_line(r), col = r->col;
	char buf[FORMAT_MAX];
	u64 ns;

	trace_mean(&k->trace, TRACE_user, &ns);
	col += canvas_printf(c, row, col, -1, ROLE_dim, "time, %s ",
			     format_age(buf, ns + NSEC_PER_SEC / 2));
	for (u32 i = 0; i < ARRAY_SIZE(shares); i++) {
		float pct = trace_mean(&k->trace, shares[i].id, &ns);

		col += canvas_printf(c, row, col, -1, ROLE_dim, "  %s ", shares[i].name);
		col += canvas_text(c, row, col, -1, share_style(shares[i].id, pct),
				   share_text(buf, pct));
	}
	canvas_text(c, row, col, -1, ROLE_dim, "  % of a CPU");
}

static void draw_share_bars(struct card *k, struct canvas *c, struct rect *r)
{
	float pct[ARRAY_SIZE(shares)], top = 100;
	int width = min(r->cols - 30, 80), row;
	char buf[FORMAT_MAX], title[64];
	u64 ns;

	for (u32 i = 0; i < ARRAY_SIZE(shares); i++) {
		pct[i] = trace_mean(&k->trace, shares[i].id, &ns);
		if (f32_known(pct[i]))
			top = max(top, pct[i]);
	}
	snprintf(title, sizeof(title), "where its time went, %s, %% of a CPU",
		 format_age(buf, ns + NSEC_PER_SEC / 2));
	canvas_rule(c, next_line(r), r->col, r->cols, title);
	for (u32 i = 0; i < ARRAY_SIZE(shares); i++) {
		u32 style = share_style(shares[i].id, pct[i]);

		row = next_line(r);
		canvas_text(c, row, r->col + 1, 14, ROLE_text, shares[i].wide);
		if (f32_known(pct[i]))
			graph_bar(c, row, r->col + 16, width,
				  style == ROLE_warn ? style : ROLE_accent,
				  (double)pct[i], (double)top);
		canvas_right(c, row, r->col + 17 + width, 6, style, share_text(buf, pct[i]));
	}
}

/* "CPU%  ▁▂▃  111.6    read 2.07M/s": the rates after the sparkline are separate values. */
static void draw_spark(struct app *a, struct card *k, struct canvas *c, struct rect *r,
		       const char *name,
		       enum trace_id id, const struct row *p, const char *member,
		       const char *const *rates)
{
	const struct snapshot *s = app_snapshot(a);
	int room = r->cols >= 120 ? r->cols - 72 : r->cols / 2 - 10;
	int row = next_line(r), width = min(room, TRACE_LEN);
	int col = r->col + 7 + width;
	char buf[FORMAT_MAX];

	canvas_text(c, row, r->col + 1, 5, ROLE_dim, name);
	graph_spark(c, row, r->col + 7, width, ROLE_accent, k->trace.values[id], k->trace.n,
		    id == TRACE_cpu ? -100 : -1);
	canvas_right(c, row, col, 7, ROLE_text, format_member(buf, p, member, s));
	for (col += 9; *rates && col + (int)strlen(rates[0]) + 7 <= r->col + r->cols; rates += 2) {
		const char *text = format_member(buf, p, rates[1], s);

		col += canvas_printf(c, row, col, -1, ROLE_dim, "%s ", rates[0]);
		canvas_right(c, row, col, 6, *text == '?' ? ROLE_dim : ROLE_text, text);
		col += 8;
	}
}

void card_draw_time(struct app *a, struct card *k, struct canvas *c, struct rect *r,
		    const struct processes_row *p)
{
	static const char *const cpu_rates[] = {
		"sys/s", "syscall_rate", "read/s", "read_rate", "write/s", "write_rate", NULL };
	static const char *const rss_rates[] = {
		"grow/s", "rss_rate", "rx/s", "rx_rate", "tx/s", "tx_rate", NULL };

	if (r->rows >= 30)
		draw_share_bars(k, c, r);
	else
		draw_shares_line(k, c, r);
	draw_spark(a, k, c, r, "CPU%", TRACE_cpu, &p->row, "cpu_pct", cpu_rates);
	draw_spark(a, k, c, r, "RSS", TRACE_rss, &p->row, "rss_bytes", rss_rates);
}
