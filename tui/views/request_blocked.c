// SPDX-License-Identifier: GPL-2.0-or-later
/* request_blocked.c: stacks in which a request's thread was blocked, and who woke it. */
#include <stdio.h>
#include <string.h>

#include "tui/views/http.h"

#define NS_COLS 9
#define CALLERS_MAX 3
#define WAKER_ROWS 3		/* title and one stack */
#define REST_PART 20		/* a rest smaller than 1/20 of the whole is not shown */
#define WIDE 120		/* columns from which a stack fits in one line */

struct stack_text {
	char code[256], thing[200];	/* "nanosleep ‹ work ‹ serve" */
	u32 n;				/* names in code */
};

static void add_frame(const struct frames_row *f, void *arg)
{
	struct stack_text *t = arg;
	char name[200];

	if (!f)
		return;
	if (!frame_is_code(f)) {
		if (!strncmp(f->name, FRAME_THING_TEXT, strlen(FRAME_THING_TEXT)))
			snprintf(t->thing, sizeof(t->thing), "%s", f->name);
		return;
	}
	if (text_is(f->kind, "kernel") || t->n >= CALLERS_MAX)
		return;
	frame_text(name, sizeof(name), f);
	text_add(t->code, sizeof(t->code), " ‹ ", "%.60s", name);
	t->n++;
}

/* ---- Go ---- */

/* Stacks that are looked at, so that a frame is never slow. */
#define GO_STACKS_MAX 64

static void find_go(const struct frames_row *f, void *arg)
{
	if (f && f->name && text_is(f->kind, "user") && !strncmp(f->name, "runtime.", strlen("runtime.")))
		*(bool *)arg = true;
}

/* Stacks of a Go program begin in functions of its runtime, which are named even if it is stripped. */
bool request_is_go(const struct app *a, const struct requests_row *q)
{
	const struct snapshot *s = app_snapshot(a);
	struct stack_frames frames;
	char ids[BLOCKED_FRAMES_MAX];
	u32 left = GO_STACKS_MAX;
	bool is_go = false;

	if (!s)
		return false;
	frames = stack_frames_of(s);
	for (u32 i = 0; i < s->tables[TABLE_requests].n && left && !is_go; i++) {
		const struct requests_row *o = requests_row(s->tables[TABLE_requests].rows[i]);
		const char *at = o->pid == q->pid && o->process_start_ns == q->process_start_ns ? o->blocked_in : NULL;
		struct blocked b;

		for (; at && left && !is_go && blocked_next(&at, &b); left--) {
			snprintf(ids, sizeof(ids), "%.*s", (int)b.n_frames, b.frames);
			stack_frames_each(&frames, ids, find_go, &is_go);
		}
	}
	stack_frames_close(&frames);
	return is_go;
}

/* ---- texts ---- */

static const char *comm_of(const struct app *a, u64 pid)
{
	const struct snapshot *s = app_snapshot(a);

	for (u32 i = 0; i < s->tables[TABLE_processes].n; i++) {
		const struct processes_row *p = processes_row(s->tables[TABLE_processes].rows[i]);

		if (p->pid == pid && p->comm)
			return p->comm;
	}
	return "process";
}

/* "thread 4823 of postgres 4821" */
static void waker_text(const struct app *a, const struct requests_row *q, u64 tid, u64 pid, char *buf, size_t cap)
{
	unsigned long long t = tid, p = pid;

	if (pid == q->pid)
		snprintf(buf, cap, "its %sthread%s %llu", tid == pid ? "first " : "", tid == pid ? "," : "", t);
	else if (!pid || !u64_known(pid))
		snprintf(buf, cap, "thread %llu", t);
	else if (tid == pid)
		snprintf(buf, cap, "%s %llu", comm_of(a, pid), p);
	else
		snprintf(buf, cap, "thread %llu of %s %llu", t, comm_of(a, pid), p);
}

static void draw_one(const struct app *a, struct canvas *c, struct rect *r, const struct requests_row *q,
		     const struct blocked *b, const struct stack_frames *frames)
{
	struct stack_text t = { 0 };
	char ids[BLOCKED_FRAMES_MAX], ns[FORMAT_MAX], waker[100], more[340] = "";
	int width = r->cols - NS_COLS - 2, room;

	snprintf(ids, sizeof(ids), "%.*s", (int)b->n_frames, b->frames);
	stack_frames_each(frames, ids, add_frame, &t);
	canvas_right(c, r->row, r->col, NS_COLS, ROLE_text, format_ns(ns, (double)b->ns));
	if (b->waker)
		waker_text(a, q, b->waker, b->waker_pid, waker, sizeof(waker));
	snprintf(more, sizeof(more), "%s%s%s%s", t.thing, *t.thing && b->waker ? "  " : "", b->waker ? "woken by " : "",
		 b->waker ? waker : "");
	room = r->cols < WIDE ? width : width * 2 / 5;
	canvas_cut(c, r->row, r->col + NS_COLS + 1, room, ROLE_text, b->n_frames ? t.code : "others");
	if (*more && r->cols < WIDE && r->rows > 1)
		canvas_cut(c, ++r->row, r->col + NS_COLS + 3, room - 2, ROLE_text, more);
	else if (*more && r->cols >= WIDE)
		canvas_cut(c, r->row, r->col + NS_COLS + room + 3, width - room - 2, ROLE_text, more);
	r->rows -= *more && r->cols < WIDE;
	rect_top(r, 1);
}

