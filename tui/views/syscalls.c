// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * syscalls.c: system calls by process: rates, errors, time, calls that hang. First face of tab 7.
 */
#include <stdio.h>
#include <string.h>

#include "tui/term/graph.h"
#include "tui/table/table_state.h"
#include "tui/table/waits_text.h"
#include "tui/app/app.h"

/* In flight that long, except for calls that wait by design. */
#define STUCK_NS (3 * NSEC_PER_SEC)

struct syscalls_state {
	bool waits;
};

static bool is_stuck(const struct row *row)
{
	const struct syscalls_row *r = syscalls_row(row);

	return !row->closed && r->waits != 1 && u64_known(r->in_flight_max_ns) &&
	       r->in_flight_max_ns >= STUCK_NS;
}

/* EAGAIN, ENOENT and the like are normal: only other errors are marked. */
static bool has_hard_errors(const struct row *row)
{
	float rate = syscalls_row(row)->hard_error_rate;

	return f32_known(rate) && rate > 0;
}

/* ---- columns ---------------------------------------------------------------------- */

static void draw_oldest(struct app *a, struct canvas *c, int row, int col, int width,
			const struct table_row *tr)
{
	char buf[FORMAT_MAX];
	enum value_state state;
	const char *text;
	u32 style;

	text = format_value(buf, schema_field(TABLE_syscalls, "in_flight_max_ns"), tr->row, app_snapshot(a), &state);
	style = tr->mark == MARK_gone || state != VALUE_KNOWN ? ROLE_dim :
		is_stuck(tr->row) ? ROLE_warn : ROLE_text;
	if (state != VALUE_ZERO)	/* nothing in flight */
		canvas_right(c, row, col, width, style, text);
}

static void draw_hist(struct app *a, struct canvas *c, int row, int col, int width,
		      const struct table_row *tr)
{
	graph_hist_row(c, row, col, width, syscalls_row(tr->row)->hist_tick);
}

static double number_oldest(const struct row *row)
{
	u64 ns = syscalls_row(row)->in_flight_max_ns;

	return u64_known(ns) ? (double)ns : -1;
}

/* The holder's name and pid, and enough of the object. */
static int fit_waits(struct app *a, int width)
{
	return app_cols(a) >= 180 ? width + 12 : width;
}

static const struct column columns[] = {
	{ "pid", .priority = 2 },
	{ "comm", .priority = 1 },
	{ "syscall", .width = 12, .priority = 1 },
	{ "rate", .priority = 2 },
	{ "error_rate", .priority = 3, .alert = has_hard_errors },
	{ "time_rate", .priority = 1 },
	{ "p50_ns", .priority = 3 },
	{ "p95_ns", .priority = 4 },
	{ "p99_ns", .priority = 2 },
	{ "max_ns", .priority = 3 },
	{ "in_flight", .priority = 5 },
	{ "in_flight_max_ns", .priority = 1, .draw = draw_oldest, .number = number_oldest },
	{ "waits_on", .priority = 6, .optional = true, .cut = waits_draw, .fit = fit_waits },
	{ "count", .priority = 7 },
	{ "hist", .priority = 6, .draw = draw_hist, .title = "1us       1ms       1s" },
	{ "errnos", .priority = 8, .width = 20 },
};

/* ---- rows --------------------------------------------------------------------------- */

static bool keep_row(struct app *a, void *state, const struct row *r)
{
	const struct syscalls_state *s = state;

	/* Of an ended process only calls of its last tick, unless it is the context. */
	if (r->closed && !app_context(a)->pid && !(syscalls_row(r)->rate > 0))
		return false;
	return s->waits || syscalls_row(r)->waits != 1;
}

static const struct grouping groupings[] = {
	{ "call", { "nr", "abi", "syscall", "waits" }, .counts = "comm", .noun = "proc" },
	{ "process", { "pid", "start_time_ns", "comm" }, .counts = "syscall", .noun = "call" },
};

/* ---- notes ---------------------------------------------------------------------------- */

static bool is_blocked(const struct snapshot *s, const struct syscalls_row *r)
{
	const struct processes_row *p = snapshot_process(s, r->pid, r->start_time_ns);

	return p && p->state && *p->state == 'D';
}

