// SPDX-License-Identifier: GPL-2.0-or-later
/* level.c: navigation: the levels of the breadcrumb, tabs and faces. */
#include <stdio.h>
#include <string.h>

#include "tui/app/app_state.h"

#define PAST_TICKS 30	/* how far back to search for the end of a process */

void level_drop(struct app *a, struct level *l)
{
	app_put_later(a, l->ctx.row, NULL);
	app_put_later(a, l->process, l->end);
	table_position_drop(&l->position);
	*l = (struct level){ 0 };
}

static void set_table_context(struct app *a, int view, const struct context *ctx)
{
	row_get(ctx->row);	/* reference held so that its address stays unique while compared */
	row_put(a->table_ctx[view].row);
	a->table_ctx[view] = *ctx;
}

/* A table keeps its cursor and its ghosts as long as the context of its rows is the same. */
static void enter_view(struct app *a, int view)
{
	const struct context *ctx = app_context(a);

	a->view = view;
	app_level(a)->view = view;
	if (a->tables[view] && memcmp(ctx, &a->table_ctx[view], sizeof(*ctx)))
		table_reset(a->tables[view]);
	set_table_context(a, view, ctx);
}

static void leave_overlays(struct app *a)
{
	a->view = app_ground(a);
	a->n_below = 0;
}

static void close_overlay(struct app *a)
{
	a->view = a->below[--a->n_below];
}

/*
 * Opens an overlay, over an overlay too (the help of health); from the help it replaces the help.
 */
static void open_overlay(struct app *a, int view)
{
	if (a->view == VIEW_help)
		close_overlay(a);
	if (a->view == view)
		return;
	if (a->n_below < MAX_OVERLAYS)
		a->below[a->n_below++] = a->view;
	a->view = view;
	if (a->tables[view])
		table_reset(a->tables[view]);
}

/* The selected row is what the current level already shows: no new level. */
static bool is_here(struct app *a, u64 pid, u64 start_time_ns, const struct row *row)
{
	const struct context *ctx = app_context(a);
	const struct row *of = ctx->row;

	if (!of || !row || ctx->pid != pid || ctx->start_time_ns != start_time_ns || !a->tables[a->view] ||
	    a->tables[a->view]->spec->table != row->table)
		return false;
	return of == row || (!of->sum && !row->sum && of->table == row->table && !row_cmp_keys(of, row));
}

void app_enter(struct app *a, const char *view, u64 pid, u64 start_time_ns,
	       const struct row *row, const char *label)
{
	int id = app_view_by_name(view, strlen(view));
	struct level *l;

	leave_overlays(a);
	if (id >= 0 && is_here(a, pid, start_time_ns, row)) {
		app_show(a, view, -1);
		return;
	}
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
	if (row && row->table == TABLE_processes && !row->sum)
		l->process = row_get(row);	/* all that is known once it has ended */
	snprintf(l->label, sizeof(l->label), "%s", label);
	enter_view(a, id);
	app_refresh(a);
}

/* The last tick in from..to-1 with the process (one reference), or NULL. Decodes forward. */
static const struct snapshot *last_with(struct history *h, int from, int to, u64 pid, u64 start_time_ns)
{
	const struct snapshot *found = NULL;

	for (int i = max(from, 0); i < to; i++) {
		const struct snapshot *s = history_snapshot(h, (u32)i);

		if (!s || !snapshot_process(s, pid, start_time_ns)) {
			snapshot_put(s);
			continue;
		}
		snapshot_put(found);
		found = s;
	}
	return found;
}

/* The last tick before the shown one that contains the process (one reference), or NULL. */
static const struct snapshot *find_end(const struct app *a, u64 pid, u64 start_time_ns)
{
	struct history *h = a->config.history;
	int at = app_history_index(a);
	const struct snapshot *s = last_with(h, at - GHOST_TICKS, at, pid, start_time_ns);

	return s ? s : last_with(h, at - PAST_TICKS, at - GHOST_TICKS, pid, start_time_ns);
}

/* Finds the last tick of an ended process. Searched only once. */
static void find_end_of(const struct app *a, struct level *l)
{
	const struct processes_row *p;

	if (l->end || l->end_sought)
		return;
	l->end_sought = true;
	l->end = find_end(a, l->ctx.pid, l->ctx.start_time_ns);
	p = l->end ? snapshot_process(l->end, l->ctx.pid, l->ctx.start_time_ns) : NULL;
	if (!p || l->process)
		return;
	l->process = row_get(&p->row);
}

