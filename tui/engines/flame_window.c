// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_window.c: selects the ticks in the window. When time advances by a tick, one is added and
 * the oldest subtracted; after a jump only the difference is applied. Added values are recorded as
 * (stack, value), so that subtracting needs no decoding.
 */
#include <stdlib.h>
#include <string.h>

#include "tui/engines/flame.h"

#define WINDOW_NS (10 * NSEC_PER_SEC)
#define HALF_LIFE_NS (10 * NSEC_PER_SEC)
#define DECAY_NS (8 * HALF_LIFE_NS)	/* older ticks have decayed to nothing */
#define WEIGHT_MAX 1e9
#define CHECK_EVERY 32		/* rows between two checks of the clock */
#define DECAYED 0.01		/* of a sample: treated as 0 */

/* ---- one tick ----------------------------------------------------------------------- */

static bool observed(const struct table *t)
{
	return t->status == TS_OK || t->status == TS_PARTIAL;
}

static bool keeps_parts(const struct flame *f)
{
	return f->window == FLAME_10S || f->window == FLAME_TICK;
}

static bool is_of(const struct flame *f, const struct stacks_row *r)
{
	return text_is(r->kind, f->scope.kind) && (!f->scope.tid || r->tid == f->scope.tid);
}

static void add_row(struct flame *f, const struct snapshot *s, const struct stacks_row *r,
		    struct flame_tick *t)
{
	u64 value = u64_known(r->value) ? r->value : 0;
	u32 n = u64_known(r->samples) ? (u32)r->samples : 0, stack;

	if (!is_of(f, r) || (!value && !n))
		return;
	stack = flame_stack_of(f, s, r);
	if (stack == FLAME_NONE) {
		t->refused += n;
		f->refused += n;
		return;
	}
	flame_apply(f, stack, (double)value * f->weight, n * f->weight);
	if (!keeps_parts(f))
		return;
	t->parts = grow(t->parts, t->n_parts, &t->cap_parts, sizeof(*t->parts));
	t->parts[t->n_parts++] = (struct flame_part){ stack, n, value };
}

/* Adds rows of the current tick; false: not finished. */
static bool load(struct flame *f, u64 end_ns)
{
	struct flame_load *l = &f->load;
	struct flame_tick *t = f->ticks;

	if (!l->s)
		return true;
	while (t->seq != l->s->seq)
		t++;
	for (; l->next < l->end; l->next++) {
		if (end_ns && l->next % CHECK_EVERY == 0 && boottime_ns() > end_ns)
			return false;
		add_row(f, l->s, stacks_row(l->s->tables[TABLE_stacks].rows[l->next]), t);
	}
	snapshot_put(l->s);
	l->s = NULL;
	f->version++;
	return true;
}

/* Starts adding a tick; load() adds its rows. */
static void add_tick(struct flame *f, u32 at, const struct snapshot *s)
{
	const struct table *table = &s->tables[TABLE_stacks];
	struct flame_tick t = {
		.seq = s->seq, .time_ns = s->time_ns, .interval_ns = s->interval_ns, .blocked = table->status == TS_BLOCKED,
	};

	f->load = (struct flame_load){ snapshot_get(s), 0, 0 };
	f->renamed |= flame_names_update(&f->names, s);
	if (observed(table)) {
		t.covered_ns = table->interval_ns ? table->interval_ns : s->interval_ns;
		f->load.end = table->n;
		if (f->scope.pid)
			snapshot_process_rows(s, TABLE_stacks, f->scope.pid, f->scope.start_time_ns,
					      &f->load.next, &f->load.end);
	}
	f->covered_ns += (double)t.covered_ns * f->weight;
	f->began |= t.covered_ns || t.blocked;
	if (f->began && !t.covered_ns)
		f->gap_ns += (double)t.interval_ns * f->weight;
	f->ticks = grow(f->ticks, f->n_ticks, &f->cap_ticks, sizeof(*f->ticks));
	memmove(&f->ticks[at + 1], &f->ticks[at], (f->n_ticks - at) * sizeof(*f->ticks));
	f->ticks[at] = t;
	f->n_ticks++;
	f->version++;
}

static void remove_tick(struct flame *f, u32 at)
{
	struct flame_tick *t = &f->ticks[at];

	if (f->load.s && f->load.s->seq == t->seq) {
		snapshot_put(f->load.s);
		f->load.s = NULL;
	}
	for (u32 i = 0; i < t->n_parts; i++)
		flame_apply(f, t->parts[i].stack, -(double)t->parts[i].value, -(double)t->parts[i].n);
	f->covered_ns -= (double)t->covered_ns;
	f->refused -= t->refused;
	free(t->parts);
	memmove(&f->ticks[at], &f->ticks[at + 1], (f->n_ticks - at - 1) * sizeof(*f->ticks));
	f->n_ticks--;
	f->version++;
}

/* ---- decay ---------------------------------------------------------------------------- */

