// SPDX-License-Identifier: GPL-2.0-or-later
/* table_sort.c: sorts a table by keys that are computed once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tui/table/table_state.h"

#define MAX_ENDED_ABOVE 4

const struct field *table_column_field(const struct tableview *t, u32 column)
{
	const char *name = t->spec->columns[column].field;
	int f = name ? table_field(t->spec->table, name) : -1;

	return f < 0 ? NULL : &table_descs[t->spec->table].fields[f];
}

static int cmp_rows(const void *pa, const void *pb, void *arg)
{
	const struct table_row *a = pa, *b = pb;
	const struct tableview *t = arg;
	int c;

	if (a->past != b->past)
		return a->past ? 1 : -1;
	if (a->text_key || b->text_key)
		c = strcmp(a->text_key ? a->text_key : "", b->text_key ? b->text_key : "");
	else
		c = cmp(a->key, b->key);
	if (c)
		return t->ascending ? c : -c;
	return cmp(a->mark == MARK_gone, b->mark == MARK_gone) ?: cmp(b->tie, a->tie) ?: cmp(a->order, b->order);
}

/* An unknown value is never at the top, in either order. */
static double key_of(const struct tableview *t, const struct field *f, const struct row *r)
{
	double v = format_number(f, r);

	if (f->format == FF_AGE)	/* an older start is a greater age */
		v = v < -1e299 ? v : -v;
	return t->ascending && v < -1e299 ? -v : v;
}

/*
 * A build ends hundreds of processes a second: the first few of a tick keep their sorted place, the
 * others go below the live rows; all of them if the order is the default and the view wants live
 * rows first. Both parts stay sorted.
 */
static void sink_ended(struct tableview *t)
{
	struct table_row *below;
	u32 n = 0, n_ended = 0, n_below = 0, above = t->spec->living_first && !t->ordered ? 0 : MAX_ENDED_ABOVE;

	if (t->n_gone <= above)
		return;
	below = xcalloc(t->n, sizeof(*below));
	for (u32 i = 0; i < t->n; i++) {
		struct table_row *tr = &t->rows[i];
		bool ended = tr->mark == MARK_gone && (t->cursor_sunk || !table_is_selected(t, tr->row));

		if (ended && n_ended++ >= above) {
			tr->past = true;
			below[n_below++] = *tr;
		} else {
			t->rows[n++] = *tr;
		}
	}
	if (n_below)
		memcpy(&t->rows[n], below, n_below * sizeof(*below));
	free(below);
}

/* Rows come in the snapshot's order, unless the view rearranged them. */
static bool is_as_loaded(const struct tableview *t)
{
	for (u32 i = 1; i < t->n; i++)
		if (t->rows[i - 1].order >= t->rows[i].order)
			return false;
	return true;
}

static bool is_idle(const struct table_row *tr)
{
	return tr->key == 0 && tr->tie == 0 && !tr->past && tr->mark != MARK_gone;
}

/*
 * Idle rows of a large table have equal keys and stay one block; the others are sorted around it.
 */
static void sort_around_idle(struct tableview *t)
{
	struct table_row *idle = xmalloc((size_t)t->n * sizeof(*idle));
	u32 n = 0, n_idle = 0, at;

	for (u32 i = 0; i < t->n; i++) {
		if (is_idle(&t->rows[i]))
			idle[n_idle++] = t->rows[i];
		else
			t->rows[n++] = t->rows[i];
	}
	qsort_r(t->rows, n, sizeof(*t->rows), cmp_rows, t);
	at = n_idle ? bisect(i, 0, n, cmp_rows(&t->rows[i], &idle[0], t) < 0) : n;
	memmove(&t->rows[at + n_idle], &t->rows[at], (n - at) * sizeof(*idle));
	memcpy(&t->rows[at], idle, n_idle * sizeof(*idle));
	free(idle);
}

typedef double (*number_fn)(const struct row *r);

static void set_keys(struct tableview *t, const struct field *f, number_fn number)
{
	const struct field *shown = number ? table_column_field(t, (u32)t->sort_column) : f;
	u32 values = shown ? shown->offset : 0;		/* offset in a row */

	for (u32 i = 0; i < t->n; i++) {
		struct table_row *tr = &t->rows[i];

		if (i + ROWS_AHEAD < t->n)
			__builtin_prefetch((const char *)table_shown_row(tr + ROWS_AHEAD) + values);
		tr->tie = t->spec->tie ? t->spec->tie(table_shown_row(tr)) : 0;
		if (number)
			tr->key = number(table_shown_row(tr));
		else if (f->type == FT_STR)
			tr->text_key = row_str(table_shown_row(tr), f);
		else
			tr->key = key_of(t, f, table_shown_row(tr));
	}
}

