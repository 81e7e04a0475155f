// SPDX-License-Identifier: GPL-2.0-or-later
/* table_load.c: loads the rows of a table from the shown snapshot. */
#include <string.h>

#include "tui/table/table_env.h"
#include "tui/table/table_state.h"

#define SHORT_GHOSTS 4
#define HEAVY_ROWS 20000

static u64 ghost_ticks(const struct tableview *t)
{
	return t->spec->ghost_ticks ? t->spec->ghost_ticks : GHOST_TICKS;
}

/* ---- which rows --------------------------------------------------------------- */

static bool in_context(const struct app *a, const struct tableview *t, const struct row *r)
{
	const struct context *ctx = app_context(a);

	if (!ctx->pid || !(table_descs[t->spec->table].flags & T_HAS_PID))
		return true;
	return row_u64(r, schema_field(t->spec->table, "pid")) == ctx->pid &&
	       row_u64(r, schema_field(t->spec->table, "start_time_ns")) == ctx->start_time_ns;
}

static bool keep_row(struct app *a, const struct tableview *t, const struct row *r)
{
	const struct row *of = app_context(a)->row;

	if (of && of->sum && of->table == r->table && !group_has(of, r))
		return false;
	return !t->spec->keep || t->spec->keep(a, t->state, r);
}

static bool is_new(const struct snapshot *s, const struct row *r)
{
	return r->first_seen_ns > s->time_ns - min(s->interval_ns, s->time_ns);
}

/* other: not a row of t->from, so it needs its own reference. */
static void add_row_of(struct tableview *t, const struct row *r, enum table_mark mark, bool past, bool other)
{
	t->n_all++;
	t->n_all_new += mark == MARK_new;
	t->n_all_gone += mark == MARK_gone;
	/* An ended row cannot match "state:R", yet the selected one stays on the screen. */
	if (t->filter && !filter_match(t->filter, r) && !(mark == MARK_gone && table_is_selected(t, r)))
		return;
	t->n_new += mark == MARK_new;
	t->n_gone += mark == MARK_gone;
	if (t->spec->load)
		t->spec->load(t->state, r);
	if (other) {
		t->kept = grow(t->kept, t->n_kept, &t->cap_kept, sizeof(*t->kept));
		t->kept[t->n_kept++] = row_get(r);
	}
	t->rows = grow(t->rows, t->n, &t->cap, sizeof(*t->rows));
	t->rows[t->n] = (struct table_row){ .row = r, .order = t->n, .mark = (u8)mark, .past = past };
	t->n++;
}

static void add_row(struct tableview *t, const struct row *r, enum table_mark mark, bool past)
{
	add_row_of(t, r, mark, past, false);
}

/* Adds an ended row that is not in the snapshot. */
static void add_gone(struct tableview *t, const struct row *r, bool past)
{
	add_row_of(t, r, MARK_gone, past, true);
}

/* The rows of a process are adjacent if pid and start are the first keys. */
static void context_range(struct app *a, struct tableview *t, const struct snapshot *s,
			  u32 *first, u32 *end)
{
	const struct table_desc *d = &table_descs[t->spec->table];
	const struct context *ctx = app_context(a);

	*first = 0;
	*end = s->tables[t->spec->table].n;
	if (ctx->pid && (d->flags & T_HAS_PID) && d->n_keys >= 2 &&
	    !strcmp(d->fields[0].name, "pid") && !strcmp(d->fields[1].name, "start_time_ns"))
		snapshot_process_rows(s, t->spec->table, ctx->pid, ctx->start_time_ns, first, end);
}

static bool sinks(const struct tableview *t, const struct row *r)
{
	return t->spec->sinks && t->spec->sinks(r) &&
	       !(t->anchored && t->cursor && !row_cmp_keys(t->cursor, r));
}