/* Idle shells and servers are in these for days: their age is not remarkable. */
static bool is_read(const char *call)
{
	static const char *const reads[] = { "read", "readv", "recvfrom", "recvmsg", "recvmmsg" };

	for (u32 i = 0; call && i < ARRAY_SIZE(reads); i++)
		if (!strcmp(call, reads[i]))
			return true;
	return false;
}

/* Severity of a hanging call: highest if the process cannot be interrupted. */
static int rank_of(const struct app *a, const struct syscalls_row *r)
{
	return is_blocked(app_snapshot(a), r) ? 2 : !is_read(r->syscall);
}

/* The oldest of the most severe hanging calls. */
static const struct syscalls_row *find_stuck(const struct app *a)
{
	const struct tableview *t = app_table(a);
	const struct syscalls_row *best = NULL;
	int best_rank = 0;

	for (u32 i = 0; i < table_len(t); i++) {
		const struct syscalls_row *r = syscalls_row(table_at(t, i)->row);
		int rank;

		if (!is_stuck(&r->row) || !u64_known(r->pid) || !u64_known(r->nr))
			continue;
		rank = rank_of(a, r);
		if (best && (rank != best_rank ? rank < best_rank :
			     r->in_flight_max_ns <= best->in_flight_max_ns))
			continue;
		best = r;
		best_rank = rank;
	}
	return best;
}

static bool note_errors(const struct syscalls_row *r, char *buf, size_t cap)
{
	char rate[FORMAT_MAX];

	if (!r || !r->errnos || !*r->errnos || !f32_known(r->error_rate))
		return false;
	snprintf(buf, cap, "ERR: %s %s/s: %s · i: all errno counts",
		 format_count(rate, r->error_rate),
		 r->syscall ? r->syscall : "?", r->errnos);
	return true;
}

/* The selected row, if it hangs: narrow screens have no column for what it waits on. */
static const struct syscalls_row *selected_stuck(struct app *a)
{
	const struct tableview *t = app_table(a);
	const struct syscalls_row *r = t->anchored ? syscalls_row(table_cursor(t)) : NULL;

	return r && is_stuck(&r->row) && u64_known(r->pid) && u64_known(r->nr) ? r : NULL;
}

static bool syscalls_note(struct app *a, void *state, char *buf, size_t cap)
{
	const struct syscalls_row *r;
	char age[FORMAT_MAX], waits[256];

	if (!app_snapshot(a))
		return false;
	r = selected_stuck(a);
	if (!r)
		r = find_stuck(a);
	if (!r)
		return note_errors(syscalls_row(table_cursor(app_table(a))), buf, cap);
	snprintf(buf, cap, "%s %llu: in %s for %s%s%s%s · %s",
		 r->comm ? r->comm : "?", (unsigned long long)r->pid, r->syscall ? r->syscall : "?",
		 format_ns(age, (double)r->in_flight_max_ns),
		 is_blocked(app_snapshot(a), r) ? ", uninterruptible" : "",
		 r->waits_on && *r->waits_on ? ": " : "", waits_short(waits_after(r->syscall, r->waits_on), waits, sizeof(waits)),
		 &r->row == table_cursor(app_table(a)) ? "Enter: its latencies" : "O: go to it");
	return true;
}

static void syscalls_status(struct app *a, void *state, char *buf, size_t cap)
{
	const struct grouping *by = table_grouping(a, app_table(a));
	const struct syscalls_state *s = state;
	const struct tableview *t = app_table(a);
	char of[FORMAT_MAX + 8] = "", n[FORMAT_MAX], all[FORMAT_MAX];

	if (!app_collected(a, TABLE_syscalls)) {
		snprintf(buf, cap, "? syscalls   waits %s", s->waits ? "shown" : "hidden");
		return;
	}
	if (t->filter)
		snprintf(of, sizeof(of), " of %s", format_thousands(all, t->n_all));
	snprintf(buf, cap, "%s%s syscall%s%s%s   waits %s", format_thousands(n, t->n), of, text_plural(t->filter ? t->n_all : t->n, "s"),
		 by ? " by " : "", by ? by->title : "", s->waits ? "shown" : "hidden");
}

/* ---- keys -------------------------------------------------------------------------------- */