/* New samples get a growing weight, instead of scaling down everything in the window. */
static void decay(struct flame *f, u64 interval_ns)
{
	f->weight *= exp2((double)interval_ns / (double)HALF_LIFE_NS);
	if (f->weight < WEIGHT_MAX)
		return;
	for (u32 i = 0; i < f->n_stacks; i++) {
		struct flame_stack *s = &f->stacks[i];

		if (s->n && s->n / f->weight < DECAYED)
			flame_apply(f, i, -s->value, -s->n);
	}
	flame_scale(f, 1 / f->weight);
	f->weight = 1;
}

/* ---- selecting ticks -------------------------------------------------------------------- */

/* By the tick's middle, so that slightly late ticks do not change the window's length. */
static bool is_within(const struct history *h, u32 i, u64 end_ns, u64 length_ns)
{
	return history_time_ns(h, i) + length_ns > end_ns + history_interval_ns(h, i) / 2;
}

/* Index of the first tick of the window that ends with tick `last`. */
static u32 first_of(const struct flame *f, const struct history *h, u32 last)
{
	u64 end = history_time_ns(h, last), length = f->window == FLAME_DECAY ? DECAY_NS : WINDOW_NS;
	u32 first = last;

	if (f->window == FLAME_ALL)
		return 0;
	while (f->window != FLAME_TICK && first > 0 && is_within(h, first - 1, end, length))
		first--;
	return first;
}

static const struct snapshot *snapshot_of(struct history *h, u32 i, const struct snapshot *shown)
{
	if (shown->seq == history_seq(h, i) && shown->interval_ns == history_interval_ns(h, i))
		return snapshot_get(shown);
	return history_snapshot(h, i);
}

static bool same_tick(const struct flame_tick *t, const struct history *h, u32 i)
{
	return t->seq == history_seq(h, i) && t->interval_ns == history_interval_ns(h, i);
}

/* A running sum cannot go back in time: it restarts. */
static void forget_the_future(struct flame *f, u64 last_seq)
{
	if (f->n_ticks && !keeps_parts(f) && f->ticks[f->n_ticks - 1].seq > last_seq)
		flame_zero(f);
}

static void remove_others(struct flame *f, const struct history *h, u32 first, u32 last)
{
	u32 i = first;

	for (u32 k = 0; k < f->n_ticks;) {
		while (i <= last && history_seq(h, i) < f->ticks[k].seq)
			i++;
		if (i <= last && same_tick(&f->ticks[k], h, i))
			k++;
		else
			remove_tick(f, k);
	}
}

/* Adds tick i, if it is not included. */
static bool need_tick(struct flame *f, struct history *h, u32 i, const struct snapshot *shown)
{
	u64 seq = history_seq(h, i);
	u32 at = f->n_ticks;
	const struct snapshot *s;

	while (at > 0 && f->ticks[at - 1].seq > seq)
		at--;
	if (at > 0 && f->ticks[at - 1].seq == seq)
		return false;
	s = snapshot_of(h, i, shown);
	if (!s)
		return false;
	if (f->window == FLAME_DECAY)
		decay(f, s->interval_ns);
	add_tick(f, at, s);
	snapshot_put(s);
	return true;
}

/* A running sum needs only its first and last tick. */
static void drop_records(struct flame *f)
{
	if (keeps_parts(f) || f->n_ticks < 3)
		return;
	f->ticks[1] = f->ticks[f->n_ticks - 1];
	f->n_ticks = 2;
}

static bool follow_history(struct flame *f, struct history *h, u32 last, const struct snapshot *shown,
			   u64 end_ns)
{
	u32 first = first_of(f, h, last);

	forget_the_future(f, history_seq(h, last));
	if (keeps_parts(f))
		remove_others(f, h, first, last);
	else if (f->n_ticks)	/* a running sum continues */
		first = (u32)(history_find(h, f->ticks[f->n_ticks - 1].seq) + 1);
	if (!load(f, end_ns))
		return false;
	for (u32 i = first; i <= last; i++) {
		bool added = need_tick(f, h, i, shown);

		if (added && !load(f, end_ns))
			return false;
		drop_records(f);
	}
	return true;
}

bool flame_follow(struct flame *f, struct history *h, const struct snapshot *shown, u64 budget_ns)
{
	u64 start_ns = boottime_ns(), end_ns = budget_ns ? start_ns + budget_ns : 0;
	int last = h ? history_find(h, shown->seq) : -1;

	if (f->span)
		flame_follow_span(f, shown);
	else if (last >= 0 && history_seq(h, (u32)last) == shown->seq) {
		if (!follow_history(f, h, (u32)last, shown, end_ns))
			return false;
	} else if (!f->n_ticks || f->ticks[f->n_ticks - 1].seq != shown->seq) {
		flame_zero(f);	/* not in the history: the only one available */
		add_tick(f, 0, shown);
		load(f, 0);
	}
	flame_alike_update(f);
	if (f->renamed && (!budget_ns || start_ns >= f->build_after_ns))
		flame_rebuild_living(f);
	if (flame_is_sparse(f)) {	/* takes a while: a step of its own */
		if (!budget_ns || boottime_ns() - start_ns < budget_ns / 4)
			flame_compact(f);
		if (budget_ns)
			return false;
	}
	return flame_build(f, end_ns);
}