/* past: s is not the shown snapshot, but the last one of an ended process. */
static void add_rows_of(struct app *a, struct tableview *t, const struct snapshot *s, bool past)
{
	const struct table *table = &s->tables[t->spec->table];
	bool marks = !(table_descs[t->spec->table].flags & T_EVENTS);
	u32 first, end;

	context_range(a, t, s, &first, &end);
	for (u32 i = first; i < end; i++) {
		const struct row *r = table->rows[i];
		enum table_mark mark = MARK_none;

		row_prefetch(table->rows, i, end);
		if (!in_context(a, t, r) || (!keep_row(a, t, r) && !(r->closed && table_is_selected(t, r))))
			continue;
		if (marks)
			mark = r->closed || past ? MARK_gone : is_new(s, r) ? MARK_new : MARK_none;
		add_row(t, r, mark, mark == MARK_gone && sinks(t, r));
	}
}

/* In a collector's first tick all rows are new: then none is marked. */
static void unmark_if_all_new(struct tableview *t)
{
	if (t->n_all_new * 2 < t->n_all)
		return;
	for (u32 i = 0; i < t->n; i++)
		if (t->rows[i].mark == MARK_new)
			t->rows[i].mark = MARK_none;
	t->n_new = 0;
}

/* ---- ghosts ---------------------------------------------------------------------- */

static void ghost_drop(struct tableview *t, u32 i)
{
	row_put(t->ghosts[i].row);
	t->ghosts[i] = t->ghosts[--t->n_ghosts];
}

static void ghost_add(struct tableview *t, const struct row *r, u64 seq)
{
	t->ghosts = grow(t->ghosts, t->n_ghosts, &t->cap_ghosts, sizeof(*t->ghosts));
	t->ghosts[t->n_ghosts++] = (struct ghost){ row_get(r), seq };
}

/* Rows must not vanish at once. Of those that came and went within a tick only a few stay. */
static void ghosts_of(struct tableview *t, const struct snapshot *s)
{
	const struct table *table = &s->tables[t->spec->table];
	u32 n_short = 0, max_short = t->spec->short_ghosts ? t->spec->short_ghosts : SHORT_GHOSTS;

	if (t->spec->no_ghosts || table_descs[t->spec->table].flags & T_EVENTS)
		return;
	for (u32 i = 0; i < table->n; i++)
		if (table->rows[i]->closed &&
		    (!is_new(s, table->rows[i]) || n_short++ < max_short))
			ghost_add(t, table->rows[i], s->seq);
}

/* After a jump in time the previous ticks show which rows have just ended. */
static void ghosts_from_history(struct app *a, struct tableview *t, const struct snapshot *s)
{
	struct history *h = app_history(a);
	int at = h ? history_find(h, s->seq) : -1;

	while (t->n_ghosts)
		ghost_drop(t, t->n_ghosts - 1);
	if (s->tables[t->spec->table].n > HEAVY_ROWS)	/* decoding these takes too long */
		return;
	for (int i = max(at - (int)ghost_ticks(t) + 1, 0); i < at; i++) {
		const struct snapshot *old = history_snapshot(h, (u32)i);

		if (old)
			ghosts_of(t, old);
		snapshot_put(old);
	}
}

static void update_ghosts(struct app *a, struct tableview *t, const struct snapshot *s)
{
	if (t->seq == s->seq)
		return;
	if (t->seq && t->seq + 1 != s->seq)
		ghosts_from_history(a, t, s);
	for (u32 i = t->n_ghosts; i-- > 0;)
		if (t->ghosts[i].ended_seq + ghost_ticks(t) <= s->seq || t->ghosts[i].ended_seq >= s->seq)
			ghost_drop(t, i);
	ghosts_of(t, s);
	t->seq = s->seq;
}

/*
 * The selected object is not in s: has it ended? A process may have ended without its last row
 * being shown (paused); before its start it had not ended yet. An event was merely evicted from the
 * list of the newest.
 */
