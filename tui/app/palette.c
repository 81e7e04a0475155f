// SPDX-License-Identifier: GPL-2.0-or-later
/* palette.c: every command by name: actions of keys.def, views, and a few with an argument. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tui/app/app_state.h"

/* ---- commands with an argument ------------------------------------------------------ */

static bool run_view(struct app *a, const char *arg, char *error, size_t cap)
{
	if (!app_view_exists(arg)) {
		snprintf(error, cap, "no view %.40s: %.200s", arg, app_view_names());
		return false;
	}
	if ((app_views[app_view_by_name(arg, strlen(arg))]->flags & VIEW_PROCESS) && !app_context(a)->pid) {
		snprintf(error, cap, "%.40s needs a process: Enter on one", arg);
		return false;
	}
	if (!app_can_open_view(a, app_view_by_name(arg, strlen(arg))) &&
	    (app_views[app_view_by_name(arg, strlen(arg))]->flags & VIEW_PAGE)) {
		snprintf(error, cap, "%.40s is of one row: Enter on it", arg);
		return false;
	}
	app_show(a, arg, -1);
	return true;
}

static bool run_sort(struct app *a, const char *arg, char *error, size_t cap)
{
	struct tableview *t = a->tables[a->view];

	if (!t || !table_reorder(t, arg, false)) {
		snprintf(error, cap, "no column %.60s here", arg);
		return false;
	}
	table_reload(a, t);
	return true;
}

static bool run_pid(struct app *a, const char *arg, char *error, size_t cap)
{
	u64 pid = strtoull(arg, NULL, 10);
	const struct processes_row *p = a->shown ? snapshot_process(a->shown, pid, 0) : NULL;

	if (!p) {
		snprintf(error, cap, "no process %.20s", arg);
		return false;
	}
	app_enter_process(a, p->pid, p->start_time_ns, NULL);
	return true;
}

static bool run_delay(struct app *a, const char *arg, char *error, size_t cap)
{
	double s = strtod(arg, NULL);
	const struct app_source *src = &a->config.source;

	if (s >= 50)	/* milliseconds, as in ":delay 500" */
		s /= 1000;
	if (s < 0.1 || s > 60 || !src->interval) {
		snprintf(error, cap, src->interval ? "the delay is 0.1 to 60 seconds (or milliseconds from 100)"
						   : "a replay has the interval it was recorded with");
		return false;
	}
	a->config.interval_ns = (u64)(s * 1e9);
	src->interval(src->arg, a->config.interval_ns);
	return true;
}

static bool run_filter(struct app *a, const char *arg, char *error, size_t cap)
{
	struct tableview *t = a->tables[a->view];

	if (t)
		return table_filter(a, t, arg, error, cap);
	snprintf(error, cap, "this view has no filter");
	return false;
}

static bool run_write(struct app *a, const char *arg, char *error, size_t cap)
{
	if (app_write(a, *arg ? arg : NULL))
		return true;
	snprintf(error, cap, "nothing can be written here");
	return false;
}

static bool run_record(struct app *a, const char *arg, char *error, size_t cap)
{
	const struct app_source *src = &a->config.source;
	char *line;

	if (!src->record) {
		snprintf(error, cap, "a replay cannot be recorded: copy its file");
		return false;
	}
	line = src->record(src->arg, !a->recording, *arg ? arg : NULL, &a->recording);
	app_say(a, ROLE_text, "%s", line ? line : "");
	free(line);
	return true;
}

static const struct command {
	const char *name, *argument, *help;
	bool (*run)(struct app *a, const char *arg, char *error, size_t cap);
} commands[] = {
	{ "view", "NAME", "open a view", run_view },
	{ "sort", "COLUMN", "sort by a column, shown or not", run_sort },
	{ "pid", "N", "go to a process", run_pid },
	{ "delay", "SECONDS", "time between two ticks", run_delay },
	{ "filter", "TEXT", "pid: comm: user: state: port: src: dst: or a regex", run_filter },
	{ "write", "FILE", "write what is shown as JSON", run_write },
	{ "record", "FILE", "start or stop recording", run_record },
};

/* ---- matching --------------------------------------------------------------------------- */

/* Match quality: 0 no match; a prefix scores best, then a substring, then a subsequence. */
static int score(const char *typed, const char *name)
{
	size_t n = strlen(typed);
	const char *p = name;

	if (!n)
		return 1;
	if (!strncasecmp(name, typed, n))
		return name[n] ? 90 : 100;
	if (strcasestr(name, typed))
		return 60;
	for (; *typed; typed++, p++) {
		while (*p && tolower((u8)*p) != tolower((u8)*typed))
			p++;
		if (!*p)
			return 0;
	}
	return 30 - (int)min(p - name, 25);
}

struct list {
	struct choice *choices;
	int *scores;
	u32 n, cap;
};

