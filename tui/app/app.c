// SPDX-License-Identifier: GPL-2.0-or-later
/* app.c: views and levels: where the user is, and what a key does there. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/app/app_state.h"

#define MESSAGE_NS (3 * NSEC_PER_SEC)
#define REST_TICKS 10

const struct view *const app_views[N_VIEWS] = {
#define VIEW(name) &name##_view,
#include "tui/app/views.def"
};

/* ---- views by name and digit --------------------------------------------------- */

int app_view_by_name(const char *name, size_t n)
{
	for (int i = 0; i < N_VIEWS; i++)
		if (strlen(app_views[i]->name) == n && !strncmp(app_views[i]->name, name, n))
			return i;
	return -1;
}

bool app_view_exists(const char *name)
{
	return app_view_by_name(name, strlen(name)) >= 0;
}

const char *app_view_names(void)
{
	static char names[256];

	names[0] = '\0';
	for (int i = 0; i < N_VIEWS; i++)
		text_add(names, sizeof(names), ", ", "%s", app_views[i]->name);
	return names;
}

bool app_can_open_view(const struct app *a, int view)
{
	bool process = a->levels[a->n_levels - 1].ctx.pid != 0;
	u32 flags = app_views[view]->flags;

	if ((flags & VIEW_PAGE) && !a->levels[a->n_levels - 1].ctx.row)
		return false;
	return !((flags & VIEW_PROCESS) && !process) && !((flags & VIEW_HOST) && process);
}

int app_tab_views(const struct app *a, char digit, int ids[N_VIEWS])
{
	int n = 0;

	for (int i = 0; i < N_VIEWS; i++)
		if (app_views[i]->digit == digit && !(app_views[i]->flags & VIEW_PAGE) && app_can_open_view(a, i))
			ids[n++] = i;
	return n;
}

/* ---- requests to the source ------------------------------------------------------ */

static u64 view_needs(const struct app *a, int view)
{
	const struct view *v = app_views[view];

	return v->needs | (v->wants ? v->wants(a, a->states[view]) : 0);
}

/* Views with these tables show system call counts of processes or the host. */
#define SHOWS_CALLS (TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_threads) | TABLE_BIT(TABLE_syscalls))

void app_want(struct app *a)
{
	const struct app_source *src = &a->config.source;
	const struct view *v = app_view(a);
	const struct context *ctx = app_context(a);
	u64 needs = view_needs(a, a->view), tables;
	bool scoped = ctx->pid && (v->flags & VIEW_SCOPED);

	for (int i = 0; i < a->n_below; i++)
		needs |= view_needs(a, a->below[i]);
	tables = needs | a->config.always | TABLE_BIT(TABLE_host) | TABLE_BIT(TABLE_processes) |
		 TABLE_BIT(TABLE_self) | (needs & SHOWS_CALLS ? 0 : WANT_NO_CALLS);
	if (src->want && (tables != a->wanted || ctx->pid != a->wanted_pid ||
			  ctx->start_time_ns != a->wanted_start_ns))
		src->want(src->arg, tables, ctx->pid, ctx->start_time_ns);
	if (src->scope && scoped != a->scoped)
		src->scope(src->arg, scoped);
	a->wanted = tables;
	a->wanted_pid = ctx->pid;
	a->wanted_start_ns = ctx->start_time_ns;
	a->scoped = scoped;
}

static void update_host(struct app *a)
{
	struct history *h = a->config.history;

	series_update(&a->host.cpu, h, a->shown, "cpu_pct");
	series_update(&a->host.psi_cpu, h, a->shown, "psi_cpu_pct");
	series_update(&a->host.psi_io, h, a->shown, "psi_io_pct");
	series_update(&a->host.psi_mem, h, a->shown, "psi_mem_pct");
}

/* Refreshes only the view on the screen. */
static void app_refresh_view(struct app *a)
{
	const struct view *v = app_view(a);

	if (v->update)
		v->update(a, a->states[a->view]);
	if (a->tables[a->view])
		table_reload(a, a->tables[a->view]);
	a->dirty = true;
}

void app_refresh(struct app *a)
{
	for (int i = 0; i < N_VIEWS; i++)	/* hidden views keep no rows */
		if (a->tables[i] && i != a->view)
			table_unload(a, a->tables[i]);
	for (int i = 0; i < a->n_levels; i++)
		level_update(a, &a->levels[i]);
	update_host(a);
	slow_update(a);
	app_refresh_view(a);
	app_want(a);
}

