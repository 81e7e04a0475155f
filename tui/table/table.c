// SPDX-License-Identifier: GPL-2.0-or-later
/* table.c: cursor, tags, filter and search of a table, and its keys. */
#include <stdio.h>
#include <stdlib.h>

#include "tui/table/table_env.h"
#include "tui/table/table_state.h"

struct tableview *table_new(const struct table_spec *spec, void *state)
{
	struct tableview *t = xcalloc(1, sizeof(*t));

	t->spec = t->base = spec;
	t->state = state;
	t->sort_field = t->sort_column = -1;
	t->page = 10;
	if (spec->sort)
		table_sort(t, spec->sort, spec->ascending);
	return t;
}

void table_use_spec(struct tableview *t, const struct table_spec *spec)
{
	if (t->spec == spec)
		return;
	t->spec = spec;
	t->n_shown = 0;
	t->said = 0;
	t->sort_field = t->sort_column = -1;
	if (spec->sort)
		table_sort(t, spec->sort, spec->ascending);
}

void table_use(struct tableview *t, const struct table_spec *spec)
{
	if (t->base == spec)
		return;
	t->base = spec;
	table_use_spec(t, spec);
}

static void drop_tags(struct tableview *t)
{
	for (u32 i = 0; i < t->n_tags; i++)
		row_put(t->tags[i]);
	t->n_tags = 0;
}

void table_reset(struct tableview *t)
{
	for (u32 i = 0; i < t->n_ghosts; i++)
		row_put(t->ghosts[i].row);
	t->n_ghosts = 0;
	drop_tags(t);
	ROW_KEEP(t->cursor, NULL);
	t->anchored = t->follow = false;
	t->cursor_i = t->top = 0;
	t->seq = 0;
}

void table_free(struct tableview *t)
{
	if (!t)
		return;
	table_reset(t);
	for (u32 i = 0; i < t->n_kept; i++)
		row_put(t->kept[i]);
	snapshot_put(t->from);
	groups_free(&t->groups);
	filter_free(t->filter);
	filter_free(t->search);
	free(t->ghosts);
	free(t->tags);
	free(t->kept);
	free(t->rows);
	free(t);
}

/* ---- cursor --------------------------------------------------------------------- */

const struct row *table_cursor(const struct tableview *t)
{
	return t->n ? t->rows[t->cursor_i].row : NULL;
}

u32 table_len(const struct tableview *t)
{
	return t->n;
}

u32 table_len_unfiltered(const struct tableview *t)
{
	return t->n_all;
}

u32 table_cursor_index(const struct tableview *t)
{
	return t->n ? t->cursor_i : 0;
}

const struct table_row *table_at(const struct tableview *t, u32 i)
{
	return &t->rows[i];
}

bool table_is_selected(const struct tableview *t, const struct row *r)
{
	return t->anchored && t->cursor && !row_cmp_keys(r, t->cursor);
}

static void hold(struct tableview *t)
{
	ROW_KEEP(t->cursor, table_cursor(t));
}

static void table_move_to(struct tableview *t, s64 i)
{
	if (!t->n)
		return;
	t->cursor_i = (u32)max(min(i, (s64)t->n - 1), (s64)0);
	t->anchored = !t->spec->newest_last || t->cursor_i + 1 < t->n;
	hold(t);
}

bool table_select(struct tableview *t, const struct row *like)
{
	for (u32 i = 0; i < t->n; i++) {
		if (row_cmp_keys(t->rows[i].row, like))
			continue;
		t->cursor_i = i;
		t->anchored = true;
		hold(t);
		return true;
	}
	return false;
}

/* After loading: moves the cursor to its row's line. With F, and in a log, the line stays. */
void table_find_cursor(struct tableview *t)
{
	u32 line = t->cursor_i - min(t->top, t->cursor_i);

	if (!t->n) {
		t->cursor_i = t->top = 0;
		return;
	}
	if (!t->anchored) {
		t->cursor_i = t->spec->newest_last ? t->n - 1 : 0;
		hold(t);
		return;
	}
	if (t->cursor && table_select(t, t->cursor)) {
		if (t->follow || t->spec->newest_last)
			t->top = t->cursor_i - min(line, t->cursor_i);
		return;
	}
	t->cursor_i = min(t->cursor_i, t->n - 1);
	hold(t);
}

/* ---- tags -------------------------------------------------------------------------- */

