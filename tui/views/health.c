// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * health.c: ottop about itself: what each collector costs and may, what was
 * lost, how much memory is used, the last lines of the log. An overlay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/app.h"

#define MAX_COLLECTORS 32
#define MAX_LOG 64
#define LOG_MIN 3		/* lines of the log below which probes are not shown unasked */
#define NAME_MAX_ 24

/* All probes of one collector. */
struct part {
	const char *name;
	u32 first, n;		/* its rows in `probes`, which is sorted by collector */
	u32 attached, blocked;
	float cost_pct;		/* NAN: never measured */
	const char *why;
};

struct line {
	u32 part;
	const struct probes_row *probe;	/* NULL: the collector itself */
};

struct health {
	char open[NAME_MAX_];		/* collector whose probes are shown */
	bool all;			/* everything fits: all are shown */
	char cursor[NAME_MAX_], cursor_probe[64];
	u32 at;				/* line of the cursor when its name is gone */

	struct part parts[MAX_COLLECTORS];
	u32 n_parts;
	struct line *lines;
	u32 n_lines, cap;
};

/* ---- what there is ------------------------------------------------------------------- */

static const struct table *probes_of(const struct app *a)
{
	return &app_snapshot(a)->tables[TABLE_probes];
}

static const struct probes_row *probe_at(const struct table *t, u32 i)
{
	return (const struct probes_row *)t->rows[i];
}

static bool is(const char *s, const char *what)
{
	return s && !strcmp(s, what);
}

static void part_add(struct part *p, const struct probes_row *r)
{
	p->n++;
	p->attached += is(r->state, "attached");
	p->blocked += is(r->state, "blocked");
	if (f32_known(r->cost_pct))
		p->cost_pct = (f32_known(p->cost_pct) ? p->cost_pct : 0) + r->cost_pct;
	/* The reason of a blocked one says more than that of one that is off. */
	if (r->reason && *r->reason && (!p->why || (is(r->state, "blocked") && p->blocked == 1)))
		p->why = r->reason;
}

/* Blocked ones first, then by cost. */
static int cmp_parts(const void *pa, const void *pb)
{
	const struct part *a = pa, *b = pb;
	float x = f32_known(a->cost_pct) ? a->cost_pct : -1, y = f32_known(b->cost_pct) ? b->cost_pct : -1;

	if (!a->blocked != !b->blocked)
		return !a->blocked - !b->blocked;
	if (x != y)
		return x < y ? 1 : -1;
	return strcmp(a->name, b->name);
}

static void find_parts(struct app *a, struct health *h)
{
	const struct table *t = probes_of(a);

	h->n_parts = 0;
	for (u32 i = 0; i < t->n; i++) {
		const struct probes_row *r = probe_at(t, i);
		const char *name = r->collector ? r->collector : "?";
		struct part *p = h->n_parts ? &h->parts[h->n_parts - 1] : NULL;

		if (!p || strcmp(p->name, name)) {
			if (h->n_parts == MAX_COLLECTORS)
				break;
			p = &h->parts[h->n_parts++];
			*p = (struct part){ .name = name, .first = i, .cost_pct = F32_UNKNOWN };
		}
		part_add(p, r);
	}
	qsort(h->parts, h->n_parts, sizeof(*h->parts), cmp_parts);
}

static void add_line(struct health *h, u32 part, const struct probes_row *probe)
{
	h->lines = grow(h->lines, h->n_lines, &h->cap, sizeof(*h->lines));
	h->lines[h->n_lines++] = (struct line){ part, probe };
}

static void find_lines(struct app *a, struct health *h)
{
	const struct table *t = probes_of(a);

	h->n_lines = 0;
	for (u32 i = 0; i < h->n_parts; i++) {
		const struct part *p = &h->parts[i];

		add_line(h, i, NULL);
		for (u32 k = 0; (h->all || is(p->name, h->open)) && k < p->n; k++)
			add_line(h, i, probe_at(t, p->first + k));
	}
}

static const char *line_probe(const struct line *l)
{
	return l->probe && l->probe->probe ? l->probe->probe : "";
}

static void hold_cursor(struct health *h)
{
	if (h->at >= h->n_lines)
		return;
	snprintf(h->cursor, sizeof(h->cursor), "%s", h->parts[h->lines[h->at].part].name);
	snprintf(h->cursor_probe, sizeof(h->cursor_probe), "%s", line_probe(&h->lines[h->at]));
}

/* The cursor follows its line when the order changes. */
static void find_cursor(struct health *h)
{
	for (u32 i = 0; *h->cursor && i < h->n_lines; i++)
		if (is(h->parts[h->lines[i].part].name, h->cursor) &&
		    !strncmp(line_probe(&h->lines[i]), h->cursor_probe, sizeof(h->cursor_probe) - 1))
			h->at = i;
	h->at = min(h->at, h->n_lines - min(h->n_lines, 1u));
}