void level_update(struct app *a, struct level *l)
{
	const struct processes_row *p;

	if (!l->ctx.pid || !a->shown)
		return;
	p = snapshot_process(a->shown, l->ctx.pid, l->ctx.start_time_ns);
	if (!p) {
		find_end_of(a, l);
		return;
	}
	app_put_later(a, l->process, l->end);
	l->process = row_get(&p->row);
	l->end = p->row.closed ? snapshot_get(a->shown) : NULL;
	l->end_sought = false;
}

void app_enter_row(struct app *a, const struct processes_row *p, const char *view)
{
	char label[64];

	if (!view)
		view = app_view_exists("card") ? "card" : "syscalls";
	if (app_level(a)->ctx.pid == p->pid && app_level(a)->ctx.start_time_ns == p->start_time_ns) {
		app_show(a, view, -1);
		return;
	}
	snprintf(label, sizeof(label), "%s %llu", p->comm ? p->comm : "?", (unsigned long long)p->pid);
	app_enter(a, view, p->pid, p->start_time_ns, &p->row, label);
}

void app_enter_process(struct app *a, u64 pid, u64 start_time_ns, const char *view)
{
	const struct processes_row *p = a->shown ? snapshot_process(a->shown, pid, start_time_ns) : NULL;
	const struct snapshot *end = p || !a->shown ? NULL : find_end(a, pid, start_time_ns);
	char label[64];

	if (end)
		p = snapshot_process(end, pid, start_time_ns);
	if (p) {
		app_enter_row(a, p, view);
	} else {
		snprintf(label, sizeof(label), "? %llu", (unsigned long long)pid);
		app_enter(a, view ? view : "card", pid, start_time_ns, NULL, label);
	}
	snapshot_put(end);
}

void app_enter_group(struct app *a, const struct row *sum)
{
	const struct grouping *by = group_by(sum);
	const struct context *ctx = app_context(a);
	bool process = !strcmp(by->fields[0], "pid");
	u64 pid = process ? row_u64(sum, schema_field(sum->table, "pid")) : U64_BLANK;
	u64 start_ns = process ? row_u64(sum, schema_field(sum->table, by->fields[1])) : 0;
	char label[96];

	if (u64_known(pid)) {
		app_enter_process(a, pid, u64_known(start_ns) ? start_ns : 0, app_view(a)->name);
		return;
	}
	group_label(sum, label, sizeof(label));
	if (!strcmp(label, "none"))
		snprintf(label, sizeof(label), "no %s", by->title);
	app_enter(a, app_view(a)->name, ctx->pid, ctx->start_time_ns, sum, label);
}

void app_enter_found(struct app *a, const struct row *sum)
{
	int n = a->n_levels;

	app_enter_group(a, sum);
	app_level(a)->found = a->n_levels > n;
}

void app_show(struct app *a, const char *view, int face)
{
	int id = app_view_by_name(view, strlen(view));

	if (id < 0)
		return;
	if (app_views[id]->flags & VIEW_OVERLAY) {
		open_overlay(a, id);
	} else {
		leave_overlays(a);
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

	if (a->n_below) {
		close_overlay(a);
		app_refresh(a);
		return true;
	}
	if (a->n_levels == 1)
		return false;
	level_drop(a, &a->levels[--a->n_levels]);
	l = app_level(a);
	a->view = l->view;
	a->faces[a->view] = l->face;
	if (a->tables[a->view]) {
		table_reset(a->tables[a->view]);
		table_restore(a->tables[a->view], &l->position);
		set_table_context(a, a->view, &l->ctx);
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

/* The digit of the current tab selects its next face, another digit that tab. */
void level_open_digit(struct app *a, char digit)
{
	int ids[N_VIEWS], n = app_tab_views(a, digit, ids), at = -1;

	if (!n) {
		app_say(a, ROLE_text, "there is no view %c here", digit);
		return;
	}
	for (int i = 0; !a->n_below && i < n; i++)
		if (ids[i] == a->view)
			at = i;
	if (at >= 0 && a->faces[a->view] + 1 < count_words(app_view(a)->faces)) {
		app_set_face(a, a->faces[a->view] + 1);
		return;
	}
	if (at >= 0 && n == 1 && !a->faces[a->view])
		app_say(a, ROLE_text, "this tab has no other face");
	else if (at >= 0 && n == 1)
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