/* ---- the window before ------------------------------------------------------------------ */

u64 flame_gap_ns(const struct flame *f)
{
	u64 ns = 0;
	bool seen = false;

	if (!keeps_parts(f))
		return (u64)flame_real(f, f->gap_ns);
	for (u32 i = 0; i < f->n_ticks; i++) {
		seen |= f->ticks[i].covered_ns || f->ticks[i].blocked;
		ns += seen && !f->ticks[i].covered_ns ? f->ticks[i].interval_ns : 0;
	}
	return ns;
}

u64 flame_overlap_ns(const struct flame *f)
{
	struct flame_span b = flame_span(f);

	return f->has_a && f->n_ticks && f->a.last_ns > b.first_ns && f->a.first_ns < b.last_ns ?
		f->a.last_ns - b.first_ns : 0;
}

static void add_row_to_a(struct flame *f, const struct snapshot *s, const struct stacks_row *r)
{
	double value = u64_known(r->value) ? (double)r->value : 0, n = u64_known(r->samples) ? (double)r->samples : 0;
	u32 stack;

	if (!is_of(f, r) || (value <= 0 && n <= 0))
		return;
	stack = flame_stack_of(f, s, r);
	if (stack == FLAME_NONE)
		return;
	f->stacks[stack].a_value += (float)value;
	f->stacks[stack].a_n += (float)n;
	if (f->stacks[stack].leaf[f->shown] == FLAME_NONE)	/* hidden: not in the sums of B either */
		return;
	f->a.value += value;
	f->a.n += n;
}

static void add_tick_to_a(struct flame *f, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_stacks];
	u32 next = 0, end = t->n;

	flame_names_update(&f->names, s);
	if (!observed(t))
		return;
	if (f->scope.pid)
		snapshot_process_rows(s, TABLE_stacks, f->scope.pid, f->scope.start_time_ns, &next, &end);
	for (; next < end; next++)
		add_row_to_a(f, s, stacks_row(t->rows[next]));
	f->a.covered_ns += (double)(t->interval_ns ? t->interval_ns : s->interval_ns);
}

bool flame_mark_before(struct flame *f, struct history *h)
{
	u64 end_ns = flame_span(f).first_ns, length_ns = f->window == FLAME_10S ? WINDOW_NS : 1;
	u32 last = h ? history_len(h) : 0, first;

	while (last > 0 && history_time_ns(h, last - 1) > end_ns)
		last--;
	if (!last || !f->n_ticks || !keeps_parts(f))
		return false;
	for (u32 i = 0; i < f->n_stacks; i++)
		f->stacks[i].a_value = f->stacks[i].a_n = 0;
	f->a = (struct flame_span){ .last_ns = history_time_ns(h, last - 1) };
	for (first = last - 1; first > 0 && f->window == FLAME_10S && is_within(h, first - 1, end_ns, length_ns);)
		first--;
	f->a.first_ns = history_time_ns(h, first) - history_interval_ns(h, first);
	for (u32 i = first; i < last; i++) {
		const struct snapshot *s = history_snapshot(h, i);

		if (s)
			add_tick_to_a(f, s);
		snapshot_put(s);
	}
	f->has_a = f->a.covered_ns > 0;
	f->compact_at = FLAME_MANY_DEAD;
	flame_rebuild(f);
	f->version++;
	return f->has_a;
}

/* ---- settings --------------------------------------------------------------------------- */

static bool same_scope(const struct flame_scope *a, const struct flame_scope *b)
{
	return a->pid == b->pid && a->start_time_ns == b->start_time_ns && a->tid == b->tid && a->kind && b->kind &&
	       !strcmp(a->kind, b->kind);
}

void flame_set_scope(struct flame *f, const struct flame_scope *scope)
{
	if (same_scope(&f->scope, scope))
		return;
	f->scope = *scope;
	flame_zero(f);
	f->n_stacks = f->n_ids = f->n_dead = f->n_pins = 0;
	f->compact_at = FLAME_MANY_DEAD;
	f->has_a = f->building = false;
	index_clear(&f->by_hash);
	flame_tree_clear(flame_tree(f));
	flame_tree(f)->inverted = f->shape.inverted;
}

void flame_set_window(struct flame *f, enum flame_window w)
{
	if (f->window == w)
		return;
	flame_zero(f);
	f->window = w;
}

void flame_set_shape(struct flame *f, const struct flame_shape *shape)
{
	if (!memcmp(&f->shape, shape, sizeof(*shape)))
		return;
	f->shape = *shape;
	flame_rebuild(f);
}