static void load(struct app *a, struct health *h)
{
	find_parts(a, h);
	find_lines(a, h);
	find_cursor(h);
}

/* ---- collectors ------------------------------------------------------------------------ */

static void part_state(const struct part *p, char *buf, size_t cap, u32 *ret_style)
{
	*ret_style = ROLE_text;
	if (p->blocked == p->n) {
		snprintf(buf, cap, "!blocked");
		*ret_style = ROLE_bad;
	} else if (p->blocked) {
		snprintf(buf, cap, "!partial");
		*ret_style = ROLE_bad;
	} else if (!p->attached) {
		snprintf(buf, cap, "off");
		*ret_style = ROLE_dim;
	} else {
		snprintf(buf, cap, "on");
	}
}

static const char *cost_text(char buf[FORMAT_MAX], float pct)
{
	if (!f32_known(pct))
		return "?";
	snprintf(buf, FORMAT_MAX, "%.3f", (double)pct);
	return buf;
}

static void draw_titles(struct canvas *c, struct rect r)
{
	canvas_text(c, r.row, r.col + 1, -1, ROLE_dim, "COLLECTOR");
	canvas_text(c, r.row, r.col + 14, -1, ROLE_dim, "STATE");
	canvas_right(c, r.row, r.col + 22, 7, ROLE_accent | S_BOLD, "COST%▾");
	canvas_right(c, r.row, r.col + 30, 6, ROLE_dim, "PROBES");
	canvas_text(c, r.row, r.col + 38, -1, ROLE_dim, "WHY, WHAT TO DO");
}

static void draw_part(struct canvas *c, struct rect r, int row, const struct part *p)
{
	char text[FORMAT_MAX];
	u32 style;

	canvas_cut(c, row, r.col + 1, 12, ROLE_text, p->name);
	part_state(p, text, sizeof(text), &style);
	canvas_text(c, row, r.col + 14, 8, style, text);
	canvas_right(c, row, r.col + 22, 7, f32_known(p->cost_pct) && p->cost_pct > 0 ? ROLE_text : ROLE_dim,
		     cost_text(text, p->cost_pct));
	snprintf(text, sizeof(text), "%u/%u", p->attached, p->n);
	canvas_right(c, row, r.col + 30, 6, ROLE_text, text);
	canvas_cut(c, row, r.col + 38, r.cols - 38, p->blocked ? ROLE_text : ROLE_dim,
		   p->why && p->attached != p->n ? p->why : "");
}

/* "   sys_exit      attached  0.210   92ns a run  318k runs/s   412 insns" */
static void draw_probe(struct canvas *c, struct rect r, int row, const struct probes_row *p)
{
	static const struct {
		const char *member, *unit;
		int width;
	} columns[] = {
		{ "ns_per_run", " a run", 6 }, { "run_rate", " runs/s", 5 }, { "insns", " insns", 5 },
	};
	int col = r.col + 37, name = r.cols >= 120 ? 32 : 18;
	char buf[FORMAT_MAX];
	bool off = !is(p->state, "attached");

	canvas_cut(c, row, r.col + 3, name, ROLE_dim, p->probe ? p->probe : "?");
	col += name - 18;
	canvas_right(c, row, r.col + 22 + name - 18, 7, ROLE_dim, cost_text(buf, p->cost_pct));
	canvas_right(c, row, col - 7, 6, is(p->state, "blocked") ? ROLE_bad : ROLE_dim,
		     off ? p->state ? p->state : "?" : "on");
	col++;
	if (off && p->reason && *p->reason) {
		canvas_cut(c, row, col, r.cols - (col - r.col), ROLE_dim, p->reason);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(columns); i++) {
		int f = table_field(TABLE_probes, columns[i].member);
		const char *text = format_value(buf, &table_descs[TABLE_probes].fields[f], &p->row, NULL, NULL);

		canvas_right(c, row, col, columns[i].width, ROLE_text, text);
		col += columns[i].width;
		col += canvas_text(c, row, col, -1, ROLE_dim, columns[i].unit) + 1;
	}
}

static void draw_collectors(struct canvas *c, struct rect r, const struct health *h)
{
	u32 rows = (u32)max(r.rows - 1, 1), top = h->at >= rows ? h->at - rows + 1 : 0;

	draw_titles(c, r);
	for (u32 i = 0; i < rows && top + i < h->n_lines; i++) {
		const struct line *l = &h->lines[top + i];
		int row = r.row + 1 + (int)i;

		if (l->probe)
			draw_probe(c, r, row, l->probe);
		else
			draw_part(c, r, row, &h->parts[l->part]);
		if (top + i != h->at)
			continue;
		canvas_restyle(c, row, r.col, r.cols, ROLE_selection);
		canvas_text(c, row, r.col, 1, ROLE_selection, "▌");
	}
}

