// SPDX-License-Identifier: GPL-2.0-or-later
/* request_blocked.c: by what stacks the thread of a request was blocked in its span, and who woke it. */
#include <stdio.h>
#include <string.h>

#include "tui/views/http.h"

#define NS_COLS 9
#define CALLERS_MAX 3
#define WIDE 120		/* columns from which one line is enough for one stack */

/* What is told of one stack. */
struct told {
	const struct stack_frames *frames;
	char code[256], thing[200];	/* "nanosleep ‹ work ‹ serve" */
	u32 n;				/* names in code */
};

static void tell_frame(const struct frames_row *f, void *arg)
{
	struct told *t = arg;
	char name[200];
	size_t used = strlen(t->code);

	if (!f)
		return;
	if (!frame_is_code(f)) {
		if (!strncmp(f->name, FRAME_THING_TEXT, strlen(FRAME_THING_TEXT)))
			snprintf(t->thing, sizeof(t->thing), "%s", f->name);
		return;
	}
	if ((f->kind && !strcmp(f->kind, "kernel")) || t->n >= CALLERS_MAX)
		return;
	frame_text(name, sizeof(name), f);
	snprintf(t->code + used, sizeof(t->code) - used, "%s%.60s", t->n++ ? " ‹ " : "", name);
}

/* "worker 4823 of postgres 4821" */
static void waker_text(const struct app *a, const struct blocked *b, const struct requests_row *q, char *buf, size_t cap)
{
	const struct snapshot *s = app_snapshot(a);
	const char *name = NULL;

	if (b->waker_pid == q->pid) {
		snprintf(buf, cap, b->waker == q->pid ? "woken by its first thread, %u" : "woken by its thread %u", b->waker);
		return;
	}
	for (u32 i = 0; b->waker_pid && i < s->tables[TABLE_processes].n; i++) {
		const struct processes_row *p = (const struct processes_row *)s->tables[TABLE_processes].rows[i];

		if (p->pid == b->waker_pid)
			name = p->comm;
	}
	if (!b->waker_pid)
		snprintf(buf, cap, "woken by thread %u", b->waker);
	else if (b->waker == b->waker_pid)
		snprintf(buf, cap, "woken by %s %u", name ?: "process", b->waker_pid);
	else
		snprintf(buf, cap, "woken by thread %u of %s %u", b->waker, name ?: "process", b->waker_pid);
}

static void draw_one(const struct app *a, struct canvas *c, struct rect *r, const struct requests_row *q,
		     const struct blocked *b, const struct stack_frames *frames)
{
	struct told t = { .frames = frames };
	char ids[BLOCKED_FRAMES_MAX], ns[FORMAT_MAX], waker[100], more[340] = "";
	int width = r->cols - NS_COLS - 2, room;

	snprintf(ids, sizeof(ids), "%.*s", (int)b->n_frames, b->frames);
	stack_frames_each(frames, ids, tell_frame, &t);
	canvas_right(c, r->row, r->col, NS_COLS, ROLE_text, format_ns(ns, (double)b->ns));
	if (b->waker)
		waker_text(a, b, q, waker, sizeof(waker));
	snprintf(more, sizeof(more), "%s%s%s", t.thing, *t.thing && b->waker ? "  " : "", b->waker ? waker : "");
	room = r->cols < WIDE ? width : width * 2 / 5;
	canvas_cut(c, r->row, r->col + NS_COLS + 1, room, ROLE_text, b->n_frames ? t.code : "others");
	if (*more && r->cols < WIDE && r->rows > 1)
		canvas_cut(c, ++r->row, r->col + NS_COLS + 3, room - 2, ROLE_text, more);
	else if (*more && r->cols >= WIDE)
		canvas_cut(c, r->row, r->col + NS_COLS + room + 3, width - room - 2, ROLE_text, more);
	r->rows -= 1 + (*more && r->cols < WIDE);
	r->row++;
}

static void draw_title(struct canvas *c, struct rect *r, const struct requests_row *q, u32 n)
{
	char title[120], ns[FORMAT_MAX] = "?";
	int used;

	if (u64_known(q->blocked_ns))
		format_ns(ns, (double)q->blocked_ns);
	used = snprintf(title, sizeof(title), "what thread %llu was blocked in, %s", (unsigned long long)q->tid, ns);
	if (q->blocked_in)
		snprintf(title + used, sizeof(title) - (size_t)used, ", %u stack%s", n, text_plural(n, "s"));
	canvas_rule(c, r->row, r->col, r->cols, title);
	r->row++;
	r->rows--;
}

void request_draw_blocked(struct app *a, struct canvas *c, struct rect r, const struct requests_row *q)
{
	struct stack_frames frames;
	const char *at = q->blocked_in;
	struct blocked b;
	u32 n = 0;

	if (r.rows < 2 || !u64_known(q->blocked_ns))
		return;
	while (at && blocked_next(&at, &b))
		n++;
	draw_title(c, &r, q, n);
	if (!q->blocked_in) {
		canvas_text(c, r.row, r.col + 1, r.cols - 1, ROLE_dim, app_live(a) ?
			    "not collected then: it is now, for requests that come while this is open" :
			    "not collected then: that needs tab 6, or 3, to be open");
		return;
	}
	frames = stack_frames_of(app_snapshot(a));
	for (at = q->blocked_in; r.rows > 0 && blocked_next(&at, &b); )
		draw_one(a, c, &r, q, &b, &frames);
	stack_frames_close(&frames);
}
