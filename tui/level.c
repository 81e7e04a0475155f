// SPDX-License-Identifier: GPL-2.0-or-later
/* level.c: where the user is: the levels of the breadcrumb, tabs and faces. */
#include <stdio.h>
#include <string.h>

#include "tui/app_state.h"

#define PAST_TICKS 30	/* how far back the end of a process is looked for */

void level_drop(struct level *l)
{
	row_put(l->ctx.row);
	row_put(l->process);
	table_position_drop(&l->position);
	*l = (struct level){ 0 };
}

/* A table keeps its cursor and its ghosts as long as its rows are of the same context. */
static void enter_view(struct app *a, int view)
{
	const struct context *ctx = app_context(a);

	a->view = view;
	app_level(a)->view = view;
	if (a->tables[view] && memcmp(ctx, &a->table_ctx[view], sizeof(*ctx)))
		table_reset(a->tables[view]);
	a->table_ctx[view] = *ctx;
}

static void leave_overlay(struct app *a)
{
	if (a->under < 0)
		return;
	a->view = a->under;
	a->under = -1;
}

void app_enter(struct app *a, const char *view, u64 pid, u64 start_time_ns,
	       const struct row *row, const char *label)
{
	int id = view_by_name(view, strlen(view));
	struct level *l;

	leave_overlay(a);
	if (a->n_levels == MAX_LEVELS)
		app_say(a, ROLE_text, "that deep is enough: Backspace goes up");
	if (id < 0 || a->n_levels == MAX_LEVELS)
		return;
	l = app_level(a);
	l->view = a->view;
	l->face = a->faces[a->view];
	table_position_drop(&l->position);
	if (a->tables[a->view])
		table_save(a->tables[a->view], &l->position);
	l = &a->levels[a->n_levels++];
	l->ctx = (struct context){ pid, start_time_ns, row_get(row) };
	snprintf(l->label, sizeof(l->label), "%s", label);
	enter_view(a, id);
	app_refresh(a);
}

/* The last row of a process that ended before the shown tick (one reference), or NULL. */
static const struct row *find_in_past(const struct app *a, u64 pid, u64 start_time_ns)
{
	int at = app_history_index(a);

	for (int i = at - 1; i >= max(at - PAST_TICKS, 0); i--) {
		const struct snapshot *s = history_snapshot(a->config.history, (u32)i);
		const struct processes_row *p = s ? snapshot_process(s, pid, start_time_ns) : NULL;
		const struct row *r = p ? row_get(&p->row) : NULL;

		snapshot_put(s);
		if (r)
			return r;
	}
	return NULL;
}

void app_enter_process(struct app *a, u64 pid, u64 start_time_ns, const char *view)
{
	const struct processes_row *p = a->shown ? snapshot_process(a->shown, pid, start_time_ns) : NULL;
	const struct row *past = p ? NULL : find_in_past(a, pid, start_time_ns);
	char label[64];

	if (past)
		p = (const struct processes_row *)past;

	if (!view)
		view = app_view_exists("card") ? "card" : "syscalls";
	if (app_level(a)->ctx.pid == pid && app_level(a)->ctx.start_time_ns == start_time_ns) {
		app_show(a, view, -1);
		row_put(past);
		return;
	}
	snprintf(label, sizeof(label), "%s %llu", p && p->comm ? p->comm : "?",
		 (unsigned long long)pid);
	app_enter(a, view, pid, p ? p->start_time_ns : start_time_ns, p ? &p->row : NULL, label);
	if (past && !app_level(a)->process) {
		app_level(a)->process = past;	/* takes over the reference */
		app_refresh(a);
	} else {
		row_put(past);
	}
}

void app_show(struct app *a, const char *view, int face)
{
	int id = view_by_name(view, strlen(view));

	if (id < 0)
		return;
	if (app_views[id]->flags & VIEW_OVERLAY) {
		if (a->under < 0)
			a->under = a->view;
		a->view = id;
		if (a->tables[id])
			table_reset(a->tables[id]);
	} else {
		leave_overlay(a);
		if (id != a->view)
			enter_view(a, id);
	}
	if (face >= 0)
		a->faces[id] = face;
	app_refresh(a);
}

bool app_up(struct app *a)
{
	struct level *l;

	if (a->under >= 0) {
		leave_overlay(a);
		app_refresh(a);
		return true;
	}
	if (a->n_levels == 1)
		return false;
	level_drop(&a->levels[--a->n_levels]);
	l = app_level(a);
	a->view = l->view;
	a->faces[a->view] = l->face;
	if (a->tables[a->view]) {
		table_reset(a->tables[a->view]);
		table_restore(a->tables[a->view], &l->position);
		a->table_ctx[a->view] = l->ctx;
	}
	app_refresh(a);
	return true;
}

/* ---- tabs ---------------------------------------------------------------------- */

static int count_words(const char *s)
{
	int n = 0;

	for (; s && *s; s += strspn(s, " "), n++)
		s += strcspn(s, " ");
	return n;
}

/* The digit of the present tab: its next face; of another: that tab. */
void level_open_digit(struct app *a, char digit)
{
	int ids[N_VIEWS], n = app_tab_views(a, digit, ids), at = -1;

	if (!n) {
		app_say(a, ROLE_text, "there is no view %c here", digit);
		return;
	}
	for (int i = 0; a->under < 0 && i < n; i++)
		if (ids[i] == a->view)
			at = i;
	if (at >= 0 && a->faces[a->view] + 1 < count_words(app_view(a)->faces)) {
		app_set_face(a, a->faces[a->view] + 1);
		return;
	}
	if (at >= 0 && n == 1)
		app_set_face(a, 0);
	else
		app_show(a, app_views[ids[(at + 1) % n]]->name, -1);
}

void level_step_tab(struct app *a, int step)
{
	static const char digits[] = "1234567890";
	const char *now = app_view(a)->digit ? strchr(digits, app_view(a)->digit) : digits;
	int at = now ? (int)(now - digits) : 0, ids[N_VIEWS];

	for (int k = 1; k <= 10; k++) {
		char d = digits[(at + step * k + 20) % 10];

		if (app_tab_views(a, d, ids)) {
			level_open_digit(a, d);
			return;
		}
	}
}
