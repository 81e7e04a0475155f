// SPDX-License-Identifier: GPL-2.0-or-later
/* health_draw.c: the lines of the health view. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/views/health.h"

#define MAX_LOG 64

/* ---- collectors ------------------------------------------------------------------------ */

static void part_state(const struct health_part *p, char *buf, size_t cap, u32 *ret_style)
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

/* Probe names are long: with room to spare all columns move to the right. */
static int shift(const struct rect *r)
{
	return r->cols >= 100 ? 14 : 0;
}

/* On narrow screens the reason takes precedence over the number of probes. */
static int why_col(const struct rect *r)
{
	return r->col + shift(r) + (r->cols < 60 ? 30 : 38);
}

static void draw_why(struct canvas *c, struct rect r, int row, u32 style, const char *text)
{
	canvas_cut(c, row, why_col(&r), r.col + r.cols - why_col(&r), style, text);
}

static void draw_probes(struct canvas *c, struct rect r, int row, u32 style, int width, const char *text)
{
	if (why_col(&r) > r.col + shift(&r) + 30)
		canvas_right(c, row, r.col + shift(&r) + 30, width, style, text);
}

static void draw_titles(struct canvas *c, struct rect r)
{
	int x = r.col + shift(&r);

	canvas_text(c, r.row, r.col + 1, -1, ROLE_dim, "COLLECTOR");
	canvas_text(c, r.row, x + 14, -1, ROLE_dim, "STATE");
	canvas_right(c, r.row, x + 22, 7, ROLE_accent | S_BOLD, "COST%▾");
	draw_probes(c, r, r.row, ROLE_dim, 6, "PROBES");
	draw_why(c, r, r.row, ROLE_dim, r.cols < 60 ? "WHY" : "WHY, WHAT TO DO");
}

static void draw_part(struct canvas *c, struct rect r, int row, const struct health_part *p)
{
	char text[FORMAT_MAX];
	int x = r.col + shift(&r);
	u32 style;

	canvas_cut(c, row, r.col + 1, 12, ROLE_text, p->name);
	part_state(p, text, sizeof(text), &style);
	canvas_text(c, row, x + 14, 8, style, text);
	canvas_right(c, row, x + 22, 7,
		     f32_known(p->cost_pct) && p->cost_pct > 0 ? ROLE_text : ROLE_dim,
		     cost_text(text, p->cost_pct));
	snprintf(text, sizeof(text), "%u/%u", p->attached, p->n);
	draw_probes(c, r, row, ROLE_text, 6, text);
	draw_why(c, r, row, p->blocked ? ROLE_text : ROLE_dim, p->why && p->attached != p->n ? p->why : "");
}

/* "92ns a run  318k runs/s   412 insns" */
static void draw_run(struct canvas *c, int row, int col, const struct probes_row *p)
{
	static const struct {
		const char *member, *unit;
		int width;
	} columns[] = {
		{ "ns_per_run", " a run", 5 }, { "run_rate", " runs/s", 5 },
		{ "insns", " insns", 5 },
	};
	char buf[FORMAT_MAX];

	for (u32 i = 0; i < ARRAY_SIZE(columns); i++) {
		const char *text = format_member(buf, &p->row, columns[i].member, NULL);

		canvas_right(c, row, col, columns[i].width, *text == '?' ? ROLE_dim : ROLE_text, text);
		col += columns[i].width;
		col += canvas_text(c, row, col, -1, ROLE_dim, columns[i].unit) + 1;
	}
}

static void draw_probe(struct canvas *c, struct rect r, int row, const struct probes_row *p)
{
	int x = r.col + shift(&r);
	bool off = !text_is(p->state, "attached"), blocked = text_is(p->state, "blocked");
	char buf[FORMAT_MAX];

	canvas_cut_middle(c, row, r.col + 3, 19 + shift(&r), ROLE_dim, p->probe ? p->probe : "?");
	canvas_right(c, row, x + 22, 7, ROLE_dim, cost_text(buf, p->cost_pct));
	draw_probes(c, r, row, blocked ? ROLE_bad : ROLE_dim, 7, off ? p->state ? p->state : "?" : "on");
	if (off && p->reason && *p->reason)
		draw_why(c, r, row, ROLE_dim, p->reason);
	else
		draw_run(c, row, why_col(&r), p);
}

