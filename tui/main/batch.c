// SPDX-License-Identifier: GPL-2.0-or-later
/* batch.c: snapshots as text, with the columns of the table's view; without a view all members. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tui/main/batch.h"
#include "tui/term/canvas.h"
#include "tui/table/format.h"
#include "tui/table/table.h"
#include "tui/app/view.h"

#define MAX_COLUMNS 64

/* Print layout of a table: its columns and their widths. */
struct layout {
	const struct field *fields[MAX_COLUMNS];
	int widths[MAX_COLUMNS];
	u32 n;
};

struct sorted {
	const struct row *row;
	double number;
	const char *text;
	u32 order;
};

struct batch {
	FILE *out;
	u64 tables;
	enum text_mode mode;
	char *buf;	/* one cell */
	size_t cap;
	struct stack_frames frames;	/* scratch for writing stacks */
	const struct frames_row **stack;	/* one stack, leaf first */
	u32 n_stack, cap_stack;
	char *stack_text;
	struct event_cursor events[N_TABLES];
};

/* ---- columns ---------------------------------------------------------------- */

static const struct table_spec *spec_of(enum table_id t)
{
	const struct table_spec *spec = NULL;

	/* of several views the one named like the table: the others show part of it */
	for (u32 i = 0; i < N_VIEWS; i++)
		if (app_views[i]->table && app_views[i]->table->table == t &&
		    (!spec || !strcmp(app_views[i]->name, table_descs[t].name)))
			spec = app_views[i]->table;
	return spec;
}

/* Sparklines and histograms have no text form; a member is printed once. */
static void add_column(struct layout *l, const struct field *f)
{
	if (l->n == MAX_COLUMNS || f->kind == FK_INTERNAL || f->type == FT_HIST ||
	    f->type == FT_SUB || !*f->title)
		return;
	for (u32 i = 0; i < l->n; i++)
		if (l->fields[i] == f)
			return;
	l->fields[l->n++] = f;
}

/* Moves the column that takes the rest of the line to the end. */
static void rest_last(struct layout *l)
{
	for (u32 i = 0; i + 1 < l->n; i++) {
		const struct field *f = l->fields[i];

		if (f->width)
			continue;
		memmove(&l->fields[i], &l->fields[i + 1], (l->n - i - 1) * sizeof(*l->fields));
		l->fields[l->n - 1] = f;
		return;
	}
}

static void choose_columns(struct layout *l, enum table_id t, const struct table_spec *spec)
{
	const struct table_desc *d = &table_descs[t];

	*l = (struct layout){ 0 };
	for (u32 i = 0; spec && i < spec->n_columns; i++) {
		int f = spec->columns[i].field ? table_field(t, spec->columns[i].field) : -1;
		int also = spec->columns[i].also ? table_field(t, spec->columns[i].also) : -1;

		if (f >= 0)
			add_column(l, &d->fields[f]);
		if (also >= 0)
			add_column(l, &d->fields[also]);
	}
	for (u32 i = 0; !spec && i < d->n_fields; i++)
		add_column(l, &d->fields[i]);
	rest_last(l);
}

/* ---- cells --------------------------------------------------------------------- */

static int text_width(const char *s)
{
	int width = 0;
	u32 c, n;

	for (; *s; s += n ? n : 1) {
		n = text_decode(s, &c);
		width += n ? canvas_char_width(c) : 1;
	}
	return width;
}

/* A kernel thread has no command line: print its name, as on the screen. */
static const char *name_for_command(const struct field *f, const struct row *r)
{
	int i = f->format == FF_CMD ? table_field(r->table, "comm") : -1;
	const char *comm = i < 0 ? NULL : row_str(r, &table_descs[r->table].fields[i]);

	return comm ?: "";
}

static void add_frame(const struct frames_row *f, void *arg)
{
	struct batch *b = arg;

	b->stack = grow(b->stack, b->n_stack, &b->cap_stack, sizeof(*b->stack));
	b->stack[b->n_stack++] = f;
}

