// SPDX-License-Identifier: GPL-2.0-or-later
/* app.c: views and levels: where the user is, and what a key does there. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/app_state.h"

#define PAST_TICKS 30
#define MESSAGE_NS (6 * NSEC_PER_SEC)

const struct view *const app_views[N_VIEWS] = {
#define VIEW(name) &name##_view,
#include "tui/views.def"
#undef VIEW
};

/* ---- views by name and digit --------------------------------------------------- */

int view_by_name(const char *name, size_t n)
{
	for (int i = 0; i < N_VIEWS; i++)
		if (strlen(app_views[i]->name) == n && !strncmp(app_views[i]->name, name, n))
			return i;
	return -1;
}

bool app_view_exists(const char *name)
{
	return view_by_name(name, strlen(name)) >= 0;
}

const char *app_view_names(void)
{
	static char names[256];
	size_t n = 0;

	for (int i = 0; i < N_VIEWS && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "",
				      app_views[i]->name);
	return names;
}

static bool can_open(const struct app *a, int view)
{
	bool process = a->levels[a->n_levels - 1].ctx.pid != 0;
	u32 flags = app_views[view]->flags;

	return !((flags & VIEW_PROCESS) && !process) && !((flags & VIEW_HOST) && process);
}

int app_tab_views(const struct app *a, char digit, int ids[N_VIEWS])
{
	int n = 0;

	for (int i = 0; i < N_VIEWS; i++)
		if (app_views[i]->digit == digit && can_open(a, i))
			ids[n++] = i;
	return n;
}

static int count_words(const char *s)
{
	int n = 0;

	for (; s && *s; s += strspn(s, " "), n++)
		s += strcspn(s, " ");
	return n;
}

/* ---- what is wanted of the source ------------------------------------------------ */

void app_want(struct app *a)
{
	const struct app_source *src = &a->config.source;
	const struct view *v = app_view(a);
	const struct context *ctx = app_context(a);
	u64 tables = v->needs | a->config.always | TABLE_BIT(TABLE_host) |
		     TABLE_BIT(TABLE_processes) | TABLE_BIT(TABLE_self);
	bool scoped = ctx->pid && (v->flags & VIEW_SCOPED);

	if (a->under >= 0)
		tables |= app_views[a->under]->needs;
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

static void update_process(struct app *a, struct level *l)
{
	const struct processes_row *p;

	if (!l->ctx.pid || !a->shown)
		return;
	p = snapshot_process(a->shown, l->ctx.pid, l->ctx.start_time_ns);
	if (!p)
		return;
	row_put(l->process);
	l->process = row_get(&p->row);
}

static void update_host(struct app *a)
{
	struct history *h = a->config.history;

	series_update(&a->host.cpu, h, a->shown, TABLE_host, table_field(TABLE_host, "cpu_pct"), NULL);
	series_update(&a->host.psi_cpu, h, a->shown, TABLE_host,
		      table_field(TABLE_host, "psi_cpu_pct"), NULL);
	series_update(&a->host.psi_io, h, a->shown, TABLE_host,
		      table_field(TABLE_host, "psi_io_pct"), NULL);
	series_update(&a->host.psi_mem, h, a->shown, TABLE_host,
		      table_field(TABLE_host, "psi_mem_pct"), NULL);
}

static void refresh_view(struct app *a)
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
	for (int i = 0; i < a->n_levels; i++)
		update_process(a, &a->levels[i]);
	update_host(a);
	refresh_view(a);
	app_want(a);
}

/* ---- levels ------------------------------------------------------------------------- */

static void level_drop(struct level *l)
{
	row_put(l->ctx.row);
	row_put(l->process);
	table_position_drop(&l->position);
	*l = (struct level){ 0 };
}

static void enter_view(struct app *a, int view)
{
	a->view = view;
	app_level(a)->view = view;
	if (a->tables[view])
		table_reset(a->tables[view]);
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
	}
	app_refresh(a);
	return true;
}

/* The digit of the present tab: its next face; of another: that tab. */
void app_open_digit(struct app *a, char digit)
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

