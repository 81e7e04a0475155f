// SPDX-License-Identifier: GPL-2.0-or-later
/* drops.c: packets dropped by the kernel, by reason; Enter: by location in the kernel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/views/net.h"

#define LIST_MAX 64

/* All rows of one reason; its strings belong to the rows. */
struct drops_sum {
	struct drops_row row;	/* its location is the one with most packets */
	u64 most;		/* packets of that location */
	u32 places;
};

struct drops_state {
	struct drops_sum *sums;	/* in the order of the rows; table rows have the index as data */
};

static const struct meaning {
	const char *reason;
	bool loss;
	const char *text;
} meanings[] = {
#define DROP_REASON(name, loss, text) { #name, loss, text },
#include "tui/views/drop_reasons.def"
};

static const struct meaning *meaning_of(const char *reason)
{
	static const char prefix[] = "SKB_DROP_REASON_";

	if (reason && !strncmp(reason, prefix, sizeof(prefix) - 1))
		reason += sizeof(prefix) - 1;
	for (u32 i = 0; reason && i < ARRAY_SIZE(meanings); i++)
		if (!strcmp(meanings[i].reason, reason))
			return &meanings[i];
	return NULL;
}

static bool is_loss(const struct drops_row *d)
{
	const struct meaning *m = meaning_of(d->reason);

	return !m || m->loss;
}

static void meaning_text(char *buf, size_t cap, const struct drops_row *d)
{
	const struct meaning *m = meaning_of(d->reason);

	snprintf(buf, cap, "%s%s", m && !m->loss ? "not a loss: " : "", m ? m->text : "");
}

static u32 style_of(const struct drops_row *d)
{
	return is_loss(d) ? ROLE_text : ROLE_dim;
}

/* ---- sums by reason ------------------------------------------------------------------ */

static void add_place(struct drops_sum *sum, const struct drops_row *r)
{
	struct drops_row *all = &sum->row;

	sum->places++;
	if (f32_known(r->rate))
		all->rate = (f32_known(all->rate) ? all->rate : 0) + r->rate;
	if (!u64_known(r->count))
		return;
	all->count = (u64_known(all->count) ? all->count : 0) + r->count;
	if (r->count > sum->most) {
		sum->most = r->count;
		all->location = r->location;
	}
}

/* Adds a row to the last sum, or a new one (true): rows are sorted. At most cap sums. */
static bool add_drops(struct drops_sum *sums, u32 *n, u32 cap, const struct drops_row *r)
{
	struct drops_sum *sum = &sums[*n];

	if (*n && text_same(sum[-1].row.reason, r->reason)) {
		add_place(&sum[-1], r);
		return false;
	}
	if (*n == cap)
		return false;
	memcpy(&sum->row, r, sizeof(*r));
	sum->most = u64_known(r->count) ? r->count : 0;
	sum->places = 1;
	(*n)++;
	return true;
}

/* The cursor follows the first row of a reason. */
static u32 arrange_rows(struct app *a, void *state, struct table_row *rows, u32 n)
{
	struct drops_state *st = state;
	u32 made = 0;

	free(st->sums);
	st->sums = xcalloc((size_t)n + 1, sizeof(*st->sums));
	for (u32 i = 0; i < n; i++) {
		struct table_row *tr = &rows[made];

		if (!add_drops(st->sums, &made, n, drops_row(rows[i].row)))
			continue;
		*tr = rows[i];
		tr->mark = MARK_none;
		tr->drawn = &st->sums[made - 1].row.row;
		tr->data = made - 1;
	}
	return made;
}

static bool keep_row(struct app *a, void *state, const struct row *r)
{
	const struct row *of = app_context(a)->row;

	return !of || of->table != TABLE_drops || text_same(drops_row(of)->reason, drops_row(r)->reason);
}

/* ---- columns ------------------------------------------------------------------------------ */

