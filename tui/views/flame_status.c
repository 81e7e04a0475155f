// SPDX-License-Identifier: GPL-2.0-or-later
/* flame_status.c: the context line and the note line of a flame graph. */
#include <stdio.h>
#include <string.h>

#include "tui/views/flame.h"

#define FULL_WINDOW_S 10
#define CRUMB_COLUMNS 20	/* for the zoomed frame in the breadcrumb */

static void window_text(struct app *a, const struct flame_view *v, char *buf, size_t cap)
{
	struct flame_span s = flame_span(&v->f);
	char clock[FORMAT_MAX], age[FORMAT_MAX];

	if (v->f.span) {
		snprintf(buf, cap, "%s, span %s",
			 format_clock(clock, v->f.span->start_time_ns, app_snapshot(a)->unix_offset_ns, true),
			 format_ns(age, (double)v->f.span->duration_ns));
		return;
	}
	switch (v->f.window) {
	case FLAME_TICK:
		snprintf(buf, cap, "last tick");
		break;
	case FLAME_10S:
		snprintf(buf, cap, "window %.3gs", s.covered_ns / 1e9);
		break;
	case FLAME_ALL:
		format_clock(clock, s.first_ns, app_snapshot(a)->unix_offset_ns, false);
		snprintf(buf, cap, "since %s (%s)", clock, format_age(age, (u64)s.covered_ns));
		break;
	default:
		snprintf(buf, cap, "decaying, half in 10s");
	}
}

static void add(char *buf, size_t cap, const char *text)
{
	size_t n = strlen(buf);

	if (*text && n + strlen(text) + 3 < cap)
		snprintf(buf + n, cap - n, "%s%s", n ? "  " : "", text);
}

static void samples_text(const struct flame_view *v, char *buf, size_t cap)
{
	struct flame_span s = flame_span(&v->f);
	double all = v->f.all_n;
	u64 count = (u64)(s.n + 0.5);
	char n[FORMAT_MAX];
	size_t at;

	format_thousands(n, count);
	if (flame_is_offcpu(v))
		snprintf(buf, cap, "%s block%s", n, text_plural(count, "s"));
	else if (s.value > 0)
		snprintf(buf, cap, "%s sample%s @%.0fHz", n, text_plural(count, "s"), s.n * 1e9 / s.value);
	else
		snprintf(buf, cap, "%s sample%s", n, text_plural(count, "s"));
	if (all <= 0)
		return;
	at = strlen(buf);
	/* Never "100 %" if any is truncated. */
	snprintf(buf + at, cap - at, v->f.cut_n >= 0.5 * v->f.weight ? "  whole %.1f%%" : "  whole %.0f%%",
		 min(100 - v->f.cut_n * 100 / all, v->f.cut_n >= 0.5 * v->f.weight ? 99.9 : 100));
}

/* How it differs from the plain graph. */
static void shape_text(struct app *a, const struct flame_view *v, char *buf, size_t cap)
{
	const struct flame_shape *s = &v->f.shape;

	*buf = '\0';
	if (s->inverted)
		add(buf, cap, "leaves on top");
	if (s->hide_kernel)
		add(buf, cap, "no kernel");
	if (s->by_thread)
		add(buf, cap, "by thread");
	if (!s->by_process && !app_context(a)->pid)
		add(buf, cap, "merged");
	if (flame_is_offcpu(v))
		add(buf, cap, s->hide_waits ? "waits hidden" : "waits shown");
}

static void cuts_text(const struct flame_view *v, char *buf, size_t cap)
{
	u32 worst = FLAME_NONE;
	char n[FORMAT_MAX];

	*buf = '\0';
	for (u32 c = flame_node(v, FLAME_ROOT)->first; c != FLAME_NONE; c = flame_node(v, c)->next)
		if (flame_fn_of(v, c)->kind == FLAME_CUT && flame_alive(v, c) &&
		    (worst == FLAME_NONE || flame_node(v, c)->n > flame_node(v, worst)->n))
			worst = c;
	if (worst != FLAME_NONE)
		snprintf(buf, cap, "(cut %s: mostly %.40s)",
			 format_thousands(n, (u64)(flame_real(&v->f, v->f.cut_n) + 0.5)),
			 flame_fn_text(flame_fn_of(v, worst)));
}

static void diff_text(struct app *a, const struct flame_view *v, char *buf, size_t cap)
{
	struct flame_span b = flame_span(&v->f);
	s64 offset = app_snapshot(a)->unix_offset_ns;
	char at_a[FORMAT_MAX], at_b[FORMAT_MAX];

	snprintf(buf, cap, "diff  A %s %.3gs %.0fn   B %s %.3gs %.0fn",
		 format_clock(at_a, v->f.a.last_ns, offset, false), v->f.a.covered_ns / 1e9, v->f.a.n,
		 format_clock(at_b, b.last_ns, offset, false), b.covered_ns / 1e9, b.n);
}