static bool selected_ended(struct app *a, const struct tableview *t, const struct snapshot *s)
{
	const struct row *r = t->cursor;
	const struct table *table = &s->tables[t->spec->table];

	if (!t->anchored || !r || r->sum || r->first_seen_ns > s->time_ns || !in_context(a, t, r))
		return false;
	if (table_descs[t->spec->table].flags & T_EVENTS)
		return keep_row(a, t, r);
	return r->closed || (t->spec->table == TABLE_processes && table->status == TS_OK && keep_row(a, t, r));
}

static void add_ghosts(struct app *a, struct tableview *t, const struct snapshot *s)
{
	bool selected = !t->cursor || snapshot_find(s, t->cursor);

	for (u32 i = 0; i < t->n_ghosts; i++) {
		const struct row *r = t->ghosts[i].row;

		if (t->ghosts[i].ended_seq == s->seq || snapshot_find(s, r) ||
		    !in_context(a, t, r) || !keep_row(a, t, r))
			continue;
		/* Below live rows, unless selected while alive. */
		add_gone(t, r, !table_is_selected(t, r) || t->cursor_sunk);
		selected |= table_is_selected(t, r);
	}
	if (!selected && selected_ended(a, t, s))
		add_gone(t, t->cursor, t->cursor_sunk);
}

/* The only row that passed a filter ended: it counts as selected, though the user did not move. */
static void keep_only_one(struct app *a, struct tableview *t, const struct snapshot *s)
{
	const struct row *last;

	if (t->n || !t->filter || t->anchored || !t->cursor)
		return;
	t->anchored = true;
	last = snapshot_find(s, t->cursor);
	if (last && last->closed)
		add_row(t, last, MARK_gone, false);
	else if (!last && selected_ended(a, t, s))
		add_gone(t, t->cursor, false);
	else
		t->anchored = false;
}

/* The rows of an ended process are those of its last tick. */
static const struct snapshot *rows_from(const struct app *a, const struct tableview *t,
					const struct snapshot *shown)
{
	u32 flags = table_descs[t->spec->table].flags;

	return app_context(a)->pid && (flags & T_HAS_PID) && !(flags & T_EVENTS) ?
		app_process_snapshot(a) : shown;
}

/* ---- loading ----------------------------------------------------------------------- */

static void mark_tags(struct tableview *t)
{
	for (u32 k = 0; k < t->n_tags; k++)
		for (u32 i = 0; i < t->n; i++)
			if (!row_cmp_keys(t->rows[i].row, t->tags[k]))
				t->rows[i].tagged = true;
}

/* Callers up the stack may still use a row. */
static void give_back(struct app *a, struct tableview *t)
{
	for (u32 i = 0; i < t->n_kept; i++)
		app_put_later(a, t->kept[i], NULL);
	app_put_later(a, NULL, t->from);
	t->n_kept = 0;
	t->from = NULL;
}

void table_unload(struct app *a, struct tableview *t)
{
	t->n = t->n_all = t->n_new = t->n_gone = t->n_all_new = t->n_all_gone = 0;
	give_back(a, t);
}

void table_reload(struct app *a, struct tableview *t)
{
	const struct snapshot *s = app_snapshot(a), *from;
	const struct grouping *by = table_grouping(a, t);

	t->cursor_sunk = t->cursor_i < t->n && t->rows[t->cursor_i].past;
	table_use_spec(t, by && by->spec ? by->spec : t->base);
	table_unload(a, t);
	if (!s)
		return;
	from = rows_from(a, t, s);
	t->from = snapshot_get(from);
	update_ghosts(a, t, s);
	add_rows_of(a, t, from, from != s);
	unmark_if_all_new(t);
	if (from == s) {
		add_ghosts(a, t, s);
		keep_only_one(a, t, s);
	}
	if (by)
		t->n = groups_make(&t->groups, by, t->rows, t->n);
	mark_tags(t);
	if (!by && !t->spec->arrange_first)
		table_sort_rows(t);
	if (!by && t->spec->arrange)
		t->n = t->spec->arrange(a, t->state, t->rows, t->n);
	if (by || t->spec->arrange_first)
		table_sort_rows(t);
	table_find_cursor(t);
}
