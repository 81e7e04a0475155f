// SPDX-License-Identifier: GPL-2.0-or-later
/* flame.c: the store of distinct stacks, parsed once; a tick costs one walk up the tree a row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/engines/flame.h"

#define MAX_STACKS (1u << 17)	/* further ones are counted, but not stored */

/* ---- the store ------------------------------------------------------------------------ */

static u64 mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static bool is_stack(const struct flame *f, const struct flame_stack *s, u64 hash, u32 task, u32 cut_fn,
		     const u32 *ids, u32 n)
{
	return s->hash == hash && s->task == task && s->cut_fn == cut_fn && s->n_ids == n &&
	       !memcmp(f->ids + s->ids, ids, n * sizeof(*ids));
}

void flame_index_stacks(struct flame *f)
{
	index_clear(&f->by_hash);
	for (u32 i = 0; i < f->n_stacks; i++)
		index_add(&f->by_hash, index_fold(f->stacks[i].hash), i);
}

static u32 hash_of_task(u64 pid, u64 start_time_ns, u64 tid)
{
	return index_fold(mix(mix(pid, start_time_ns), tid));
}

void flame_tasks_keep(struct flame *f, const bool *used)
{
	f->spare_tasks = xrealloc(f->spare_tasks, f->n_tasks * sizeof(*f->spare_tasks));
	f->n_spare_tasks = 0;
	index_clear(&f->by_task);
	for (u32 i = f->n_tasks; i-- > 0;) {
		struct flame_task *t = &f->tasks[i];

		if (used[i]) {
			index_add(&f->by_task, hash_of_task(t->pid, t->start_time_ns, t->tid), i);
			continue;
		}
		*t = (struct flame_task){ .spare = true };
		f->spare_tasks[f->n_spare_tasks++] = i;
	}
}

/* Names change (exec, prctl): the latest is shown. */
static u32 task_of(struct flame *f, const struct snapshot *s, const struct stacks_row *r)
{
	const struct processes_row *p = snapshot_process(s, r->pid, r->start_time_ns);
	u32 hash = hash_of_task(r->pid, r->start_time_ns, r->tid), at = 0, i;
	const char *name = p && p->comm ? p->comm : r->comm ? r->comm : "?";
	u32 process_fn, thread_fn;
	char text[64];

	snprintf(text, sizeof(text), "%s %llu", name, (unsigned long long)r->pid);
	process_fn = flame_names_group(&f->names, FLAME_GROUP, r->pid, r->start_time_ns + 1, text);
	flame_alike_named(f, process_fn, name);
	if (u64_known(r->tid))
		snprintf(text, sizeof(text), "%s tid %llu", r->comm ? r->comm : "?", (unsigned long long)r->tid);
	else
		snprintf(text, sizeof(text), "%s tid ?", r->comm ? r->comm : "?");
	thread_fn = flame_names_group(&f->names, FLAME_GROUP, mix(r->pid, r->tid), ~r->start_time_ns, text);
	while ((i = index_next(&f->by_task, hash, &at)) != INDEX_NONE) {
		const struct flame_task *t = &f->tasks[i];

		if (t->pid == r->pid && t->start_time_ns == r->start_time_ns && t->tid == r->tid)
			return i;
	}
	i = f->n_spare_tasks ? f->spare_tasks[--f->n_spare_tasks] : f->n_tasks++;
	f->tasks = grow(f->tasks, i, &f->cap_tasks, sizeof(*f->tasks));
	f->tasks[i] = (struct flame_task){ r->pid, r->start_time_ns, r->tid, process_fn, thread_fn, false };
	index_add(&f->by_task, hash, i);
	return i;
}

u32 flame_parse_ids(const char *s, u32 *ids, u32 cap)
{
	u32 n = 0;

	while (s && n < cap && frame_id_next(&s, &ids[n]))
		n++;
	return n;
}

static u32 cut_fn_of(struct flame *f, const char *whole)
{
	u64 key = 0;

	if (!whole || !*whole || !strcmp(whole, "yes"))
		return 0;
	for (const char *p = whole; *p; p++)
		key = mix(key, (u8)*p);
	return flame_names_group(&f->names, FLAME_CUT, key, 7, whole);
}