/* As in folded stacks, root first; valid until the next call. */
static const char *stack_text(struct batch *b, const char *ids)
{
	char name[256];
	size_t size;
	FILE *out;

	b->n_stack = 0;
	stack_frames_each(&b->frames, ids, add_frame, b);
	free(b->stack_text);
	out = open_memstream(&b->stack_text, &size);
	for (u32 i = b->n_stack; i--;) {
		const struct frames_row *f = b->stack[i];

		snprintf(name, sizeof(name), "?");
		if (f)
			frame_text(name, sizeof(name), f);
		fprintf(out, "%s%s%s", name, !f ? "" : f->inlined == 1 ? "_[i]" :
			text_is(f->kind, "kernel") && frame_is_code(f) ? "_[k]" : "", i ? ";" : "");
	}
	fclose(out);
	return b->stack_text;
}

/* Text of a member, safe for a terminal; valid until the next call. */
static const char *cell_text(struct batch *b, const struct field *f, const struct row *r,
			     const struct snapshot *s)
{
	char buf[FORMAT_MAX];
	enum value_state state;
	const char *text = format_value(buf, f, r, s, &state);
	size_t need;

	if (f->format == FF_STACK && r->table == TABLE_stacks)
		text = stack_text(b, row_str(r, f));
	else if (state == VALUE_BLANK || !*text)
		text = name_for_command(f, r);
	if (!*text)
		return "-";
	need = strlen(text) * 2 + 1;	/* one byte may become a middle dot */
	if (need > b->cap) {
		b->cap = need * 2;
		b->buf = xrealloc(b->buf, b->cap);
	}
	text_clean(b->buf, b->cap, text, b->mode);
	return b->buf;
}

static void put_cell(struct batch *b, const struct layout *l, u32 i, const char *text)
{
	int pad = l->widths[i] - text_width(text);
	bool number = format_is_number(l->fields[i]->format);

	if (i)
		putc(' ', b->out);
	if (number && pad > 0)
		fprintf(b->out, "%*s", pad, "");
	fputs(text, b->out);
	if (!number && pad > 0 && i + 1 < l->n)
		fprintf(b->out, "%*s", pad, "");
}

static void measure(struct batch *b, struct layout *l, const struct snapshot *s,
		    const struct sorted *rows, u32 n)
{
	for (u32 i = 0; i < l->n; i++) {
		int width = max((int)l->fields[i]->width, text_width(l->fields[i]->title));

		for (u32 r = 0; r < n && i + 1 < l->n; r++)
			width = max(width, text_width(cell_text(b, l->fields[i], rows[r].row, s)));
		l->widths[i] = width;
	}
}

/* ---- rows ---------------------------------------------------------------------- */

static int compare(const void *pa, const void *pb, void *arg)
{
	const struct sorted *a = pa, *b = pb;
	int sign = *(const bool *)arg ? 1 : -1, c;

	if (a->text || b->text)
		c = strcmp(a->text ? a->text : "", b->text ? b->text : "");
	else
		c = cmp(a->number, b->number);
	return c * sign ?: cmp(a->order, b->order);
}

static double sort_number(const struct table_spec *spec, const struct field *f,
			  const struct row *r)
{
	for (u32 i = 0; i < spec->n_columns; i++)
		if (spec->columns[i].number && spec->columns[i].field &&
		    !strcmp(spec->columns[i].field, spec->sort))
			return spec->columns[i].number(r);
	return format_number(f, r);
}

static void sort_rows(struct sorted *rows, u32 n, enum table_id t, const struct table_spec *spec)
{
	int f = spec && spec->sort ? table_field(t, spec->sort) : -1;
	bool ascending = spec && spec->ascending;
	const struct field *field;

	if (f < 0)
		return;
	field = &table_descs[t].fields[f];
	for (u32 i = 0; i < n; i++) {
		if (field->type == FT_STR)
			rows[i].text = row_str(rows[i].row, field);
		else
			rows[i].number = sort_number(spec, field, rows[i].row);
	}
	qsort_r(rows, n, sizeof(*rows), compare, &ascending);
}

