// SPDX-License-Identifier: GPL-2.0-or-later
/* card.c: a page for one process: identity, time, what it is stuck in. Enter follows links. */
#include <stdio.h>
#include <stdlib.h>

#include "tui/views/card.h"
#include "tui/views/peers.h"

#define PEERS_FROM 8		/* lines beside the threads from which calls and peers share them */
#define CHILDREN_FROM 18	/* lines below the head from which children are listed */

static void doors_clear(struct card *k)
{
	for (int i = 0; i < k->n_doors; i++)
		row_put(k->doors[i].row);
	k->n_doors = 0;
}

void card_add_door(struct card *k, enum door_kind kind, struct rect at, const struct row *row)
{
	if (k->n_doors == CARD_MAX_DOORS)
		return;
	k->doors[k->n_doors++] = (struct door){ kind, at, row_get(row) };
}

/* ---- drawing ------------------------------------------------------------------------ */

static void draw_cursor(struct card *k, struct canvas *c)
{
	const struct rect *at;

	if (!k->n_doors)
		return;
	k->cursor = min(k->cursor, k->n_doors - 1);
	if (k->cursor < 0)
		return;
	at = &k->doors[k->cursor].at;
	canvas_restyle(c, at->row, at->col, at->cols, ROLE_selection);
	if (k->doors[k->cursor].kind != DOOR_PARENT)
		canvas_text(c, at->row, at->col, 1, ROLE_selection, "▌");
}

/* Below the calls, in up to half of their lines; its lines link to the connections. */
static void draw_peers(struct app *a, struct card *k, struct canvas *c, struct rect *right,
		       const struct processes_row *p)
{
	struct rect r;
	int lines;

	if (right->rows < PEERS_FROM)
		return;
	r = rect_bottom(right, right->rows / 2);
	lines = peers_draw(a, c, r, app_process_snapshot(a), p);
	for (int i = 0; i < max(lines, 1); i++)
		card_add_door(k, DOOR_PEERS, (struct rect){ r.row + 1 + i, r.col, 1, r.cols }, NULL);
}

/* Lists side by side, or one below the other on narrow screens. */
static void draw_lists(struct app *a, struct card *k, struct canvas *c, struct rect r,
		       const struct processes_row *p)
{
	struct rect left, right = r;

	if (r.cols < 70) {
		left = rect_top(&right, r.rows / 2);
	} else {
		left = rect_left(&right, r.cols >= 160 ? r.cols / 2 - 1 : r.cols - 36);
		rect_left(&right, 1);
	}
	if (r.rows >= CHILDREN_FROM && card_count_children(app_snapshot(a), p))
		card_draw_children(a, k, c, rect_bottom(&left, (left.rows + 1) / 2), p);
	if (left.rows > 1)
		card_draw_threads(a, k, c, left, p);
	draw_peers(a, k, c, &right, p);
	if (right.rows > 1)
		card_draw_calls(a, k, c, right, p);
}

static void card_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct card *k = state;
	const struct processes_row *p = app_process(a);

	doors_clear(k);
	if (!p) {
		canvas_printf(c, body.row, body.col + 2, -1, ROLE_dim,
			      "no process %llu at this moment",
			      (unsigned long long)app_context(a)->pid);
		return;
	}
	if (trace_more(&k->trace, app_history(a)))
		app_again(a);
	card_draw_head(a, k, c, &body, p);
	card_draw_time(a, k, c, &body, p);
	card_draw_now(a, c, &body, p);
	draw_lists(a, k, c, body, p);
	draw_cursor(k, c);
}

static void card_update(struct app *a, void *state)
{
	const struct context *ctx = app_context(a);
	struct card *k = state;

	if (k->pid != ctx->pid || k->start_time_ns != ctx->start_time_ns)
		k->cursor = -1;
	k->pid = ctx->pid;
	k->start_time_ns = ctx->start_time_ns;
	if (app_snapshot(a) && ctx->pid)
		trace_update(&k->trace, app_history(a), app_snapshot(a), ctx->pid,
			     ctx->start_time_ns);
}