void health_draw_collectors(struct canvas *c, struct rect r, const struct health *h)
{
	u32 rows = (u32)max(r.rows - 1, 1), top = h->at >= rows ? h->at - rows + 1 : 0;

	draw_titles(c, r);
	for (u32 i = 0; i < rows && top + i < h->n_lines; i++) {
		const struct health_line *l = &h->lines[top + i];
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

void health_draw_cost(struct canvas *c, struct rect r, const struct self_row *self)
{
	char bpf[FORMAT_MAX], own[FORMAT_MAX], tick[FORMAT_MAX], budget[FORMAT_MAX], text[80];
	bool over = self->cpu_pct + self->bpf_cpu_pct > self->budget_pct;
	int col = r.col + 9;

	snprintf(own, sizeof(own), f32_known(self->cpu_pct) ? "%.2f" : "?", (double)self->cpu_pct);
	snprintf(bpf, sizeof(bpf), f32_known(self->bpf_cpu_pct) ? "%.2f" : "?",
		 (double)self->bpf_cpu_pct);
	canvas_text(c, r.row, r.col, -1, ROLE_dim, "cost");
	col += canvas_printf(c, r.row, col, -1, over ? ROLE_warn : ROLE_text,
			     "kernel %s  own %s  of %s", bpf, own,
			     format_member(budget, &self->row, "budget_pct", NULL));
	col += canvas_text(c, r.row, col, -1, ROLE_dim, col + 17 <= r.col + r.cols ? " % of the machine" : " %");
	snprintf(text, sizeof(text), "  tick %s", format_member(tick, &self->row, "tick_ns", NULL));
	canvas_cut(c, r.row, col, -1, ROLE_text, text);
}

int health_draw_memory(struct app *a, struct canvas *c, struct rect r, const struct self_row *self)
{
	struct history *h = app_history(a);
	char rss[FORMAT_MAX], maps[FORMAT_MAX], kept[FORMAT_MAX], span[FORMAT_MAX], text[256];
	u32 n = history_len(h);

	format_age(span, n ? history_time_ns(h, n - 1) - history_time_ns(h, 0) : 0);
	canvas_text(c, r.row, r.col, -1, ROLE_dim, "memory");
	snprintf(text, sizeof(text),
		 "ottop %s  maps %s  history %s: %s, %u tick%s, merged %llu, gone %llu",
		 format_member(rss, &self->row, "rss_bytes", NULL),
		 format_member(maps, &self->row, "kernel_map_bytes", NULL),
		 format_member(kept, &self->row, "history_bytes", NULL), span, n, text_plural(n, "s"),
		 (unsigned long long)history_merged(h), (unsigned long long)history_dropped(h));
	return canvas_wrap(c, r.row, r.col + 9, r.cols - 9, ROLE_text, text);
}

/* A label of `self` with its text; nothing if there is none. */
static int draw_label(struct canvas *c, struct rect r, u32 style, const char *title, const char *words)
{
	if (!words || !*words)
		return 0;
	canvas_text(c, r.row, r.col, -1, ROLE_dim, title);
	return canvas_wrap(c, r.row, r.col + 9, r.cols - 9, style, words);
}

int health_draw_labels(struct canvas *c, struct rect r, const struct self_row *self)
{
	int row = r.row, rows = draw_label(c, r, ROLE_bad, "helpers", self->helpers);

	r.row = row + rows;
	rows += draw_label(c, r, ROLE_text, "notes", self->notes);
	r.row = row + rows;
	rows += draw_label(c, r, ROLE_text, "names", self->mangled);
	r.row = row + rows;
	return rows + draw_label(c, r, ROLE_text, "room", self->room);
}

/* "lost     1,204 in all, 12/s now: 1,200 ring buffer full, 4 syscall rows full" */
int health_draw_lost(struct app *a, struct canvas *c, struct rect r, const struct self_row *self)
{
	const struct table *t = &app_snapshot(a)->tables[TABLE_lost];
	bool any = u64_known(self->lost_total) && self->lost_total;
	u32 style = any ? ROLE_bad : ROLE_text;
	char n[FORMAT_MAX], rate[FORMAT_MAX], text[512];
	int col = r.col + 9, shown = 0;
	size_t at;

	canvas_text(c, r.row, r.col, -1, ROLE_dim, "lost");
	if (!any) {
		canvas_text(c, r.row, col, -1, ROLE_text, u64_known(self->lost_total) ?
			    "no event since ottop started" : "?");
		return 1;
	}
	at = (size_t)snprintf(text, sizeof(text), "%s since ottop started, %s/s now",
			      format_thousands(n, self->lost_total),
			      format_member(rate, &self->row, "lost_rate", NULL));
	for (u32 i = 0; i < t->n; i++) {
		const struct lost_row *l = lost_row(t->rows[i]);

		if (!u64_known(l->count) || !l->count || at >= sizeof(text))
			continue;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %s", shown++ ? ", " : ": ",
				       format_thousands(n, l->count), l->cause ? l->cause : "?");
	}
	return canvas_wrap(c, r.row, col, r.cols - 9, style, text);
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

void health_draw_log(struct canvas *c, struct rect r)
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
