// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * health.c: ottop's own health: collectors' cost and permissions, losses, memory, log. An overlay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/views/health.h"

#define LOG_MIN 3		/* log lines to keep when showing all probes */

/* ---- lines --------------------------------------------------------------------------- */

static const struct table *probes_of(const struct app *a)
{
	return &app_snapshot(a)->tables[TABLE_probes];
}

static void part_add(struct health_part *p, const struct probes_row *r)
{
	p->n++;
	p->attached += text_is(r->state, "attached");
	p->blocked += text_is(r->state, "blocked");
	if (f32_known(r->cost_pct))
		p->cost_pct = (f32_known(p->cost_pct) ? p->cost_pct : 0) + r->cost_pct;
	/* The reason of a blocked probe takes precedence over that of one that is off. */
	if (r->reason && *r->reason && (!p->why || (text_is(r->state, "blocked") && p->blocked == 1)))
		p->why = r->reason;
}

/* Blocked first, then by cost. */
static int cmp_parts(const void *pa, const void *pb)
{
	const struct health_part *a = pa, *b = pb;
	float x = f32_known(a->cost_pct) ? a->cost_pct : -1, y = f32_known(b->cost_pct) ? b->cost_pct : -1;

	return cmp(!a->blocked, !b->blocked) ?: cmp(y, x) ?: strcmp(a->name, b->name);
}

static void find_parts(struct app *a, struct health *h)
{
	const struct table *t = probes_of(a);

	h->n_parts = 0;
	for (u32 i = 0; i < t->n; i++) {
		const struct probes_row *r = probes_row(t->rows[i]);
		const char *name = r->collector ? r->collector : "?";
		struct health_part *p = h->n_parts ? &h->parts[h->n_parts - 1] : NULL;

		if (!p || strcmp(p->name, name)) {
			if (h->n_parts == HEALTH_COLLECTORS)
				break;
			p = &h->parts[h->n_parts++];
			*p = (struct health_part){
				.name = name, .first = i, .cost_pct = F32_UNKNOWN,
			};
		}
		part_add(p, r);
	}
	qsort(h->parts, h->n_parts, sizeof(*h->parts), cmp_parts);
}

static void add_line(struct health *h, u32 part, const struct probes_row *probe)
{
	h->lines = grow(h->lines, h->n_lines, &h->cap, sizeof(*h->lines));
	h->lines[h->n_lines++] = (struct health_line){ part, probe };
}

static void find_lines(struct app *a, struct health *h)
{
	const struct table *t = probes_of(a);

	h->n_lines = 0;
	for (u32 i = 0; i < h->n_parts; i++) {
		const struct health_part *p = &h->parts[i];

		add_line(h, i, NULL);
		for (u32 k = 0; (h->all || text_is(p->name, h->open)) && k < p->n; k++)
			add_line(h, i, probes_row(t->rows[p->first + k]));
	}
}

static const char *line_probe(const struct health_line *l)
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
		if (text_is(h->parts[h->lines[i].part].name, h->cursor) &&
		    !strncmp(line_probe(&h->lines[i]), h->cursor_probe,
			     sizeof(h->cursor_probe) - 1))
			h->at = i;
	h->at = min(h->at, h->n_lines - min(h->n_lines, 1u));
}

/* ---- all ------------------------------------------------------------------------------------- */

/* Lines point into the shown snapshot: keys before the next frame need new ones. */
static void health_update(struct app *a, void *state)
{
	struct health *h = state;

	h->n_lines = h->n_parts = 0;
	if (!app_snapshot(a))
		return;
	find_parts(a, h);
	find_lines(a, h);
	find_cursor(h);
}

static int is_said(const char *label)
{
	return label && *label;
}

static void health_draw(struct app *a, void *state, struct canvas *c, struct rect body)
{
	struct health *h = state;
	const struct self_row *self = self_row(snapshot_single(app_snapshot(a), TABLE_self));
	struct rect r = body;
	int fixed = 5 + LOG_MIN;	/* titles, three facts, the log's title and LOG_MIN lines */

	fixed += self ? is_said(self->helpers) + is_said(self->notes) + is_said(self->mangled) +
			 is_said(self->room) : 0;
	find_parts(a, h);
	h->all = (int)(h->n_parts + probes_of(a)->n) + fixed <= body.rows;
	find_lines(a, h);
	find_cursor(h);
	if (!h->n_parts)
		canvas_text(c, r.row + 1, r.col + 1, -1, ROLE_dim,
			    "no kernel program is known at this moment");
	r.rows = max(min((int)h->n_lines + 1, body.rows - fixed + 1), 2);
	health_draw_collectors(c, r, h);
	r.row += r.rows;
	r.row += body.row + body.rows - r.row > fixed;	/* a blank line if there is room */
	if (self) {
		health_draw_cost(c, r, self);
		r.row++;
		r.row += health_draw_memory(a, c, r, self);
		r.row += health_draw_labels(c, r, self);
		r.row += health_draw_lost(a, c, r, self);
	}
	r.rows = body.row + body.rows - r.row;
	if (r.rows > 1)
		health_draw_log(c, r);
}

static void toggle_open(struct app *a, struct health *h)
{
	const char *name;

	if (h->at >= h->n_lines)
		return;
	if (h->all)
		app_say(a, ROLE_text, "every program is shown: there is room");
	name = h->parts[h->lines[h->at].part].name;
	hold_cursor(h);
	if (text_is(name, h->open)) {
		h->open[0] = '\0';
		h->cursor_probe[0] = '\0';
	} else {
		snprintf(h->open, sizeof(h->open), "%s", name);
	}
	find_lines(a, h);
	find_cursor(h);
}

static void explain(struct app *a, const struct health *h)
{
	const struct health_line *l;
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
		self_row(snapshot_single(app_snapshot(a), TABLE_self)) : NULL;
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
		 format_member(budget, &self->row, "budget_pct", NULL), memory);
	text_add(buf, cap, "", "%s", format_member(lost, &self->row, "lost_total", NULL));
}

static void health_fini(void *state)
{
	free(((struct health *)state)->lines);
}

const struct view health_view = {
	.name = "health",
	.about = "ottop itself: probes, losses, cost",
	.flags = VIEW_OVERLAY,
	.needs = TABLE_BIT(TABLE_self) | TABLE_BIT(TABLE_probes) | TABLE_BIT(TABLE_lost),
	.state_size = sizeof(struct health),
	.hints = "open explain cancel",
	.legend = "COST%\trun time of its kernel programs, 100 = the whole machine\n"
		  "PROBES\tattached / all\n"
		  "kernel, own\trun time of the kernel programs; of ottop's processes\n"
		  "history\tthe ticks that can be stepped back to; old ones are merged, then gone\n"
		  "off\tno view or export asks for it\n"
		  "!blocked\tcannot be had here: the line says why\n",
	.fini = health_fini, .update = health_update, .draw = health_draw, .act = health_act, .status = health_status,
};