static void card_fini(void *state)
{
	doors_clear(state);
}

/* ---- keys ------------------------------------------------------------------------------ */

/* The nearest link in a direction; the first move goes to the first list. */
static void move_cursor(struct card *k, int rows, int cols)
{
	const struct rect *from;
	int best = -1, best_distance = 0;

	if (k->cursor < 0 || k->cursor >= k->n_doors) {
		for (k->cursor = 0; k->cursor + 1 < k->n_doors; k->cursor++)
			if (k->doors[k->cursor].kind != DOOR_PARENT)
				break;
		return;
	}
	from = &k->doors[k->cursor].at;
	for (int i = 0; i < k->n_doors; i++) {
		int dr = k->doors[i].at.row - from->row, dc = k->doors[i].at.col - from->col;
		int distance = abs(dr) * (rows ? 1 : 8) + abs(dc) * (cols ? 1 : 8);

		if (dr * rows + dc * cols <= 0)
			continue;
		if (best >= 0 && distance >= best_distance)
			continue;
		best = i;
		best_distance = distance;
	}
	if (best >= 0)
		k->cursor = best;
}

static void open_door(struct app *a, const struct card *k)
{
	const struct door *d;
	const struct syscalls_row *call;

	if (k->cursor < 0 || k->cursor >= k->n_doors || k->doors[k->cursor].kind == DOOR_THREAD ||
	    k->doors[k->cursor].kind == DOOR_SYSCALLS) {
		app_show(a, "syscalls", -1);	/* it shows the calls of its threads */
		return;
	}
	d = &k->doors[k->cursor];
	if (d->kind == DOOR_PEERS) {
		app_show(a, "connections", -1);
		return;
	}
	if (d->kind == DOOR_PARENT || d->kind == DOOR_CHILD) {
		app_enter_row(a, processes_row(d->row), "card");
		return;
	}
	call = syscalls_row(d->row);
	app_enter(a, "heatmap", call->pid, call->start_time_ns, d->row,
		  call->syscall ? call->syscall : "?");
}

static bool card_act(struct app *a, void *state, enum action action, u32 key)
{
	struct card *k = state;

	switch (action) {
	case ACTION_up:
		move_cursor(k, -1, 0);
		return true;
	case ACTION_down:
		move_cursor(k, 1, 0);
		return true;
	case ACTION_left:
		move_cursor(k, 0, -1);
		return true;
	case ACTION_right:
		move_cursor(k, 0, 1);
		return true;
	case ACTION_open:
		open_door(a, k);
		return true;
	case ACTION_latency:
		app_show(a, "heatmap", -1);
		return true;
	case ACTION_cancel:
		if (k->cursor < 0)
			return false;
		k->cursor = -1;
		return true;
	default:
		return false;
	}
}

static void card_status(struct app *a, void *state, char *buf, size_t cap)
{
	const struct processes_row *p = app_process(a);
	char age[FORMAT_MAX];

	*buf = '\0';
	if (p)
		snprintf(buf, cap, "CPU time %s   state %s",
			 format_member(age, &p->row, "cpu_ns", NULL),
			 p->state ? p->state : "?");
}

const struct view card_view = {
	.name = "card", .digit = '1', .tab = "Proc", .tab_wide = "Processes", .faces = "card",
	.about = "one process: its time, threads, calls, peers",
	.flags = VIEW_PROCESS,
	.needs = TABLE_BIT(TABLE_threads),
	.state_size = sizeof(struct card),
	.hints = "open back view latency pause step_back write",
	.hints_wide = "open back up view latency pause step_back write health palette",
	.legend = "time\tmean of the last 10 s, % of a CPU, all threads added up\n"
		  "blocked\tstate D, uninterruptible sleep: disk, NFS\n"
		  "now\twhat each of its threads is in, and the longest of them\n",
	.fini = card_fini, .update = card_update, .draw = card_draw, .act = card_act,
	.status = card_status,
};