/* The rows to print, sorted; free() them. */
static struct sorted *due_rows(struct batch *b, const struct snapshot *s, enum table_id t,
			       u32 *ret_n)
{
	const struct table *table = &s->tables[t];
	struct sorted *rows = xcalloc(table->n, sizeof(*rows));
	u32 n = 0;

	for (u32 i = 0; i < table->n; i++) {
		if (!event_is_due(&b->events[t], s, table->rows[i]))
			continue;
		rows[n] = (struct sorted){ .row = table->rows[i], .order = n };
		n++;
	}
	events_taken(&b->events[t], s, t);
	*ret_n = n;
	return rows;
}

/* ---- tables ----------------------------------------------------------------------- */

static void put_interval(FILE *out, u64 interval_ns)
{
	char buf[32];
	size_t n = (size_t)snprintf(buf, sizeof(buf), "%llu.%02u",
				    (interval_ns + 5000000) / NSEC_PER_SEC,
				    (u32)((interval_ns + 5000000) % NSEC_PER_SEC / 10000000));

	while (buf[n - 1] == '0')
		buf[--n] = '\0';
	if (buf[n - 1] == '.')
		buf[--n] = '\0';
	fprintf(out, " interval=%ss", buf);
}

/* Prints the title; false: the table has nothing to print, then only the reason is printed. */
static bool put_title(struct batch *b, const struct snapshot *s, enum table_id t, u32 n)
{
	static const char *const status[] = { [TS_OFF] = "off", [TS_STARTING] = "starting",
		[TS_OK] = "ok", [TS_PARTIAL] = "partial", [TS_BLOCKED] = "blocked" };
	const struct table *table = &s->tables[t];
	const struct self_row *self = self_row(snapshot_single(s, TABLE_self));
	time_t when = (time_t)((s->time_ns + (u64)s->unix_offset_ns) / NSEC_PER_SEC);
	bool there = table->status == TS_OK || table->status == TS_PARTIAL;
	char stamp[32], reason[200];
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(b->out, "# %s %s", table_descs[t].name, stamp);
	if (there) {
		put_interval(b->out, table->interval_ns ? table->interval_ns : s->interval_ns);
		fprintf(b->out, " rows=%u", n);
		if (self && u64_known(self->lost_total))
			fprintf(b->out, " lost=%" PRIu64, self->lost_total);
		else
			fputs(" lost=?", b->out);
	}
	if (table->status != TS_OK)
		fprintf(b->out, " status=%s", status[table->status]);
	if (table->reason) {
		text_clean(reason, sizeof(reason), table->reason, b->mode);
		fprintf(b->out, ": %s", reason);
	}
	putc('\n', b->out);
	return there;
}

static void write_table(struct batch *b, const struct snapshot *s, enum table_id t)
{
	const struct table_spec *spec = spec_of(t);
	struct layout l;
	u32 n;
	struct sorted *rows = due_rows(b, s, t, &n);

	if (t == TABLE_stacks)
		b->frames = stack_frames_of(s);
	if (put_title(b, s, t, n)) {
		choose_columns(&l, t, spec);
		sort_rows(rows, n, t, spec);
		measure(b, &l, s, rows, n);
		for (u32 i = 0; i < l.n; i++)
			put_cell(b, &l, i, l.fields[i]->title);
		putc('\n', b->out);
		for (u32 r = 0; r < n; r++) {
			for (u32 i = 0; i < l.n; i++)
				put_cell(b, &l, i, cell_text(b, l.fields[i], rows[r].row, s));
			putc('\n', b->out);
		}
	}
	putc('\n', b->out);
	stack_frames_close(&b->frames);
	free(rows);
}

struct batch *batch_new(FILE *out, u64 tables, bool ascii)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	b->out = out;
	b->tables = tables;
	b->mode = ascii ? TEXT_SCREEN_ASCII : TEXT_SCREEN;
	return b;
}

int batch_write(struct batch *b, const struct snapshot *s)
{
	errno = 0;
	for (int t = 0; t < N_TABLES; t++)
		if (b->tables & TABLE_BIT(t))
			write_table(b, s, t);
	if (fflush(b->out) || ferror(b->out))
		return errno ? -errno : -EIO;
	return 0;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	free(b->buf);
	free(b->stack);
	free(b->stack_text);
	free(b);
}