/* ---- cost, memory, losses ---------------------------------------------------------------- */

static const char *self_text(char buf[FORMAT_MAX], const struct self_row *self, const char *member)
{
	int f = table_field(TABLE_self, member);

	return format_value(buf, &table_descs[TABLE_self].fields[f], &self->row, NULL, NULL);
}

static void draw_cost(struct canvas *c, struct rect r, const struct self_row *self)
{
	char bpf[FORMAT_MAX], own[FORMAT_MAX], tick[FORMAT_MAX], budget[FORMAT_MAX];
	int col = r.col + 9;

	snprintf(own, sizeof(own), f32_known(self->cpu_pct) ? "%.2f" : "?", (double)self->cpu_pct);
	canvas_text(c, r.row, r.col, -1, ROLE_dim, "cost");
	col += canvas_printf(c, r.row, col, -1, ROLE_text, "kernel programs %s  own processes %s  of %s",
			     cost_text(bpf, self->bpf_cpu_pct), own, self_text(budget, self, "budget_pct"));
	col += canvas_text(c, r.row, col, -1, ROLE_dim, " % of the machine");
	canvas_printf(c, r.row, col, -1, ROLE_text, "  a tick takes %s", self_text(tick, self, "tick_ns"));
}

static void draw_memory(struct app *a, struct canvas *c, struct rect r, const struct self_row *self)
{
	struct history *h = app_history(a);
	char rss[FORMAT_MAX], maps[FORMAT_MAX], kept[FORMAT_MAX], span[FORMAT_MAX];
	u32 n = history_len(h);

	format_bytes(kept, (double)history_bytes(h));
	format_age(span, n ? history_time_ns(h, n - 1) - history_time_ns(h, 0) : 0);
	canvas_text(c, r.row, r.col, -1, ROLE_dim, "memory");
	canvas_printf(c, r.row, r.col + 9, -1, ROLE_text,
		      "ottop %sB  kernel maps %sB  history %sB: %s in %u ticks, %llu merged, %llu dropped",
		      self_text(rss, self, "rss_bytes"), self_text(maps, self, "kernel_map_bytes"), kept,
		      span, n, (unsigned long long)history_merged(h), (unsigned long long)history_dropped(h));
}

/* "lost     1,204 in all, 12/s now: 1,200 ring buffer full, 4 syscall rows full" */
static void draw_lost(struct app *a, struct canvas *c, struct rect r, const struct self_row *self)
{
	const struct table *t = &app_snapshot(a)->tables[TABLE_lost];
	bool any = u64_known(self->lost_total) && self->lost_total;
	u32 style = any ? ROLE_bad : ROLE_text;
	char n[FORMAT_MAX], rate[FORMAT_MAX];
	int col = r.col + 9, shown = 0;

	canvas_text(c, r.row, r.col, -1, ROLE_dim, "lost");
	if (!any) {
		canvas_text(c, r.row, col, -1, ROLE_text, u64_known(self->lost_total) ?
			    "no event since ottop started" : "?");
		return;
	}
	col += canvas_printf(c, r.row, col, -1, style, "%s since ottop started, %s/s now",
			     format_thousands(n, self->lost_total), self_text(rate, self, "lost_rate"));
	for (u32 i = 0; i < t->n; i++) {
		const struct lost_row *l = (const struct lost_row *)t->rows[i];

		if (!u64_known(l->count) || !l->count)
			continue;
		col += canvas_text(c, r.row, col, -1, style, shown++ ? ", " : ": ");
		col += canvas_printf(c, r.row, col, -1, style, "%s %s", format_thousands(n, l->count),
				     l->cause ? l->cause : "?");
	}
}

/* ---- log ----------------------------------------------------------------------------------- */

struct log_tail {
	char *lines[MAX_LOG];
	u32 n;			/* of all lines so far: the last MAX_LOG are kept */
};

static void keep_line(void *arg, const char *line)
{
	struct log_tail *t = arg;

	free(t->lines[t->n % MAX_LOG]);
	t->lines[t->n++ % MAX_LOG] = xstrdup(line);
}