static void step_tab(struct app *a, int step)
{
	static const char digits[] = "1234567890";
	const char *now = app_view(a)->digit ? strchr(digits, app_view(a)->digit) : digits;
	int at = now ? (int)(now - digits) : 0, ids[N_VIEWS];

	for (int k = 1; k <= 10; k++) {
		char d = digits[(at + step * k + 20) % 10];

		if (app_tab_views(a, d, ids)) {
			app_open_digit(a, d);
			return;
		}
	}
}

/* ---- actions ---------------------------------------------------------------------------- */

static void write_now(struct app *a, const char *path)
{
	const struct app_source *src = &a->config.source;
	char *line;

	if (!src->write || !a->shown) {
		app_say(a, ROLE_bad, "nothing can be written here");
		return;
	}
	line = src->write(src->arg, a->shown, app_view(a)->needs, path);
	app_say(a, ROLE_text, "%s", line ? line : "written");
	free(line);
}

static void toggle_record(struct app *a)
{
	const struct app_source *src = &a->config.source;
	char *line;

	if (!src->record) {
		app_say(a, ROLE_bad, "a replay cannot be recorded: copy its file");
		return;
	}
	line = src->record(src->arg, !a->recording, NULL, &a->recording);
	app_say(a, ROLE_text, "%s", line ? line : "");
	free(line);
}

static void back(struct app *a)
{
	/* From a view of the host: to the first view, so that Backspace always leads home. */
	if (!app_up(a) && a->view != 0)
		app_show(a, app_views[0]->name, -1);
}

static void quit(struct app *a)
{
	if (a->under >= 0)
		app_up(a);
	else
		a->quit = true;
}

static void cancel(struct app *a)
{
	struct tableview *t = a->tables[a->view];

	a->message[0] = '\0';
	if (a->under >= 0)
		app_up(a);
	else if (t && t->search)
		table_search(t, NULL);
	a->search[0] = '\0';
}

/* What a '?' in this view means: the words of the collectors behind it. */
static void explain(struct app *a)
{
	const struct view *v = app_view(a);

	for (u32 t = 0; a->shown && t < N_TABLES; t++) {
		const struct table *table = &a->shown->tables[t];

		if ((v->needs & TABLE_BIT(t)) && table->reason) {
			app_say(a, ROLE_text, "%s: %s", table_descs[t].name, table->reason);
			return;
		}
	}
	app_say(a, ROLE_text, "a ? is not known: no collector of this version fills that column yet");
}

static bool act_prompt(struct app *a, enum action action)
{
	switch (action) {
	case ACTION_search:
		prompt_open(a, PROMPT_search, "");
		return true;
	case ACTION_filter:
		prompt_open(a, PROMPT_filter, table_filter_text(a->tables[a->view]));
		return true;
	case ACTION_palette:
		prompt_open(a, PROMPT_command, "");
		return true;
	case ACTION_views:
		prompt_open(a, PROMPT_command, "view ");
		return true;
	case ACTION_sort_menu:
		prompt_open(a, PROMPT_command, "sort ");
		return true;
	case ACTION_next_match:
	case ACTION_prev_match:
		prompt_again(a, action == ACTION_next_match ? 1 : -1);
		return true;
	default:
		return false;
	}
}

static bool act_place(struct app *a, enum action action, u32 key)
{
	switch (action) {
	case ACTION_view:
		app_open_digit(a, (char)key);
		return true;
	case ACTION_next_view:
	case ACTION_prev_view:
		step_tab(a, action == ACTION_next_view ? 1 : -1);
		return true;
	case ACTION_help:
		app_show(a, "help", -1);
		return true;
	case ACTION_health:
		app_show(a, "health", -1);
		return true;
	case ACTION_back:
		back(a);
		return true;
	default:
		return false;
	}
}

static void act_rest(struct app *a, enum action action)
{
	switch (action) {
	case ACTION_write:
		write_now(a, NULL);
		break;
	case ACTION_record:
		toggle_record(a);
		break;
	case ACTION_cancel:
		cancel(a);
		break;
	case ACTION_explain:
		explain(a);
		break;
	case ACTION_quit:
		quit(a);
		break;
	case ACTION_interrupt:
		a->quit = true;
		break;
	default:
		break;
	}
}