/* ---- adding to the store ---------------------------------------------------------------- */

static struct flame_tree *other_tree(struct flame *f)
{
	return &f->trees[!f->shown];
}

u32 flame_stack_of(struct flame *f, const struct snapshot *s, const struct stacks_row *r)
{
	u32 ids[FLAME_DEPTH_MAX], n = flame_parse_ids(r->frames, ids, FLAME_DEPTH_MAX), at = 0, i;
	u32 task = task_of(f, s, r), cut_fn = cut_fn_of(f, r->whole);
	u64 hash = mix(task, cut_fn);

	for (u32 i = 0; i < n; i++)
		hash = mix(hash, ids[i]);
	while ((i = index_next(&f->by_hash, index_fold(hash), &at)) != INDEX_NONE)
		if (is_stack(f, &f->stacks[i], hash, task, cut_fn, ids, n))
			return i;
	if (f->n_stacks >= MAX_STACKS || flame_tree(f)->n >= FLAME_MAX_NODES)
		return FLAME_NONE;
	at = f->n_stacks;
	f->stacks = grow(f->stacks, at, &f->cap_stacks, sizeof(*f->stacks));
	f->stacks[at] = (struct flame_stack){
		.hash = hash, .ids = f->n_ids, .n_ids = n, .task = task, .cut_fn = cut_fn,
		.leaf = { FLAME_NONE, FLAME_NONE },
	};
	while (f->cap_ids < f->n_ids + n) {
		f->cap_ids = max(f->cap_ids * 2, 16384u);
		f->ids = xrealloc(f->ids, f->cap_ids * sizeof(*f->ids));
	}
	memcpy(f->ids + f->n_ids, ids, n * sizeof(*ids));
	f->n_ids += n;
	index_add(&f->by_hash, index_fold(hash), at);
	f->n_stacks++;
	f->n_dead++;	/* until it gets a value */
	/* The tree being built will reach this stack later. */
	f->stacks[at].leaf[f->shown] = flame_place(f, flame_tree(f), &f->stacks[at]);
	return at;
}

/* ---- values -------------------------------------------------------------------------------- */

void flame_apply(struct flame *f, u32 stack, double value, double n)
{
	struct flame_stack *s = &f->stacks[stack];
	u32 other = !f->shown;

	bool was = s->n || s->value, is;

	s->value += value;
	s->n += n;
	is = s->n || s->value;
	f->n_dead += was - is;
	if (was != is)
		flame_alike_count(f, f->tasks[s->task].process_fn, is);
	f->all_n += n;
	if (s->cut_fn)
		f->cut_n += n;
	if (s->leaf[f->shown] != FLAME_NONE)
		flame_tree_add(flame_tree(f), &f->names, s->leaf[f->shown], value, n, false);
	if (f->building && stack < f->build_at && s->leaf[other] != FLAME_NONE)
		flame_tree_add(other_tree(f), &f->names, s->leaf[other], value, n, false);
}

static void scale_tree(struct flame_tree *t, double by)
{
	for (u32 i = 0; i < t->n; i++) {
		t->nodes[i].value *= by;
		t->nodes[i].n *= by;
	}
	for (u32 i = 0; i < t->n_costs; i++) {
		t->costs[i].value *= by;
		t->costs[i].n *= by;
		t->costs[i].self *= by;
		t->costs[i].self_n *= by;
	}
}

void flame_scale(struct flame *f, double by)
{
	for (u32 i = 0; i < f->n_stacks; i++) {
		f->stacks[i].value *= by;
		f->stacks[i].n *= by;
	}
	scale_tree(flame_tree(f), by);
	if (f->building)
		scale_tree(other_tree(f), by);
	f->all_n *= by;
	f->cut_n *= by;
	f->covered_ns *= by;
	f->gap_ns *= by;
	if (!by) {
		f->n_dead = f->n_stacks;
		flame_alike_zero(f);
	}
	f->version++;
}