static void toggle_tag(struct tableview *t)
{
	const struct row *r = table_cursor(t);

	if (!r)
		return;
	for (u32 i = 0; i < t->n_tags; i++) {
		if (row_cmp_keys(t->tags[i], r))
			continue;
		row_put(t->tags[i]);
		t->tags[i] = t->tags[--t->n_tags];
		t->rows[t->cursor_i].tagged = false;
		return;
	}
	t->tags = grow(t->tags, t->n_tags, &t->cap_tags, sizeof(*t->tags));
	t->tags[t->n_tags++] = row_get(r);
	t->rows[t->cursor_i].tagged = true;
}

/* ---- filter and search ------------------------------------------------------------- */

bool table_filter(struct app *a, struct tableview *t, const char *text, char *ret_error, size_t cap)
{
	struct filter *f = NULL;

	if (text && *text) {
		f = filter_new(t->spec->table, text, ret_error, cap);
		if (!f)
			return false;
	}
	filter_free(t->filter);
	t->filter = f;
	/* A selected row that ended stays, unless a new filter does not match it. */
	if (f && t->cursor && app_snapshot(a) && !filter_match(f, t->cursor) &&
	    (t->cursor->closed || !snapshot_find(app_snapshot(a), t->cursor))) {
		ROW_KEEP(t->cursor, NULL);
		t->anchored = false;
	}
	snprintf(t->filter_text, sizeof(t->filter_text), "%s", text ? text : "");
	table_reload(a, t);
	return true;
}

const char *table_filter_text(const struct tableview *t)
{
	return t->filter_text;
}

bool table_search(struct tableview *t, const char *text)
{
	char error[80];
	struct filter *f = NULL;

	if (text && *text) {
		f = filter_new_search(t->spec->table, text, error, sizeof(error));
		if (!f)
			return false;
	}
	filter_free(t->search);
	t->search = f;
	return true;
}

/*
 * The next hidden row of line i (*at: -1 at first). Members are not searched if the group's line
 * matches by their name.
 */
static const struct row *next_hidden(const struct tableview *t, u32 i, s32 *at)
{
	const struct row *line = t->rows[i].row;

	if (line->sum)
		return filter_match(t->search, line) ? NULL : group_row(&t->groups, line, (u32)++*at);
	return t->spec->hidden ? t->spec->hidden(t->state, &t->rows[i], at) : NULL;
}

/* The first, or last, hidden row under line i that matches; NULL: none. */
static const struct row *hidden_match(const struct tableview *t, u32 i, bool last)
{
	const struct row *r, *found = NULL;

	for (s32 at = -1; (!found || last) && (r = next_hidden(t, i, &at)); )
		if (filter_match(t->search, r))
			found = r;
	return found;
}

/* The match in line i: itself, or a hidden row; searching backwards the hidden rows come first. */
static const struct row *match_in(const struct tableview *t, u32 i, int step, bool self, bool inside)
{
	const struct row *own = self && filter_match(t->search, t->rows[i].row) ? t->rows[i].row : NULL;

	if (!inside || (own && step > 0))
		return own;
	return hidden_match(t, i, step < 0) ?: own;
}

/* Moves the cursor to the line or, if the match is hidden in it, opens that. */
static void go_to_match(struct app *a, struct tableview *t, u32 i, const struct row *r, int step, bool open)
{
	table_move_to(t, i);
	if (!open || r == t->rows[i].row)
		return;
	if (t->rows[i].row->sum) {	/* members have their own order */
		app_enter_found(a, t->rows[i].row);
		t->cursor_i = 0;
		table_search_move(a, t, step, SEARCH_here, true);
		return;
	}
	row_get(r);
	t->spec->reveal(t->state, r);
	table_reload(a, t);
	table_select(t, r);
	row_put(r);
}

bool table_search_move(struct app *a, struct tableview *t, int step, enum search_from from, bool open)
{
	bool beyond = from == SEARCH_beyond;
	u32 last = t->n, first = step < 0 || beyond;

	if (!t->search || !t->n)
		return false;
	if (from == SEARCH_ahead)
		last = step > 0 ? t->n - 1 - t->cursor_i : t->cursor_i;
	for (u32 k = first; k <= last; k++) {
		u32 i = (u32)(((s64)t->cursor_i + (s64)step * k + 2 * (s64)t->n) % t->n);
		const struct row *r = match_in(t, i, step, k || from == SEARCH_here, k < t->n || step < 0 || beyond);

		if (r) {
			go_to_match(a, t, i, r, step, open);
			return true;
		}
	}
	return false;
}

static u32 matches_in(const struct tableview *t, u32 i)
{
	u32 n = filter_match(t->search, t->rows[i].row);
	const struct row *r;

	for (s32 at = -1; (r = next_hidden(t, i, &at)); )
		n += filter_match(t->search, r);
	return n;
}