static void list_add(struct list *l, int s, const char *text, const char *help, const char *key)
{
	u32 i;

	if (s <= 0 || (l->n == l->cap && s <= l->scores[l->n - 1]))
		return;
	for (i = min(l->n, l->cap - 1); i > 0 && l->scores[i - 1] < s; i--) {
		l->choices[i] = l->choices[i - 1];
		l->scores[i] = l->scores[i - 1];
	}
	l->scores[i] = s;
	snprintf(l->choices[i].text, sizeof(l->choices[i].text), "%s", text);
	snprintf(l->choices[i].help, sizeof(l->choices[i].help), "%s", help);
	snprintf(l->choices[i].key, sizeof(l->choices[i].key), "%s", key);
	l->n = min(l->n + 1, l->cap);
}

static void add_views(struct list *l, const char *typed)
{
	for (int i = 0; i < N_VIEWS; i++) {
		const struct view *v = app_views[i];
		char text[64], digit[2] = { v->digit, '\0' };

		if (v->flags & VIEW_PAGE)
			continue;
		snprintf(text, sizeof(text), "view %s", v->name);
		list_add(l, score(typed, v->name), text, v->about, v->digit ? digit :
			 key_descs[key_action_by_name(v->name, strlen(v->name))].label);
	}
}

static void add_columns(const struct app *a, struct list *l, const char *typed)
{
	const struct view *v = app_view(a);
	const struct table_desc *d = v->table ? &table_descs[v->table->table] : NULL;

	for (u32 i = 0; d && i < d->n_fields; i++) {
		const struct field *f = &d->fields[i];
		char text[64];

		if (f->kind == FK_INTERNAL || f->type == FT_SUB || f->type == FT_HIST)
			continue;
		snprintf(text, sizeof(text), "sort %s", f->name);
		list_add(l, max(score(typed, f->name), score(typed, f->title)), text, f->help, f->title);
	}
}

static void add_actions(const struct app *a, struct list *l, const char *typed)
{
	for (u32 i = ACTION_none + 1; i < N_ACTIONS; i++) {
		const struct key_desc *k = &key_descs[i];

		if (!*k->label || !key_applies(i, app_view(a)) || i == ACTION_palette || i == ACTION_view)
			continue;
		list_add(l, max(score(typed, k->action), score(typed, k->hint) / 2), k->action, k->help,
			 k->label);
	}
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
		char help[80];

		if (key_action_by_name(commands[i].name, strlen(commands[i].name)))
			continue;	/* listed above, with its key */
		snprintf(help, sizeof(help), "%s: %s", commands[i].argument, commands[i].help);
		/* Ranked before an action with the same prefix: "sort" before "sort_prev". */
		list_add(l, *typed && score(typed, commands[i].name) ? score(typed, commands[i].name) + 5 : 0,
			 commands[i].name, help, "");
	}
	if (*typed)
		add_views(l, typed);
}

u32 palette_choices(const struct app *a, const char *typed, struct choice *ret, u32 cap)
{
	int scores[PALETTE_MAX];
	struct list l = { ret, scores, 0, min(cap, (u32)PALETTE_MAX) };

	while (*typed == ' ')
		typed++;
	if (!strncmp(typed, "view ", 5))
		add_views(&l, typed + 5);
	else if (!strncmp(typed, "sort ", 5))
		add_columns(a, &l, typed + 5);
	else if (!strchr(typed, ' '))
		add_actions(a, &l, typed);
	return l.n;
}

/* ---- running -------------------------------------------------------------------------------- */

static const struct command *command_by_name(const char *name, size_t n)
{
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (strlen(commands[i].name) == n && !strncmp(commands[i].name, name, n))
			return &commands[i];
	return NULL;
}

bool palette_run(struct app *a, const char *line, char *error, size_t cap)
{
	const struct view *v = app_view(a);
	const struct command *cmd;
	enum action action;
	char copy[PROMPT_MAX];
	size_t n, end;

	line += strspn(line, " ");
	snprintf(copy, sizeof(copy), "%s", line);
	for (end = strlen(copy); end && copy[end - 1] == ' ';)
		copy[--end] = '\0';
	n = strcspn(copy, " ");
	if (v->command && v->command(a, a->states[a->view], copy))
		return true;
	action = key_action_by_name(copy, n);
	cmd = command_by_name(copy, n);
	if (cmd && (copy[n] || !action || cmd->run == run_filter)) {
		if (!copy[n] && cmd->run != run_write && cmd->run != run_record && cmd->run != run_filter) {
			char with_blank[32];

			snprintf(with_blank, sizeof(with_blank), "%s ", cmd->name);
			prompt_open(a, PROMPT_command, with_blank);	/* argument missing */
			return true;
		}
		return cmd->run(a, copy + n + strspn(copy + n, " "), error, cap);
	}
	if (action && key_applies(action, v)) {
		app_do(a, action, K_NONE);
		return true;
	}
	snprintf(error, cap, "no command %.60s", copy);
	return false;
}