void flame_zero(struct flame *f)
{
	flame_scale(f, 0);
	for (u32 i = 0; i < f->n_ticks; i++)
		free(f->ticks[i].parts);
	snapshot_put(f->load.s);
	f->load.s = NULL;
	f->n_ticks = 0;
	f->weight = 1;
	f->refused = 0;
	f->began = false;
}

/* ---- A and B ------------------------------------------------------------------------------------- */

struct flame_span flame_span(const struct flame *f)
{
	struct flame_span s = {
		.covered_ns = flame_real(f, f->covered_ns),
		.value = flame_real(f, f->trees[f->shown].nodes[FLAME_ROOT].value),
		.n = flame_real(f, f->trees[f->shown].nodes[FLAME_ROOT].n),
	};

	if (f->n_ticks) {
		s.first_ns = f->ticks[0].time_ns - f->ticks[0].interval_ns;
		s.last_ns = f->ticks[f->n_ticks - 1].time_ns;
	}
	return s;
}

void flame_mark(struct flame *f)
{
	struct flame_tree *t = flame_tree(f);

	f->has_a = true;
	f->a = flame_span(f);
	f->compact_at = FLAME_MANY_DEAD;	/* the previous A is released */
	for (u32 i = 0; i < f->n_stacks; i++) {
		f->stacks[i].a_value = (float)flame_real(f, f->stacks[i].value);
		f->stacks[i].a_n = (float)flame_real(f, f->stacks[i].n);
	}
	for (u32 i = 0; i < t->n; i++) {
		t->nodes[i].a_value = (float)flame_real(f, t->nodes[i].value);
		t->nodes[i].a_n = (float)flame_real(f, t->nodes[i].n);
	}
	for (u32 i = 0; i < t->n_costs; i++) {
		struct flame_cost *c = &t->costs[i];

		c->a_value = (float)flame_real(f, c->value);
		c->a_n = (float)flame_real(f, c->n);
		c->a_self = (float)flame_real(f, c->self);
		c->a_self_n = (float)flame_real(f, c->self_n);
	}
	if (f->building)
		flame_rebuild(f);
	f->version++;
}

double flame_diff(const struct flame *f, double value, double n, double a_value, double a_n,
		  bool *ret_noise)
{
	double b_s = flame_real(f, f->covered_ns) / 1e9, a_s = f->a.covered_ns / 1e9;
	double diff, each_a, each_b, error2;

	value = flame_real(f, value);
	n = flame_real(f, n);
	*ret_noise = true;
	if (a_s <= 0 || b_s <= 0)
		return 0;
	diff = value / b_s - a_value / a_s;
	/* n samples have a standard error of sqrt(n); each stands for value / n. */
	each_b = n > 0 ? value / n / b_s : 0;
	each_a = a_n > 0 ? a_value / a_n / a_s : 0;
	error2 = n * each_b * each_b + a_n * each_a * each_a;
	*ret_noise = diff * diff < 4 * error2 || diff == 0;
	return diff;
}

/* ---- life ------------------------------------------------------------------------------------------ */

struct flame_tree *flame_tree(struct flame *f)
{
	return &f->trees[f->shown];
}

void flame_init(struct flame *f)
{
	*f = (struct flame){ .weight = 1, .compact_at = FLAME_MANY_DEAD };
	flame_names_init(&f->names);
	flame_tree_clear(&f->trees[0]);
	flame_tree_clear(&f->trees[1]);
}

void flame_free(struct flame *f)
{
	row_put(f->span ? &f->span->row : NULL);
	for (u32 i = 0; i < f->n_ticks; i++)
		free(f->ticks[i].parts);
	snapshot_put(f->load.s);
	flame_names_free(&f->names);
	flame_tree_free(&f->trees[0]);
	flame_tree_free(&f->trees[1]);
	free(f->stacks);
	index_free(&f->by_hash);
	free(f->ids);
	free(f->tasks);
	index_free(&f->by_task);
	free(f->spare_tasks);
	free(f->ticks);
	*f = (struct flame){ 0 };
}