static void open_map(struct app *a, const struct syscalls_row *r)
{
	const struct context *ctx = app_context(a);
	char label[64], pid[24] = "";

	if (!r) {
		app_show(a, "heatmap", -1);
		return;
	}
	if (!u64_known(r->pid)) {		/* one call of all processes */
		app_enter(a, "heatmap", ctx->pid, ctx->start_time_ns, &r->row,
			  r->syscall ? r->syscall : "?");
		return;
	}
	if (ctx->pid != r->pid)
		snprintf(pid, sizeof(pid), " %llu", (unsigned long long)r->pid);
	if (!u64_known(r->nr))			/* all calls of one process */
		snprintf(label, sizeof(label), "%s%s", r->comm ? r->comm : "?", pid);
	else if (ctx->pid == r->pid)
		snprintf(label, sizeof(label), "%s", r->syscall ? r->syscall : "?");
	else
		snprintf(label, sizeof(label), "%s%s › %s", r->comm ? r->comm : "?", pid,
			 r->syscall ? r->syscall : "?");
	app_enter(a, "heatmap", r->pid, r->start_time_ns, &r->row, label);
}

static void explain(struct app *a, const struct syscalls_row *r)
{
	if (!r)
		return;
	if (!u64_known(r->pid) || !u64_known(r->nr))
		app_say(a, ROLE_text, "a sum of several rows: b shows them one by one");
	else if (!r->errnos || !*r->errnos)
		app_say(a, ROLE_text, "%s of %s %llu: no errors in this interval",
			r->syscall ? r->syscall : "?", r->comm ? r->comm : "?",
			(unsigned long long)r->pid);
	else
		app_say(a, ROLE_text, "%s of %s %llu, errors of this interval: %s",
			r->syscall ? r->syscall : "?", r->comm ? r->comm : "?",
			(unsigned long long)r->pid, r->errnos);
}

static void go_to_stuck(struct app *a)
{
	const struct syscalls_row *r = app_snapshot(a) ? find_stuck(a) : NULL;
	char early[96];

	if (r)
		table_select(app_table(a), &r->row);
	else if (app_too_early(a, TABLE_syscalls, early, sizeof(early)))
		app_say(a, ROLE_text, "which calls hang is %s", early);
	else
		app_say(a, ROLE_text, "no call hangs, of those shown here");
}

static bool syscalls_act(struct app *a, void *state, enum action action, u32 key)
{
	struct syscalls_state *s = state;
	const struct syscalls_row *r = syscalls_row(table_cursor(app_table(a)));

	switch (action) {
	case ACTION_open:
	case ACTION_latency:
		open_map(a, r);
		return true;
	case ACTION_explain:
		explain(a, r);
		return true;
	case ACTION_stuck:
		go_to_stuck(a);
		return true;
	case ACTION_waits:
		s->waits = !s->waits;
		break;
	default:
		return false;
	}
	table_reload(a, app_table(a));
	return true;
}

static void syscalls_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	if (!app_draw_state(a, c, body, TABLE_syscalls))
		table_draw(a, app_table(a), c, body);
}

static const struct table_spec spec = {
	.table = TABLE_syscalls, .columns = columns, .n_columns = ARRAY_SIZE(columns),
	.sort = "time_rate", .noun = "syscalls", .no_ghosts = true, .keep = keep_row,
	.groupings = groupings, .n_groupings = ARRAY_SIZE(groupings),
};

const struct view syscalls_view = {
	.name = "syscalls", .digit = '7', .tab = "Sys", .tab_wide = "Syscalls", .faces = "table",
	.about = "system calls by process: rate, errors, time",
	.flags = VIEW_SCOPED,
	.needs = TABLE_BIT(TABLE_syscalls), .table = &spec,
	.state_size = sizeof(struct syscalls_state),
	.hints = "open stuck group waits explain search filter sort_prev pause",
	.hints_wide = "open back stuck group waits explain search filter sort_prev invert follow tag pause "
		      "step_back write health palette",
	.legend = "TOTAL\ttime inside the call, per second\n"
		  "ERR/s\tall errors; ! and red: other than EAGAIN, EINTR, ENOENT, ETIMEDOUT, EINPROGRESS\n"
		  "OLDEST\tage of the oldest call that has not returned\n"
		  "waits\tepoll_wait, poll, select, futex, nanosleep, wait4, accept: hidden until W\n",
	.draw = syscalls_draw, .act = syscalls_act,
	.status = syscalls_status, .note = syscalls_note,
};