static int characters(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* The right part of the context line; what does not fit is dropped from the end. */
void flame_status(struct app *a, void *state, char *buf, size_t cap)
{
	struct flame_view *v = state;
	size_t room = (size_t)max(v->cols - (app_context(a)->pid ? 21 : 7), 20);
	char text[160], clock[FORMAT_MAX];

	if (flame_crumb(a, state, text, sizeof(text)))
		room = (size_t)max((int)room - characters(text) - 3, 20);

	*buf = '\0';
	if (!app_snapshot(a) || !v->ready || v->f.covered_ns <= 0)
		return;
	if (v->blocked) {	/* the earlier samples are not on the screen */
		shape_text(a, v, buf, cap);
		return;
	}
	room = min(room, cap);
	if (flame_seeks(v) && v->n_boxes) {
		snprintf(text, sizeof(text), "%s %.1f %%", v->same_fn != FLAME_NONE ? "same" : "match", v->match);
		add(buf, cap, text);
	}
	if (v->diff && v->f.has_a) {
		diff_text(a, v, text, sizeof(text));
		add(buf, cap, text);
		return;
	}
	window_text(a, v, text, sizeof(text));
	add(buf, room, text);
	samples_text(v, text, sizeof(text));
	add(buf, room, text);
	shape_text(a, v, text, sizeof(text));
	add(buf, room, text);
	if (v->f.has_a) {
		snprintf(text, sizeof(text), "A=%s", format_clock(clock, v->f.a.last_ns,
								  app_snapshot(a)->unix_offset_ns, false));
		add(buf, room, text);
	}
	cuts_text(v, text, sizeof(text));
	add(buf, room, text);
}

/* The zoomed frames, outermost first: "main › validate", or "… › validate". */
bool flame_crumb(struct app *a, void *state, char *buf, size_t cap)
{
	struct flame_view *v = state;
	char label[128];
	u32 last;

	*buf = '\0';
	if (!v->ready || v->f.n_pins < 2)
		return false;
	last = v->f.pins[v->f.n_pins - 1];
	flame_label(label, sizeof(label), flame_fn_text(flame_fn_of(v, last)), flame_fn_of(v, last)->kind,
		    v->cols < FLAME_WIDE ? CRUMB_COLUMNS : 2 * CRUMB_COLUMNS);
	snprintf(buf, cap, "%s%s", v->f.n_pins > 2 ? "… › " : "", label);
	return true;
}

u64 flame_shows_from(struct app *a, void *state)
{
	struct flame_view *v = state;

	if (!v->ready)
		return 0;
	if (!v->complete)
		v->complete = flame_follow(&v->f, app_history(a), app_snapshot(a), 0);
	return flame_span(&v->f).first_ns;
}

bool flame_note(struct app *a, void *state, char *buf, size_t cap)
{
	const struct flame_view *v = state;
	const struct flame_names *names = &v->f.names;
	struct flame_span s;
	char n[FORMAT_MAX];
	u64 overlap_ns;

	if (!v->ready || !v->f.n_ticks)
		return false;
	s = flame_span(&v->f);
	if (v->f.refused) {
		snprintf(buf, cap, "not in the graph: %s sample%s, too many different stacks to keep",
			 format_thousands(n, v->f.refused), text_plural((u64)v->f.refused, "s"));
		return true;
	}
	overlap_ns = v->diff ? flame_overlap_ns(&v->f) : 0;
	if (overlap_ns) {
		if (v->f.window == FLAME_ALL || v->f.window == FLAME_DECAY)
			snprintf(buf, cap, "A is part of this window: m for one of %d s, which moves away from it",
				 FULL_WINDOW_S);
		else
			snprintf(buf, cap, "A and B have %.0f s in common: compared when they have none", (double)overlap_ns / 1e9);
		return true;
	}
	*buf = '\0';
	if (!v->f.span && flame_gap_ns(&v->f))
		snprintf(buf, cap, "not observed for %.0f s of this window", (double)flame_gap_ns(&v->f) / 1e9);
	/* past windows do not fill up */
	else if (app_live(a) && !v->f.span && v->f.window != FLAME_TICK && s.covered_ns / 1e9 < FULL_WINDOW_S - 0.5)
		snprintf(buf, cap, "collecting: %.1f of %d s, %s %s%s", s.covered_ns / 1e9,
			 FULL_WINDOW_S, format_thousands(n, (u64)(s.n + 0.5)),
			 flame_is_offcpu(v) ? "block" : "sample", text_plural((u64)(s.n + 0.5), "s"));
	if (names->n_used_known < names->n_used)
		text_add(buf, cap, ", ", "names: %u of %u known", names->n_used_known, names->n_used);
	return *buf;
}