static void draw_reason(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct drops_row *d = drops_row(table_shown_row(tr));

	canvas_cut(c, row, col, width, style_of(d), d->reason ? d->reason : "?");
}

static void draw_what(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct drops_row *d = drops_row(table_shown_row(tr));
	char text[128];

	meaning_text(text, sizeof(text), d);
	canvas_cut(c, row, col, width, style_of(d), text);
}

static void draw_place(struct app *a, struct canvas *c, int row, int col, int width, const struct table_row *tr)
{
	const struct drops_state *st = app_view_state(a, &drops_view);
	const struct drops_row *d = drops_row(table_shown_row(tr));
	char text[128];
	u32 places;

	if (!tr->drawn)
		return;
	places = st->sums[tr->data].places;
	snprintf(text, sizeof(text), places > 1 ? "%.80s +%u" : "%.80s", d->location ? d->location : "?", places - 1);
	canvas_cut(c, row, col, width, style_of(d), text);
}

static bool drops_now(const struct row *r)
{
	return f32_known(drops_row(r)->rate) && drops_row(r)->rate > 0 && is_loss(drops_row(r));
}

/* By current rate, then by count. */
static double number_rate(const struct row *r)
{
	return (f32_known(drops_row(r)->rate) ? 1e12 * (double)drops_row(r)->rate : 0) +
	       (u64_known(drops_row(r)->count) ? (double)drops_row(r)->count : -1);
}

static const struct column columns[] = {
	{ "reason", .priority = 1, .draw = draw_reason },
	{ "count", .priority = 2 },
	{ "rate", .priority = 1, .alert = drops_now, .number = number_rate },
	{ "location", .title = "WHERE MOST", .width = 34, .priority = 6, .min_width = 120, .draw = draw_place },
	{ NULL, .title = "WHAT IT MEANS", .priority = 1, .draw = draw_what,
	  .help = "Of the reason; dim: nothing was lost" },
};

static const struct column place_columns[] = {
	{ "count", .priority = 1 },
	{ "rate", .priority = 1, .alert = drops_now, .number = number_rate },
	{ "location", .title = "IN WHICH FUNCTION OF THE KERNEL", .priority = 1 },
};

static const struct table_spec spec = {
	.table = TABLE_drops, .columns = columns, .n_columns = ARRAY_SIZE(columns), .sort = "rate",
	.noun = "drop reasons", .no_ghosts = true, .arrange_first = true, .keep = keep_row, .arrange = arrange_rows,
};

/* Locations of one reason. */
static const struct table_spec place_spec = {
	.table = TABLE_drops, .columns = place_columns, .n_columns = ARRAY_SIZE(place_columns), .sort = "rate",
	.noun = "places", .no_ghosts = true, .keep = keep_row,
};

static void drops_update(struct app *a, void *state)
{
	bool places = app_context(a)->row && app_context(a)->row->table == TABLE_drops && !app_context(a)->row->sum;

	table_use(app_table(a), places ? &place_spec : &spec);
}

/* ---- the short list below the interfaces ---------------------------------------------------- */

static int cmp_drops(const void *pa, const void *pb)
{
	const struct drops_row *a = &((const struct drops_sum *)pa)->row;
	const struct drops_row *b = &((const struct drops_sum *)pb)->row;
	float x = f32_known(a->rate) ? a->rate : -1, y = f32_known(b->rate) ? b->rate : -1;

	return cmp(y, x) ?: cmp(b->count, a->count);
}

static void list_line(struct canvas *c, struct rect r, const struct drops_row *d)
{
	char buf[FORMAT_MAX], rate[FORMAT_MAX + 1], text[192];
	bool now = drops_now(&d->row);

	meaning_text(text, sizeof(text), d);
	canvas_cut(c, r.row, r.col + 2, 24, style_of(d), d->reason ? d->reason : "?");
	canvas_right(c, r.row, r.col + 26, 7, style_of(d), net_value(buf, &d->row, "count"));
	snprintf(rate, sizeof(rate), "%s%s", now ? "!" : "", net_value(buf, &d->row, "rate"));
	canvas_right(c, r.row, r.col + 33, 7, now ? ROLE_bad : style_of(d), rate);
	if (r.cols >= 120)
		text_add(text, sizeof(text), " · ", "%.80s", d->location ? d->location : "?");
	canvas_cut(c, r.row, r.col + 42, r.cols - 43, style_of(d), text);
}

