// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * processes_group.c: one line for all processes of a user, a container, a unit or
 * a name, with the sum of what adds up. The line's identity is that of the
 * process that stands first in it, so the cursor stays on the group.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/views/processes.h"

static const char *const titles[N_GROUPINGS] = { "none", "user", "container", "unit", "name" };

const char *group_title(enum grouping g)
{
	return titles[g];
}

static const char *key_of(enum grouping g, const struct processes_row *p)
{
	const char *s = g == BY_USER ? p->user : g == BY_CONTAINER ? p->container :
			g == BY_UNIT ? p->unit : p->comm;

	return s ? s : "?";
}

struct keyed {
	const char *key;
	u32 at;		/* index of the row: rows of one key stay in the table's order */
};

static int cmp_keyed(const void *pa, const void *pb)
{
	const struct keyed *a = pa, *b = pb;
	int c = strcmp(a->key, b->key);

	return c ? c : a->at < b->at ? -1 : a->at > b->at;
}

struct order {
	bool ascending;
};

static int cmp_group(const void *pa, const void *pb, void *arg)
{
	const struct table_row *a = pa, *b = pb;
	const struct order *o = arg;

	if (a->key != b->key)
		return (a->key < b->key) == o->ascending ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void start_group(struct processes_state *st, struct table_row *out, u32 i,
			const struct table_row *leader, const char *name)
{
	struct group *g = &st->groups[i];

	*out = *leader;
	g->name = name;
	g->members = 0;
	memcpy(&g->sum, leader->row, sizeof(g->sum));
	out->key = max(out->key, 0.0);
	out->data = i;
	out->mark = MARK_none;
	out->drawn = &g->sum.row;
}

u32 group_arrange(struct processes_state *st, struct table_row *rows, u32 n, bool ascending, bool sums)
{
	struct keyed *keyed = xcalloc(n, sizeof(*keyed));
	struct table_row *in = xcalloc(n, sizeof(*in));
	struct order o = { ascending };
	u32 out = 0;

	if (n)
		memcpy(in, rows, n * sizeof(*in));
	free(st->groups);
	st->groups = xcalloc(n, sizeof(*st->groups));
	for (u32 i = 0; i < n; i++)
		keyed[i] = (struct keyed){ key_of(st->grouping, process_row(in[i].row)), i };
	qsort(keyed, n, sizeof(*keyed), cmp_keyed);
	for (u32 i = 0; i < n; i++) {
		const struct table_row *tr = &in[keyed[i].at];

		if (!i || strcmp(keyed[i].key, keyed[i - 1].key)) {
			start_group(st, &rows[out], out, tr, keyed[i].key);
			out++;
		} else {
			tree_add_row(&st->groups[out - 1].sum, tr->row);
			rows[out - 1].key += max(tr->key, 0.0);
		}
		st->groups[out - 1].members++;
	}
	if (sums && out)
		qsort_r(rows, out, sizeof(*rows), cmp_group, &o);
	free(keyed);
	free(in);
	return out;
}

/* Enter on a group: its members, of those that the filter shows. */
static void open_group(struct app *a, struct processes_state *st, const struct table_row *tr)
{
	static const char *const fields[N_GROUPINGS] = { "", "user", "container", "unit", "comm" };
	struct tableview *t = app_table(a);
	const struct processes_row *leader = process_row(tr->row);
	const char *before = table_filter_text(t);
	char filter[sizeof(st->opened_filter)], error[96], name[64];

	snprintf(name, sizeof(name), "%s", st->groups[tr->data].name);
	for (char *p = name; *p; p++)	/* the name as it is, and a blank would end the term */
		if (strchr(" \\^$.[]|()*+?{}", *p))
			*p = '.';
	snprintf(st->before_filter, sizeof(st->before_filter), "%s", before ? before : "");
	snprintf(filter, sizeof(filter), "%s%s%s:^%s$", st->before_filter,
		 *st->before_filter ? " " : "", fields[st->grouping], name);
	snprintf(st->opened_filter, sizeof(st->opened_filter), "%s", filter);
	st->opened = st->grouping;
	st->opened_pid = leader->pid;
	st->opened_start_ns = leader->start_time_ns;
	st->grouping = BY_NONE;
	if (!table_filter(a, t, filter, error, sizeof(error)))
		app_say(a, ROLE_bad, "%s", error);
	else
		app_say(a, ROLE_text, "only these; Backspace: the groups again");
}

/* Backspace on the members of a group: the groups, and that one selected. */
static bool leave_group(struct app *a, struct processes_state *st)
{
	struct tableview *t = app_table(a);
	const char *filter = table_filter_text(t);
	enum grouping opened = st->opened;
	const struct processes_row *p;
	char error[96];

	st->opened = BY_NONE;
	if (opened == BY_NONE || st->grouping || !filter || strcmp(filter, st->opened_filter))
		return false;	/* something else has been chosen since */
	st->grouping = opened;
	if (app_face(a) != FACE_FLAT)
		app_set_face(a, FACE_FLAT);
	table_filter(a, t, st->before_filter, error, sizeof(error));
	table_reload(a, t);
	p = snapshot_process(app_snapshot(a), st->opened_pid, st->opened_start_ns);
	if (p)
		table_select(t, &p->row);
	app_say(a, ROLE_text, "by %s: Enter shows the members, b goes on", titles[opened]);
	return true;
}

bool group_act(struct app *a, struct processes_state *st, enum action action)
{
	struct tableview *t = app_table(a);
	const struct table_row *tr = table_len(t) ? table_at(t, table_cursor_index(t)) : NULL;

	if (action == ACTION_group) {
		st->grouping = (st->grouping + 1) % N_GROUPINGS;
		if (app_face(a) != FACE_FLAT)
			app_set_face(a, FACE_FLAT);
		table_reload(a, t);
		app_say(a, ROLE_text, st->grouping ? "by %s: Enter shows the members, b goes on"
						   : "not grouped", titles[st->grouping]);
		return true;
	}
	if (action == ACTION_open && st->grouping && tr && app_face(a) == FACE_FLAT) {
		open_group(a, st, tr);
		return true;
	}
	if (action == ACTION_back)
		return app_snapshot(a) && leave_group(a, st);
	return false;
}