static void draw_log(struct canvas *c, struct rect r)
{
	struct log_tail t = { .n = 0 };
	u32 n;

	log_each(keep_line, &t);
	canvas_rule(c, r.row, r.col, r.cols, t.n ? "log, newest last" : "log: nothing was written");
	n = min(min(t.n, (u32)MAX_LOG), (u32)max(r.rows - 1, 0));
	for (u32 i = 0; i < n; i++)
		canvas_cut(c, r.row + 1 + (int)i, r.col + 1, r.cols - 1, ROLE_dim,
			   t.lines[(t.n - n + i) % MAX_LOG]);
	for (u32 i = 0; i < MAX_LOG; i++)
		free(t.lines[i]);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void health_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct health *h = state;
	const struct self_row *self =
		(const struct self_row *)snapshot_single(app_snapshot(a), TABLE_self);
	struct rect r = body;
	int fixed = 5 + LOG_MIN;	/* titles, three facts, the rule of the log, some of it */

	h->all = (int)(h->n_parts + probes_of(a)->n) + fixed <= body.rows;
	load(a, h);
	if (!h->n_parts)
		canvas_text(c, r.row, r.col + 1, -1, ROLE_dim, "no kernel program is known at this moment");
	r.rows = max(min((int)h->n_lines + 1, body.rows - fixed + 1), 2);
	draw_collectors(c, r, h);
	r.row += r.rows;
	if (self) {
		draw_cost(c, r, self);
		r.row++;
		draw_memory(a, c, r, self);
		r.row++;
		draw_lost(a, c, r, self);
		r.row++;
	}
	r.rows = body.row + body.rows - r.row;
	if (r.rows > 1)
		draw_log(c, r);
}

static void toggle_open(struct app *a, struct health *h)
{
	const char *name;

	if (h->at >= h->n_lines)
		return;
	name = h->parts[h->lines[h->at].part].name;
	hold_cursor(h);
	if (is(name, h->open)) {
		h->open[0] = '\0';
		h->cursor_probe[0] = '\0';
	} else {
		snprintf(h->open, sizeof(h->open), "%s", name);
	}
	load(a, h);
}

static void explain(struct app *a, const struct health *h)
{
	const struct line *l;
	const char *why;

	if (h->at >= h->n_lines)
		return;
	l = &h->lines[h->at];
	why = l->probe ? l->probe->reason : h->parts[l->part].why;
	app_say(a, ROLE_text, "%s: %s", l->probe ? line_probe(l) : h->parts[l->part].name,
		why && *why ? why : "attached, nothing to say");
}

static bool health_act(struct app *a, void *state, enum action action, u32 key)
{
	struct health *h = state;
	u32 last = h->n_lines - min(h->n_lines, 1u);

	if (!app_snapshot(a))
		return false;
	switch (action) {
	case ACTION_up:
		h->at -= h->at > 0;
		break;
	case ACTION_down:
		h->at = min(h->at + 1, last);
		break;
	case ACTION_first:
		h->at = 0;
		break;
	case ACTION_last:
		h->at = last;
		break;
	case ACTION_open:
		toggle_open(a, h);
		return true;
	case ACTION_explain:
		explain(a, h);
		return true;
	default:
		return false;
	}
	hold_cursor(h);
	return true;
}

static void health_status(struct app *a, void *state, char *buf, size_t cap)
{
	const struct self_row *self = app_snapshot(a) ?
		(const struct self_row *)snapshot_single(app_snapshot(a), TABLE_self) : NULL;
	char budget[FORMAT_MAX], memory[FORMAT_MAX], lost[FORMAT_MAX];
	float cost;

	*buf = '\0';
	if (!self)
		return;
	cost = self->cpu_pct + self->bpf_cpu_pct;
	snprintf(lost, sizeof(lost), f32_known(cost) ? "%.2f" : "?", (double)cost);
	if (u64_known(self->rss_bytes) && u64_known(self->kernel_map_bytes))
		format_bytes(memory, (double)(self->rss_bytes + self->kernel_map_bytes));
	else
		snprintf(memory, sizeof(memory), "?");
	snprintf(buf, cap, "cost %s of %s %%   memory %s   lost ", lost,
		 self_text(budget, self, "budget_pct"), memory);
	snprintf(buf + strlen(buf), cap - strlen(buf), "%s", self_text(lost, self, "lost_total"));
}

static void health_fini(void *state)
{
	free(((struct health *)state)->lines);
}

const struct view health_view = {
	.name = "health",
	.flags = VIEW_OVERLAY,
	.needs = TABLE_BIT(TABLE_self) | TABLE_BIT(TABLE_probes) | TABLE_BIT(TABLE_lost),
	.state_size = sizeof(struct health),
	.hints = "open explain cancel",
	.legend = "COST%\trun time of its kernel programs, 100 = the whole machine\n"
		  "PROBES\tattached / all\n"
		  "off\tno view or export asks for it\n"
		  "!blocked\tcannot be had here: the line says why\n",
	.fini = health_fini, .draw = health_draw, .act = health_act, .status = health_status,
};
