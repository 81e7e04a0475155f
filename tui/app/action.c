// SPDX-License-Identifier: GPL-2.0-or-later
/* action.c: dispatches an action: first to the view, then to its table, then to the console. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "tui/app/app_state.h"

bool app_write(struct app *a, const char *path)
{
	const struct app_source *src = &a->config.source;
	const struct view *v = app_view(a);
	u64 from_ns = 0;
	char *line;

	if (!src->write || !a->shown)
		return false;
	if (v->shows_from)
		from_ns = v->shows_from(a, a->states[a->view]);
	line = src->write(src->arg, a->shown, v->needs, from_ns, path);
	app_say(a, ROLE_text, "%s", line ? line : "written");
	free(line);
	return true;
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

void app_send_now(struct app *a)
{
	const struct app_source *src = &a->config.source;
	char *line;

	if (!src->send_now) {
		app_say(a, ROLE_text, "nothing is sent: ottop was started without --otlp");
		return;
	}
	line = src->send_now(src->arg);
	app_say(a, ROLE_text, "%s", line);
	free(line);
}

static void back(struct app *a)
{
	/* From a view of the host to the first view, so that Backspace always ends there. */
	if (app_up(a))
		return;
	if (a->view)
		app_show(a, app_views[0]->name, -1);
	else
		app_say(a, ROLE_text, "nothing is above this list; q quits");
}

static void quit(struct app *a)
{
	if (a->n_below)
		app_up(a);
	else
		a->quit = true;
}

static void cancel(struct app *a)
{
	struct tableview *t = a->tables[a->view];

	a->message[0] = '\0';
	if (a->n_below)
		app_up(a);
	else if (t && t->search)
		table_search(t, NULL);
	a->search[0] = '\0';
}

/* Titles of the selected row's columns that show '?'; returns how many. */
static int unknown_columns(const struct tableview *t, const struct row *r, char *buf, size_t cap)
{
	const struct table_desc *d = &table_descs[t->spec->table];
	int found = 0;

	*buf = '\0';
	for (u32 i = 0; i < t->spec->n_columns; i++) {
		const struct column *c = &t->spec->columns[i];
		int f = c->field ? table_field(t->spec->table, c->field) : -1;

		if (f < 0 || format_state(&d->fields[f], r) != VALUE_UNKNOWN)
			continue;
		text_add(buf, cap, " ", "%s", c->title ? c->title : d->fields[f].title);
		found++;
	}
	return found;
}

/* Why columns of a process are '?': its connections or requests are not counted, or it ended. */
static void explain_process(struct app *a, const struct processes_row *p, const char *columns)
{
	const struct table *net = &a->shown->tables[TABLE_connections];
	bool no_net = !f32_known(p->rx_rate) && net->status != TS_OK && net->status != TS_PARTIAL;

	if (p->row.closed)
		app_say(a, ROLE_text, "%s: it has ended, and was not asked before", columns);
	else if (no_net && net->reason)
		app_say(a, ROLE_text, "RX/s TX/s: %s · HTTP: comes later", net->reason);
	else if (no_net)
		app_say(a, ROLE_text, app_live(a) ? "RX/s TX/s: counted while 5 is looked at · HTTP: comes later" :
			"RX/s TX/s: nobody looked at 5 then · HTTP: comes later");
	else
		app_say(a, ROLE_text, "%s: no collector of this version fills that yet", columns);
}

/* Explains a '?' in this view, with the status of the collectors behind it. */
static void explain(struct app *a)
{
	const struct view *v = app_view(a);
	struct tableview *table = a->tables[a->view];
	const struct row *r = table ? table_cursor(table) : NULL;
	const struct processes_row *p = app_process(a);
	char columns[120];

	for (u32 t = 0; a->shown && t < N_TABLES; t++) {
		const struct table *source = &a->shown->tables[t];

		if ((v->needs & TABLE_BIT(t)) && source->reason) {
			app_say(a, ROLE_text, "%s: %s", table_descs[t].name, source->reason);
			return;
		}
	}
	if (!a->shown || (table && !r))
		app_say(a, ROLE_text, "nothing is selected");
	else if (r && r->sum)
		app_say(a, ROLE_text, "a sum of several rows: Enter shows them one by one");
	else if (r && !unknown_columns(table, r, columns, sizeof(columns)))
		app_say(a, ROLE_text, "nothing of this row is unknown");
	else if (r && table->spec->table == TABLE_processes)
		explain_process(a, processes_row(r), columns);
	else if (r)
		app_say(a, ROLE_text, "%s: not reported by the kernel", columns);
	else if (p && !f32_known(p->rx_rate))
		explain_process(a, p, "rx/s tx/s");
	else
		app_say(a, ROLE_text, "nothing here is unknown");
}