u32 table_search_count(const struct tableview *t, u32 *ret_at)
{
	u32 n = 0;

	*ret_at = 0;
	for (u32 i = 0; t->search && i < t->n; i++) {
		u32 here = matches_in(t, i);

		if (here && i == t->cursor_i)
			*ret_at = n + 1;
		n += here;
	}
	return n;
}

/* ---- groups ------------------------------------------------------------------------- */

/* Inside of a process or a group there is a separate grouping, until the user leaves it. */
static u32 *grouping_of(const struct app *a, struct tableview *t)
{
	const struct context *ctx = app_context(a);

	if (ctx->pid || (ctx->row && ctx->row->sum))
		return &t->by_inside;
	t->by_inside = 0;
	return &t->by;
}

const struct grouping *table_grouping(struct app *a, struct tableview *t)
{
	u32 by = *grouping_of(a, t);

	return by && by <= t->base->n_groupings && (!t->base->can_group || t->base->can_group(a)) ?
		&t->base->groupings[by - 1] : NULL;
}

void table_ungroup(struct tableview *t)
{
	t->by = t->by_inside = 0;
}

static bool next_grouping(struct app *a, struct tableview *t)
{
	u32 *by = grouping_of(a, t);

	if (!t->base->n_groupings)
		return false;
	*by = (*by + 1) % (t->base->n_groupings + 1);
	t->anchored = false;
	t->cursor_i = t->top = 0;
	table_reload(a, t);
	return true;
}

/* ---- positions ------------------------------------------------------------------------ */

void table_save(const struct tableview *t, struct table_position *ret)
{
	*ret = (struct table_position){
		.cursor = row_get(t->cursor), .cursor_i = t->cursor_i, .top = t->top,
		.anchored = t->anchored, .follow = t->follow,
	};
}

void table_restore(struct tableview *t, const struct table_position *p)
{
	ROW_KEEP(t->cursor, p->cursor);
	t->cursor_i = p->cursor_i;
	t->top = p->top;
	t->anchored = p->anchored;
	t->follow = p->follow;
}

void table_position_drop(struct table_position *p)
{
	ROW_KEEP(p->cursor, NULL);
}

/* ---- keys -------------------------------------------------------------------------------- */

static bool act_move(struct tableview *t, enum action action)
{
	s64 at = t->cursor_i, page = max(t->page, 2u) - 1;

	switch (action) {
	case ACTION_up:
		table_move_to(t, at - 1);
		return true;
	case ACTION_down:
		table_move_to(t, at + 1);
		return true;
	case ACTION_page_up:
		table_move_to(t, at - page);
		return true;
	case ACTION_page_down:
		table_move_to(t, at + page);
		return true;
	case ACTION_first:
		table_move_to(t, 0);
		t->anchored = t->spec->newest_last;	/* else: the first row, whichever it is */
		return true;
	case ACTION_last:
		table_move_to(t, (s64)t->n - 1);
		return true;
	default:
		return false;
	}
}

static bool act_order(struct app *a, struct tableview *t, enum action action)
{
	switch (action) {
	case ACTION_sort_prev:
		table_sort_step(t, -1);
		break;
	case ACTION_sort_next:
		table_sort_step(t, 1);
		break;
	case ACTION_invert:
		table_invert(t);
		break;
	default:
		return false;
	}
	table_reload(a, t);
	return true;
}

static void toggle_follow(struct app *a, struct tableview *t)
{
	t->follow = !t->follow;
	t->anchored |= t->follow;
	if (t->spec->newest_last) {
		t->follow = false;
		table_move_to(t, (s64)t->n - 1);
		app_say(a, ROLE_text, "following the newest");
	} else {
		app_say(a, ROLE_text, t->follow ? "following this row: it keeps its line"
						: "not following any more");
	}
}

bool table_act(struct app *a, struct tableview *t, enum action action, u32 key)
{
	if (act_move(t, action) || act_order(a, t, action)) {
		if (!t->n && app_snapshot(a))
			app_say(a, ROLE_text, "no row is shown here");
		return true;
	}
	switch (action) {
	case ACTION_follow:
		toggle_follow(a, t);
		return true;
	case ACTION_tag:
		if (!t->n && app_snapshot(a))
			app_say(a, ROLE_text, "no row is shown here");
		toggle_tag(t);
		table_move_to(t, (s64)t->cursor_i + 1);
		return true;
	case ACTION_group:
		return next_grouping(a, t);
	case ACTION_unfilter:
		table_filter(a, t, NULL, NULL, 0);
		return true;
	default:
		return false;
	}
}