/* ---- deferred release of memory ---------------------------------------------------------- */

void app_put_later(struct app *a, const struct row *r, const struct snapshot *s)
{
	struct later *l = &a->later;

	if (r) {
		l->rows = grow(l->rows, l->n_rows, &l->cap_rows, sizeof(*l->rows));
		l->rows[l->n_rows++] = r;
	}
	if (s) {
		l->snapshots = grow(l->snapshots, l->n_snapshots, &l->cap_snapshots, sizeof(*l->snapshots));
		l->snapshots[l->n_snapshots++] = s;
	}
}

void app_put_now(struct app *a)
{
	struct later *l = &a->later;

	while (l->n_rows)
		row_put(l->rows[--l->n_rows]);
	while (l->n_snapshots)
		snapshot_put(l->snapshots[--l->n_snapshots]);
}

/* ---- for views ------------------------------------------------------------------------ */

const struct snapshot *app_snapshot(const struct app *a)
{
	return a->shown;
}

struct history *app_history(const struct app *a)
{
	return a->config.history;
}

int app_history_index(const struct app *a)
{
	return a->shown && a->config.history ? history_find(a->config.history, a->shown->seq) : -1;
}

bool app_live(const struct app *a)
{
	return !a->paused && !a->config.replay;
}

bool app_replaying(const struct app *a)
{
	return a->config.replay;
}

const char *app_missing(const struct app *a)
{
	const struct processes_row *p = app_process(a);

	if (p && p->row.closed)
		return "ended";
	return a->config.replay ? "not recorded" : a->paused ? "not read at that moment" : "not read yet";
}

const struct context *app_context(const struct app *a)
{
	return &a->levels[a->n_levels - 1].ctx;
}

const struct processes_row *app_process(const struct app *a)
{
	return processes_row(a->levels[a->n_levels - 1].process);
}

const struct snapshot *app_process_snapshot(const struct app *a)
{
	const struct level *l = &a->levels[a->n_levels - 1];

	return l->end ? l->end : a->shown;
}

bool app_wide(const struct app *a)
{
	return a->cols >= 120;
}

int app_cols(const struct app *a)
{
	return a->cols;
}

int app_face(const struct app *a)
{
	return a->faces[a->view];
}

void app_set_face(struct app *a, int face)
{
	a->faces[a->view] = face;
	app_refresh_view(a);
}

void *app_view_state(const struct app *a, const struct view *v)
{
	int id = app_view_by_name(v->name, strlen(v->name));

	return id < 0 ? NULL : a->states[id];
}

struct tableview *app_table(const struct app *a)
{
	return a->tables[a->view];
}

void app_say(struct app *a, enum role role, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->message, sizeof(a->message), fmt, ap);
	va_end(ap);
	a->message_role = role;
	a->message_until_ns = a->now_ns + MESSAGE_NS;
	a->message_view = a->view;
	a->dirty = true;
}

void app_ask_name(const struct app *a, const char *addr)
{
	const struct app_source *src = &a->config.source;

	if (src->ask_name && app_live(a))
		src->ask_name(src->arg, addr);
}

const char *app_search_text(const struct app *a)
{
	return *a->search && a->search_view == a->view ? a->search : NULL;
}

bool app_dirty(const struct app *a)
{
	return a->dirty;
}

char *app_take_copy(struct app *a)
{
	char *text = a->copied;

	a->copied = NULL;
	return text;
}

void app_copy(struct app *a, const char *what, const char *text)
{
	free(a->copied);
	a->copied = xstrdup(text);
	app_say(a, ROLE_text, "copied, where the terminal permits it: %s", what);
}

/* ---- life ------------------------------------------------------------------------------- */

static void open_first(struct app *a)
{
	const char *name = a->config.view;
	int id = name ? app_view_by_name(name, strlen(name)) : 0;

	if (a->config.pid) {
		a->levels[1].ctx.pid = a->config.pid;
		snprintf(a->levels[1].label, sizeof(a->levels[1].label), "%llu",
			 (unsigned long long)a->config.pid);
		a->n_levels = 2;
	}
	if (id >= 0 && a->config.pid && (app_views[id]->flags & VIEW_HOST))
		id = app_view_by_name("card", 4);
	if (id < 0 || (app_views[id]->flags & VIEW_OVERLAY) || !app_can_open_view(a, id))
		id = 0;
	a->view = id;
	app_level(a)->view = id;
}