/* htop users press F9: says how to kill the process of the row, or of the context. */
static void say_kill(struct app *a)
{
	const struct tableview *table = a->tables[a->view];
	const struct row *r = table ? table_cursor(table) : NULL;
	const struct field *f = r ? schema_field(r->table, "pid") : NULL;
	u64 pid = f ? row_u64(r, f) : app_context(a)->pid;
	const struct processes_row *p = pid && u64_known(pid) && a->shown ? snapshot_process(a->shown, pid, 0) : NULL;

	if (a->config.replay)
		app_say(a, ROLE_text, "ottop only looks, and this is a recording");
	else if (p ? p->row.closed : r && r->closed && r->table == TABLE_processes)	/* pid may be reused */
		app_say(a, ROLE_text, "ottop only looks, and %llu has ended", (unsigned long long)pid);
	else if (pid && u64_known(pid))
		app_say(a, ROLE_text, "ottop only looks; in a shell: kill %llu", (unsigned long long)pid);
	else
		app_say(a, ROLE_text, "ottop only looks; in a shell: kill PID");
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
		prompt_open_sort(a);
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
		level_open_digit(a, (char)key);
		return true;
	case ACTION_next_view:
	case ACTION_prev_view:
		level_step_tab(a, action == ACTION_next_view ? 1 : -1);
		return true;
	case ACTION_help:
		app_show(a, "help", -1);
		return true;
	case ACTION_health:
	case ACTION_otlp:
		if (strcmp(app_view(a)->name, key_descs[action].action))
			app_show(a, key_descs[action].action, -1);
		else
			app_up(a);	/* the key that opened it also closes it */
		return true;
	case ACTION_back:
		back(a);
		return true;
	default:
		return false;
	}
}

/* Says why a key has no effect here now, if it has one elsewhere. */
static void say_useless(struct app *a, enum action action)
{
	char verb[24];

	while (action > ACTION_none + 1 && !*key_descs[action].label)	/* "<>": one for both */
		action--;
	if (!a->shown || a->again) {
		app_say(a, ROLE_text, a->shown ? "not yet: it is still being added up" : "not yet: the first interval is not over");
		return;
	}
	snprintf(verb, sizeof(verb), "%s", key_descs[action].hint);
	*verb = (char)tolower((unsigned char)*verb);
	app_say(a, ROLE_text, "nothing to %s here", verb);
}

static void act_rest(struct app *a, enum action action)
{
	switch (action) {
	case ACTION_write:
		if (!app_write(a, NULL))
			app_say(a, ROLE_bad, "nothing can be written here");
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
	case ACTION_kill:
		say_kill(a);
		break;
	case ACTION_quit:
		quit(a);
		break;
	case ACTION_interrupt:
		a->quit = true;
		break;
	case ACTION_redraw:
	case ACTION_suspend:	/* handled by the terminal */
		break;
	default:
		say_useless(a, action);
	}
}

void app_do(struct app *a, enum action action, u32 key)
{
	const struct view *v = app_view(a);
	struct tableview *t = a->tables[a->view];

	a->dirty = true;
	if (v->act && v->act(a, a->states[a->view], action, key))
		return;
	if (action == ACTION_open && t && table_cursor(t) && table_cursor(t)->sum) {
		app_enter_group(a, table_cursor(t));
		return;
	}
	if (t && table_act(a, t, action, key))
		return;
	if (act_prompt(a, action) || act_place(a, action, key) || moment_act(a, action))
		return;
	act_rest(a, action);
}

/* A message does not outlive its view, where it would hide more important ones. */
static void end_message(struct app *a)
{
	if (a->message_view != a->view)
		a->message[0] = '\0';
}

/* Motion in a canvas view depends on its last frame: draws one if there is none yet. */
static void draw_ahead(struct app *a)
{
	struct canvas *c;

	if (!app_view(a)->draw || a->drawn == a->view || !a->shown)
		return;
	c = canvas_new(a->rows, a->cols, false, false);
	app_draw(a, c);
	canvas_free(c);
}

static bool take_key(struct app *a, u32 key)
{
	enum action action;

	a->dirty = true;
	if (key == K_CTRL + 'c')
		return false;
	if (a->prompt.kind) {
		prompt_key(a, key);
		end_message(a);
		return !a->quit;
	}
	if (a->message_role == ROLE_bad)	/* an error stays until the next action */
		a->message[0] = '\0';
	action = key_action(key, app_view(a));
	if (action)
		draw_ahead(a);
	a->dirty = true;
	if (action)
		app_do(a, action, key);
	end_message(a);
	app_want(a);
	return !a->quit;
}

bool app_key(struct app *a, u32 key)
{
	bool go_on;

	if (key == K_NONE)
		return true;
	if (key == K_CLOSED)
		return false;
	go_on = take_key(a, key);
	app_put_now(a);
	return go_on;
}