void drops_draw_list(struct app *a, struct canvas *c, struct rect r)
{
	const struct table *t = &app_snapshot(a)->tables[TABLE_drops];
	struct drops_sum sums[LIST_MAX];
	char none[160];
	u32 n = 0;

	canvas_rule(c, r.row, r.col, r.cols, "drops by kernel reason");
	canvas_text(c, r.row, r.col + 27, -1, ROLE_dim, " count ");
	canvas_text(c, r.row, r.col + 36, -1, ROLE_dim, " /s ");
	for (u32 i = 0; i < t->n; i++)
		add_drops(sums, &n, LIST_MAX, drops_row(t->rows[i]));
	qsort(sums, n, sizeof(*sums), cmp_drops);
	if (!n)
		canvas_printf(c, r.row + 1, r.col + 2, r.cols - 3, ROLE_dim, "%s%s",
			      t->status == TS_OK || t->status == TS_PARTIAL ?
			      app_none(a, TABLE_drops, 0, "none", none, sizeof(none)) :
			      t->status == TS_BLOCKED ? "? blocked: " : "? not collected yet",
			      t->status == TS_BLOCKED && t->reason ? t->reason : "");
	for (u32 i = 0; i < n && (int)i + 1 < r.rows; i++)
		list_line(c, (struct rect){ r.row + 1 + (int)i, r.col, 1, r.cols }, &sums[i].row);
}

/* ---- keys --------------------------------------------------------------------------------------- */

static bool drops_act(struct app *a, void *state, enum action action, u32 key)
{
	const struct row *r = table_cursor(app_table(a));
	const struct context *ctx = app_context(a);
	char text[128];

	if (!r || (action != ACTION_open && action != ACTION_explain))
		return false;
	meaning_text(text, sizeof(text), drops_row(r));
	if (action == ACTION_explain || (ctx->row && ctx->row->table == TABLE_drops))
		app_say(a, ROLE_text, "%s: %s", drops_row(r)->reason ? drops_row(r)->reason : "?",
			*text ? text : "what it means is not known to this version");
	else
		app_enter(a, "drops", ctx->pid, ctx->start_time_ns, r, drops_row(r)->reason ? drops_row(r)->reason : "?");
	return true;
}

static void drops_status(struct app *a, void *state, char *buf, size_t cap)
{
	const struct row *of = app_context(a)->row;

	if (!app_collected(a, TABLE_drops))
		snprintf(buf, cap, "? reasons");
	else if (of && of->table == TABLE_drops)
		snprintf(buf, cap, "%u place%s in the kernel", table_len(app_table(a)),
			 text_plural(table_len(app_table(a)), "s"));
	else
		snprintf(buf, cap, "%u reason%s", table_len(app_table(a)), text_plural(table_len(app_table(a)), "s"));
}

static void drops_fini(void *state)
{
	struct drops_state *st = state;

	free(st->sums);
}

const struct view drops_view = {
	.name = "drops", .digit = '5', .faces = "drops", .flags = VIEW_HOST,
	.about = "packets the kernel dropped, and why",
	.needs = TABLE_BIT(TABLE_drops), .table = &spec,
	.state_size = sizeof(struct drops_state),
	.hints = "open back explain search filter sort_prev pause write palette",
	.legend = "COUNT\tpackets since ottop looks; dim: freed, but no data was lost\n"
		  "Enter\tin which functions of the kernel, with counts\n",
	.fini = drops_fini, .update = drops_update, .act = drops_act, .status = drops_status,
};