struct app *app_new(const struct app_config *config, int rows, int cols)
{
	struct app *a = xcalloc(1, sizeof(*a));

	a->config = *config;
	a->rows = rows;
	a->cols = cols;
	a->n_levels = 1;
	a->drawn = -1;
	a->dirty = true;
	for (int i = 0; i < N_VIEWS; i++) {
		a->states[i] = xcalloc(1, app_views[i]->state_size);
		if (app_views[i]->table)
			a->tables[i] = table_new(app_views[i]->table, a->states[i]);
	}
	open_first(a);
	app_want(a);
	return a;
}

void app_free(struct app *a)
{
	if (!a)
		return;
	free(a->copied);
	while (a->n_levels)
		level_drop(a, &a->levels[--a->n_levels]);
	for (int i = 0; i < N_VIEWS; i++) {
		if (app_views[i]->fini)
			app_views[i]->fini(a->states[i]);
		free(a->states[i]);
		table_free(a->tables[i]);
	}
	for (int i = 0; i < N_VIEWS; i++)
		row_put(a->table_ctx[i].row);
	app_put_now(a);
	free(a->later.rows);
	free(a->later.snapshots);
	table_position_drop(&a->prompt.position);
	row_put(a->peer.row);
	slow_free(&a->slow);
	snapshot_put(a->latest);
	snapshot_put(a->shown);
	free(a);
}

/* The process of --pid is known by number only until it appears in a snapshot. */
static void resolve_pid(struct app *a)
{
	struct level *l = &a->levels[1];
	const struct processes_row *p;

	if (a->n_levels < 2 || !l->ctx.pid || l->ctx.start_time_ns || !a->shown)
		return;
	p = snapshot_process(a->shown, l->ctx.pid, 0);
	if (!p)
		return;
	l->ctx.start_time_ns = p->start_time_ns;
	snprintf(l->label, sizeof(l->label), "%s %llu", p->comm ? p->comm : "?",
		 (unsigned long long)p->pid);
}

/* Views hidden for a while release memory that can be rebuilt. */
static void rest_unseen(struct app *a)
{
	for (int i = 0; i < N_VIEWS; i++)
		if (i == a->view || i == app_ground(a))
			a->unseen[i] = 0;
		else if (++a->unseen[i] == REST_TICKS && app_views[i]->rest)
			app_views[i]->rest(a->states[i]);
}

void app_tick(struct app *a, const struct snapshot *s)
{
	a->ticked = true;
	rest_unseen(a);
	moment_tick(a, s);
	resolve_pid(a);
	app_put_now(a);
}

void app_resize(struct app *a, int rows, int cols)
{
	a->rows = rows;
	a->cols = cols;
	a->dirty = true;
}

/* Marks the screen late if ticks are missing. Returns the longest wait in ms, -1: no limit. */
static int time_late(struct app *a, u64 before_ns, int wait_ms)
{
	u64 until_ns, late_ns = moment_late_ns(a, &until_ns);
	int late_ms = late_ns ? 1000 : until_ns < 1000 * NSEC_PER_SEC ? (int)(until_ns / NSEC_PER_MSEC) + 1 : -1;

	if (late_ns && late_ns / NSEC_PER_SEC != before_ns / NSEC_PER_SEC)
		a->dirty = true;
	return late_ms < 0 ? wait_ms : wait_ms < 0 ? late_ms : min(wait_ms, late_ms);
}

int app_time(struct app *a, u64 now_ns)
{
	u64 late_ns = moment_late_ns(a, NULL);
	int wait_ms;

	a->now_ns = now_ns;
	if (a->ticked)
		a->tick_at_ns = now_ns;
	a->ticked = false;
	if (*a->message && a->message_role != ROLE_bad && now_ns >= a->message_until_ns) {
		a->message[0] = '\0';
		a->dirty = true;
	}
	wait_ms = time_late(a, late_ns, moment_time(a));
	app_put_now(a);
	return wait_ms;
}

void app_draw(struct app *a, struct canvas *c)
{
	canvas_clear(c);
	a->again = false;
	bars_draw(a, c);
	a->drawn = a->shown ? a->view : -1;
	look_report(a);
	a->dirty = a->again;
	app_put_now(a);
}

void app_see(struct app *a, const u32 *frames, u32 n)
{
	if (a->config.source.see)
		a->config.source.see(a->config.source.arg, frames, n);
}

void app_again(struct app *a)
{
	a->again = true;
}