void app_do(struct app *a, enum action action, u32 key)
{
	const struct view *v = app_view(a);
	struct tableview *t = a->tables[a->view];

	a->dirty = true;
	if (v->act && v->act(a, a->states[a->view], action, key))
		return;
	if (t && table_act(a, t, action, key))
		return;
	if (act_prompt(a, action) || act_place(a, action, key) || moment_act(a, action))
		return;
	act_rest(a, action);
}

bool app_key(struct app *a, u32 key)
{
	enum action action;

	if (key == K_NONE)
		return true;
	if (key == K_CLOSED)
		return false;
	a->dirty = true;
	if (key == K_CTRL + 'c')
		return false;
	if (a->prompt.kind) {
		prompt_key(a, key);
		return !a->quit;
	}
	if (a->message_role == ROLE_bad)	/* an error stays until something is done */
		a->message[0] = '\0';
	action = key_action(key, app_view(a));
	if (action)
		app_do(a, action, key);
	app_want(a);
	return !a->quit;
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

const struct session *app_session(const struct app *a)
{
	return a->config.session;
}

u64 app_interval_ns(const struct app *a)
{
	return a->config.interval_ns;
}

const struct context *app_context(const struct app *a)
{
	return &a->levels[a->n_levels - 1].ctx;
}

const struct processes_row *app_process(const struct app *a)
{
	return (const struct processes_row *)a->levels[a->n_levels - 1].process;
}

int app_face(const struct app *a)
{
	return a->faces[a->view];
}

void app_set_face(struct app *a, int face)
{
	a->faces[a->view] = face;
	refresh_view(a);
}

void *app_view_state(const struct app *a, const struct view *v)
{
	int id = view_by_name(v->name, strlen(v->name));

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
	a->dirty = true;
}

const char *app_search_text(const struct app *a)
{
	return *a->search ? a->search : NULL;
}

bool app_dirty(const struct app *a)
{
	return a->dirty;
}

/* ---- life ------------------------------------------------------------------------------- */

static void open_first(struct app *a)
{
	const char *name = a->config.view;
	int id = name ? view_by_name(name, strlen(name)) : 0;

	if (a->config.pid) {
		a->levels[1].ctx.pid = a->config.pid;
		snprintf(a->levels[1].label, sizeof(a->levels[1].label), "%llu",
			 (unsigned long long)a->config.pid);
		a->n_levels = 2;
	}
	if (id < 0 || (app_views[id]->flags & VIEW_OVERLAY) || !can_open(a, id))
		id = 0;
	a->view = id;
}

struct app *app_new(const struct app_config *config, int rows, int cols)
{
	struct app *a = xcalloc(1, sizeof(*a));

	a->config = *config;
	a->rows = rows;
	a->cols = cols;
	a->n_levels = 1;
	a->under = -1;
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
	while (a->n_levels)
		level_drop(&a->levels[--a->n_levels]);
	for (int i = 0; i < N_VIEWS; i++) {
		if (app_views[i]->fini)
			app_views[i]->fini(a->states[i]);
		free(a->states[i]);
		table_free(a->tables[i]);
	}
	table_position_drop(&a->prompt.position);
	snapshot_put(a->latest);
	snapshot_put(a->shown);
	free(a);
}

/* The process of --pid is known by its number alone until a snapshot has it. */
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

void app_tick(struct app *a, const struct snapshot *s)
{
	moment_tick(a, s);
	resolve_pid(a);
}

void app_resize(struct app *a, int rows, int cols)
{
	a->rows = rows;
	a->cols = cols;
	a->dirty = true;
}

int app_time(struct app *a, u64 now_ns)
{
	a->now_ns = now_ns;
	if (*a->message && a->message_role != ROLE_bad && now_ns >= a->message_until_ns) {
		a->message[0] = '\0';
		a->dirty = true;
	}
	return moment_time(a);
}

void app_draw(struct app *a, struct canvas *c)
{
	canvas_clear(c);
	frame_draw(a, c);
	a->dirty = false;
}