/* Total of all reported stacks, each including the wait for a CPU at its end, and their number. */
static u64 total_ns(const char *at, u32 *ret_n)
{
	struct blocked b;
	u64 ns = 0;

	for (*ret_n = 0; at && blocked_next(&at, &b); (*ret_n)++)
		ns += b.ns;
	return ns;
}

static void draw_title(struct canvas *c, struct rect *r, const struct requests_row *q)
{
	char title[160], ns[FORMAT_MAX] = "?";
	u32 n;
	u64 reported = total_ns(q->blocked_in, &n);
	bool longer = u64_known(q->blocked_ns) && reported > q->blocked_ns + q->blocked_ns / REST_PART;

	if (longer || u64_known(q->blocked_ns))
		format_ns(ns, (double)(longer ? reported : q->blocked_ns));
	snprintf(title, sizeof(title), "what thread %llu was blocked in, %s%s", (unsigned long long)q->tid, ns,
		 longer ? " until it had a CPU again" : "");
	if (q->blocked_in)
		text_add(title, sizeof(title), ", ", "%u stack%s", n, text_plural(n, "s"));
	canvas_rule(c, rect_top(r, 1).row, r->col, r->cols, title);
}

/* Returns the remaining area. */
static struct rect draw_all(const struct app *a, struct canvas *c, struct rect r, const struct requests_row *q,
			    const char *at)
{
	struct stack_frames frames = stack_frames_of(app_snapshot(a));
	struct blocked b;

	while (r.rows > 0 && blocked_next(&at, &b))
		draw_one(a, c, &r, q, &b, &frames);
	stack_frames_close(&frames);
	return r;
}

static void draw_unattributed(struct canvas *c, struct rect *r, u64 ns)
{
	char text[FORMAT_MAX];

	if (!ns || r->rows < 1)
		return;
	canvas_right(c, r->row, r->col, NS_COLS, ROLE_warn, format_ns(text, (double)ns));
	canvas_cut(c, r->row, r->col + NS_COLS + 1, r->cols - NS_COLS - 2, ROLE_warn,
		   "not known in what: its stack was not taken, or was lost (!)");
	rect_top(r, 1);
}

/* Time not in a reported wait was spent running, unless a stack was lost. */
static void draw_rest(struct canvas *c, struct rect r, u64 all_ns, u64 reported)
{
	char text[FORMAT_MAX];

	if (r.rows < 1 || reported >= all_ns || (all_ns - reported) * REST_PART < all_ns)
		return;
	canvas_right(c, r.row, r.col, NS_COLS, ROLE_text, format_ns(text, (double)(all_ns - reported)));
	canvas_cut(c, r.row, r.col + NS_COLS + 1, r.cols - NS_COLS - 2, ROLE_text, "in no wait that is known: it ran, or waited for a CPU");
}

/* What blocked the waker while the thread waited: if it waited for a disk, it is not the cause. */
static void draw_waker(const struct app *a, struct canvas *c, struct rect r, const struct requests_row *q)
{
	char title[160], who[100], ns[FORMAT_MAX];
	u32 n;

	waker_text(a, q, q->waker_tid, q->waker_pid, who, sizeof(who));
	snprintf(title, sizeof(title), "the waker, %s, in the same %s", who, format_ns(ns, (double)q->waker_wait_ns));
	canvas_rule(c, rect_top(&r, 1).row, r.col, r.cols, title);
	if (q->waker_in && *q->waker_in)
		draw_rest(c, draw_all(a, c, r, q, q->waker_in), q->waker_wait_ns, total_ns(q->waker_in, &n));
	else
		canvas_text(c, r.row, r.col + 1, r.cols - 1, ROLE_dim, q->waker_in ? "it was not blocked" :
			    "not watched then: it is for requests that come while this is open");
}

void request_draw_blocked(struct app *a, struct canvas *c, struct rect r, const struct requests_row *q)
{
	bool waker = u64_known(q->waker_tid) && u64_known(q->waker_wait_ns) && r.rows >= 6;
	struct rect list;

	if (r.rows < 2 || !u64_known(q->blocked_ns))
		return;
	draw_title(c, &r, q);
	if (!q->blocked_in) {
		canvas_text(c, r.row, r.col + 1, r.cols - 1, ROLE_dim, app_live(a) ?
			    "not collected then: it is now, for requests that come while this is open" :
			    "not collected then: that needs tab 6, or 3, to be open");
		return;
	}
	list = r;
	list.rows -= waker ? WAKER_ROWS : 0;
	list = draw_all(a, c, list, q, q->blocked_in);
	draw_unattributed(c, &list, blocked_unattributed_ns(q));
	r.rows -= list.row - r.row;
	r.row = list.row;
	if (waker)
		draw_waker(a, c, r, q);
}