void table_sort_rows(struct tableview *t)
{
	const struct table_desc *d = &table_descs[t->spec->table];
	const struct field *f = t->sort_field >= 0 ? &d->fields[t->sort_field] : NULL;
	number_fn number = t->sort_column >= 0 ? t->spec->columns[t->sort_column].number : NULL;

	if ((!f && !number) || !t->n)
		return;
	set_keys(t, f, number);
	if ((number || f->type != FT_STR) && is_as_loaded(t))
		sort_around_idle(t);
	else
		qsort_r(t->rows, t->n, sizeof(*t->rows), cmp_rows, t);
	sink_ended(t);
}

static const char *column_title(const struct tableview *t, u32 i)
{
	const struct field *f = table_column_field(t, i);

	return t->spec->columns[i].title ? t->spec->columns[i].title : f ? f->title : "";
}

/* After a new sort order the first page is shown, as in htop, unless a row is followed. */
static void show_first_page(struct tableview *t)
{
	t->ordered = true;
	if (t->follow)
		return;
	t->anchored = false;
	t->cursor_i = t->top = 0;
}

void table_invert(struct tableview *t)
{
	t->ascending = !t->ascending;
	show_first_page(t);
}

static bool sort_by(struct tableview *t, int column, int field, bool ascending)
{
	if (column >= 0 && field < 0 && t->spec->columns[column].field)
		field = table_field(t->spec->table, t->spec->columns[column].field);
	if (field < 0 && (column < 0 || !t->spec->columns[column].number))
		return false;
	t->sort_column = column;
	t->sort_field = field;
	t->ascending = ascending;
	return true;
}

bool table_sort(struct tableview *t, const char *column, bool ascending)
{
	int field;

	for (u32 i = 0; i < t->spec->n_columns; i++) {
		const struct column *c = &t->spec->columns[i];

		/* A column that draws a member's history does not stand for the member. */
		if ((text_is(c->field, column) && (!c->draw || c->number || !c->title)) ||
		    !strcasecmp(column_title(t, i), column))
			return sort_by(t, (int)i, -1, ascending);
	}
	field = filter_field(t->spec->table, column, strlen(column));
	return field >= 0 && sort_by(t, -1, field, ascending);
}

bool table_reorder(struct tableview *t, const char *column, bool ascending)
{
	if (!table_sort(t, column, ascending))
		return false;
	show_first_page(t);
	return true;
}

/* Texts and identities ascending, numbers descending. */
static bool natural_order(const struct tableview *t, u32 column)
{
	const struct field *f = table_column_field(t, column);

	return f && (f->type == FT_STR || f->format == FF_ID || f->format == FF_TIME);
}

bool table_is_ascending(const struct tableview *t)
{
	return t->ascending;
}

bool table_sorts_numbers(const struct tableview *t)
{
	const struct field *f = t->sort_field >= 0 ?
		&table_descs[t->spec->table].fields[t->sort_field] : NULL;

	return f && f->type != FT_STR && (f->kind == FK_RATE || f->kind == FK_GAUGE || f->kind == FK_COUNTER ||
		f->kind == FK_SUM);
}

void table_sort_step(struct tableview *t, int step)
{
	int at = -1;

	for (u32 i = 0; i < t->n_shown; i++)
		if (t->shown[i] == t->sort_column)
			at = (int)i;
	for (u32 tries = 0; tries < t->n_shown; tries++) {
		u32 column;

		at = (at + step + (int)t->n_shown) % (int)t->n_shown;
		column = (u32)t->shown[at];
		if (t->spec->columns[column].draw && !t->spec->columns[column].number &&
		    t->spec->columns[column].title && !natural_order(t, column))
			continue;	/* drawn, without a value */
		if (sort_by(t, (int)column, -1, natural_order(t, column))) {
			show_first_page(t);
			return;
		}
	}
}

void table_sort_label(const struct tableview *t, char *buf, size_t cap)
{
	const char *title = t->sort_column >= 0 ? column_title(t, (u32)t->sort_column) :
		t->sort_field >= 0 ? table_descs[t->spec->table].fields[t->sort_field].title : "";

	snprintf(buf, cap, "%s%s", title, *title ? t->ascending ? "▴" : "▾" : "");
}
