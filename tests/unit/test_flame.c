// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model of flame graphs: windows updated by adding and subtracting equal a full merge; shapes,
 * late names, differences.
 */
#include "flame_data.h"

/* ---- comparing two models --------------------------------------------------------------- */

static void same_below(struct flame *a, u32 x, struct flame *b, u32 y)
{
	struct flame_tree *ta = flame_tree(a), *tb = flame_tree(b);

	assert_true(fabs(ta->nodes[x].value - tb->nodes[y].value) < 1);
	assert_true(fabs(ta->nodes[x].n - tb->nodes[y].n) < 1e-6);
	for (u32 c = ta->nodes[x].first; c != FLAME_NONE; c = ta->nodes[c].next) {
		const char *name = flame_fn_text(&a->names.fns[ta->nodes[c].fn]);
		u32 found = FLAME_NONE;

		if (ta->nodes[c].value < 0.5)
			continue;
		for (u32 d = tb->nodes[y].first; d != FLAME_NONE; d = tb->nodes[d].next)
			if (!strcmp(name, flame_fn_text(&b->names.fns[tb->nodes[d].fn])))
				found = d;
		assert_true(found != FLAME_NONE);
		same_below(a, c, b, found);
	}
}

/* Stepping through the history gives the same as a fresh model of that tick. */
static void check_against_fresh(struct flame *f, struct fake *x, u32 tick, u32 newest)
{
	struct flame fresh;

	flame_init(&fresh);
	flame_names_update(&fresh.names, x->ticks[max(tick, newest)]);	/* a name that was learned stays */
	fresh.window = f->window;
	flame_set_scope(&fresh, &f->scope);
	flame_set_shape(&fresh, &f->shape);
	assert_true(flame_follow(&fresh, x->h, x->ticks[tick], 0));
	same_below(f, FLAME_ROOT, &fresh, FLAME_ROOT);
	same_below(&fresh, FLAME_ROOT, f, FLAME_ROOT);
	assert_true(fabs(f->covered_ns / f->weight - fresh.covered_ns / fresh.weight) < 1000);
	assert_true(fabs(f->cut_n / f->weight - fresh.cut_n / fresh.weight) < 1e-6);
	flame_free(&fresh);
}

static void windows_add_and_subtract(void **state)
{
	static const u32 walk[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 12, 11, 3, 4, 13, 0, 13 };
	struct fake x;

	fake_make(&x);
	for (int w = 0; w < N_FLAME_WINDOWS; w++) {
		struct flame f;
		u32 newest = 0;

		open_model(&f, 0);
		flame_set_window(&f, w);
		for (u32 i = 0; i < ARRAY_SIZE(walk); i++) {
			assert_true(flame_follow(&f, x.h, x.ticks[walk[i]], 0));
			newest = max(newest, walk[i]);
			if (w != FLAME_DECAY)	/* that starts where it was opened */
				check_against_fresh(&f, &x, walk[i], newest);
		}
		flame_free(&f);
	}
	fake_free(&x);
}

static void merges_by_function(void **state)
{
	struct flame f;
	struct fake x;
	u32 main_node, a, cut;

	fake_make(&x);
	open_model(&f, 0);
	flame_set_window(&f, FLAME_TICK);
	flame_follow(&f, x.h, x.ticks[9], 0);
	main_node = child(&f, FLAME_ROOT, "main");
	a = child(&f, main_node, "a");
	assert_true(samples(&f, FLAME_ROOT) == 15);
	assert_true(samples(&f, a) == 13);		/* 10 b, 2 at the other address, 1 kernel */
	assert_true(samples(&f, child(&f, a, "b")) == 10);
	cut = child(&f, FLAME_ROOT, "no CFI");
	assert_true(samples(&f, cut) == 1 && samples(&f, child(&f, cut, "a")) == 1);
	assert_true(f.cut_n == 1 && f.all_n == 15);
	flame_free(&f);
	open_model(&f, 7);	/* one process */
	flame_follow(&f, x.h, x.ticks[0], 0);
	assert_true(samples(&f, FLAME_ROOT) == 4);
	flame_free(&f);
	fake_free(&x);
}

static void late_name_keeps_selection(void **state)
{
	struct flame f;
	struct fake x;
	u32 a, b;

	fake_make(&x);
	open_model(&f, 0);
	flame_follow(&f, x.h, x.ticks[3], 0);
	a = child(&f, child(&f, FLAME_ROOT, "main"), "a");
	b = child(&f, a, "libfoo.so+0x1003");
	flame_tree_order(flame_tree(&f), a);
	f.pins[0] = b;
	f.n_pins = 1;
	flame_follow(&f, x.h, x.ticks[4], 0);
	a = child(&f, child(&f, FLAME_ROOT, "main"), "a");
	assert_int_equal(f.pins[0], child(&f, a, "b"));
	assert_true(samples(&f, f.pins[0]) == 1 + 2 + 3 + 4 + 5);
	/* stepping back: names are kept */
	flame_follow(&f, x.h, x.ticks[1], 0);
	child(&f, child(&f, child(&f, FLAME_ROOT, "main"), "a"), "b");
	flame_free(&f);
	fake_free(&x);
}

/* A tree that took long to build is rebuilt later; a written file has the names at once. */
static void names_wait_where_building_is_dear(void **state)
{
	struct flame f;
	struct fake x;
	u32 a;

	fake_make(&x);
	open_model(&f, 0);
	flame_follow(&f, x.h, x.ticks[3], 0);
	f.build_after_ns = UINT64_MAX;
	assert_true(flame_follow(&f, x.h, x.ticks[4], NSEC_PER_SEC));
	a = child(&f, child(&f, FLAME_ROOT, "main"), "a");
	assert_true(samples(&f, child(&f, a, "libfoo.so+0x1003")) == 1 + 2 + 3 + 4 + 5);
	f.build_after_ns = 1;
	assert_true(flame_follow(&f, x.h, x.ticks[5], NSEC_PER_SEC));
	assert_int_equal(f.build_after_ns, 0);	/* that was quick */
	a = child(&f, child(&f, FLAME_ROOT, "main"), "a");
	assert_true(samples(&f, child(&f, a, "b")) == 1 + 2 + 3 + 4 + 5 + 6);
	f.build_after_ns = UINT64_MAX;
	f.renamed = true;
	assert_true(flame_follow(&f, x.h, x.ticks[5], 0));
	assert_false(f.renamed);
	flame_free(&f);
	fake_free(&x);
}

/* While hidden it keeps the path of the selection; shown again it equals a fresh one. */
static void at_rest_it_keeps_what_was_selected(void **state)
{
	struct flame f;
	struct fake x;
	u32 b;

	fake_make(&x);
	open_model(&f, 0);
	flame_follow(&f, x.h, x.ticks[9], 0);
	b = child(&f, child(&f, child(&f, FLAME_ROOT, "main"), "a"), "b");
	f.pins[0] = b;
	f.n_pins = 1;
	assert_true(flame_rest(&f));
	assert_int_equal(flame_tree(&f)->n, 4);	/* all, main, a, b */
	assert_int_equal(f.n_stacks + f.n_ticks + f.names.n_frames + f.n_tasks, 0);
	assert_string_equal(flame_fn_text(&f.names.fns[flame_tree(&f)->nodes[f.pins[0]].fn]), "b");
	assert_true(flame_rest(&f));	/* again: nothing more */
	assert_true(flame_follow(&f, x.h, x.ticks[13], 0));
	assert_int_equal(f.pins[0], child(&f, child(&f, child(&f, FLAME_ROOT, "main"), "a"), "b"));
	check_against_fresh(&f, &x, 13, 13);
	flame_set_window(&f, FLAME_ALL);
	flame_follow(&f, x.h, x.ticks[13], 0);
	assert_false(flame_rest(&f));	/* history may have dropped what is in that sum */
	assert_true(flame_span(&f).n > 0);
	flame_free(&f);
	fake_free(&x);
}

static void shapes(void **state)
{
	struct flame_shape s = { 0 };
	struct flame f;
	struct fake x;
	u32 node;

	fake_make(&x);
	open_model(&f, 0);
	flame_set_window(&f, FLAME_TICK);
	s.by_process = s.by_thread = s.hide_kernel = true;
	flame_set_shape(&f, &s);
	flame_follow(&f, x.h, x.ticks[9], 0);
	node = child(&f, child(&f, FLAME_ROOT, "work 7"), "work tid 7");
	assert_true(samples(&f, node) == 11);
	node = child(&f, child(&f, node, "main"), "a");
	assert_true(samples(&f, node) == 11);
	assert_true(flame_tree(&f)->nodes[node].first == flame_tree(&f)->nodes[node].last);	/* only b */

	s = (struct flame_shape){ .inverted = true };
	flame_set_shape(&f, &s);
	assert_true(flame_build(&f, 0));
	assert_true(samples(&f, child(&f, FLAME_ROOT, "sys")) == 1);
	assert_true(samples(&f, child(&f, child(&f, FLAME_ROOT, "a"), "main")) == 2);
	check_against_fresh(&f, &x, 9, 9);
	flame_free(&f);
	fake_free(&x);
}

/* The order is kept; new frames are added at the right. */
static void siblings_hold_still(void **state)
{
	const struct snapshot *one, *two;
	struct flame_tree *t;
	struct builder *b;
	struct flame f;
	u32 first, next;

	b = tick_of(NULL, 1);
	add_frame(b, 1, "x", "user");
	add_frame(b, 2, "y", "user");
	add_stack(b, 7, 7, "1", 5, "yes");
	add_stack(b, 7, 7, "2", 3, "yes");
	one = builder_seal(b);
	b = tick_of(one, 2);
	add_frame(b, 1, "x", "user");
	add_frame(b, 2, "y", "user");
	add_frame(b, 3, "z", "user");
	add_stack(b, 7, 7, "1", 1, "yes");
	add_stack(b, 7, 7, "2", 30, "yes");
	add_stack(b, 7, 7, "3", 90, "yes");
	two = builder_seal(b);
	open_model(&f, 0);
	flame_follow(&f, NULL, one, 0);
	flame_tree_order(flame_tree(&f), FLAME_ROOT);
	flame_follow(&f, NULL, two, 0);
	for (int again = 0; again < 2; again++) {
		t = flame_tree(&f);
		first = t->nodes[FLAME_ROOT].first;
		next = t->nodes[first].next;
		assert_string_equal(flame_fn_text(&f.names.fns[t->nodes[first].fn]), "x");
		assert_string_equal(flame_fn_text(&f.names.fns[t->nodes[next].fn]), "y");
		flame_rebuild(&f);	/* also in another tree */
		flame_build(&f, 0);
	}
	flame_tree_unorder(flame_tree(&f));
	flame_tree_order(flame_tree(&f), FLAME_ROOT);
	t = flame_tree(&f);
	first = t->nodes[FLAME_ROOT].first;
	assert_string_equal(flame_fn_text(&f.names.fns[t->nodes[first].fn]), "z");
	flame_free(&f);
	snapshot_put(one);
	snapshot_put(two);
}

static bool is_a(void *arg, const struct flame_fn *fn, u32 id)
{
	return !strcmp(flame_fn_text(fn), "a");
}

/* a calls a: its time counts once, in the search and in the table. */
static void recursion_counts_once(void **state)
{
	const struct snapshot *s;
	struct flame_cost *cost;
	struct builder *b = tick_of(NULL, 1);
	struct flame f;
	u32 a;

	add_frame(b, 1, "main", "user");
	add_frame(b, 2, "a", "user");
	add_stack(b, 7, 7, "2 2 2 1", 4, "yes");
	add_stack(b, 7, 7, "1", 6, "yes");
	s = builder_seal(b);
	open_model(&f, 0);
	flame_follow(&f, NULL, s, 0);
	a = child(&f, child(&f, FLAME_ROOT, "main"), "a");
	cost = &flame_tree(&f)->costs[flame_tree(&f)->nodes[a].fn];
	assert_true(cost->n == 4 && cost->self_n == 4);
	assert_true(flame_tree_matched(flame_tree(&f), &f.names, FLAME_ROOT, is_a, NULL) == 4 * (double)PERIOD);
	flame_free(&f);
	snapshot_put(s);
}

static const struct flame_node *node(struct flame *f, u32 id)
{
	return &flame_tree(f)->nodes[id];
}

static void the_window_before(void **state)
{
	struct flame f;
	struct fake x;
	u32 top, a;

	fake_make(&x);
	open_model(&f, 7);
	flame_set_window(&f, FLAME_TICK);
	flame_follow(&f, x.h, x.ticks[0], 0);
	assert_false(flame_mark_before(&f, x.h));	/* it is the first one */
	flame_follow(&f, x.h, x.ticks[9], 0);
	assert_true(flame_mark_before(&f, x.h));
	flame_follow(&f, x.h, x.ticks[9], 0);
	assert_true(f.a.last_ns == x.ticks[8]->time_ns && f.a.n == 9 + 2 + 1);
	assert_int_equal(flame_overlap_ns(&f), 0);
	top = child(&f, FLAME_ROOT, "main");
	a = child(&f, top, "a");
	assert_true((double)node(&f, child(&f, a, "b"))->a_n == 9 && node(&f, child(&f, a, "b"))->n == 10);
	/* what is marked is compared when it has left the window */
	flame_set_window(&f, FLAME_10S);
	flame_follow(&f, x.h, x.ticks[2], 0);
	flame_mark(&f);
	flame_follow(&f, x.h, x.ticks[4], 0);
	assert_int_equal(flame_overlap_ns(&f), 3 * NSEC_PER_SEC);
	flame_follow(&f, x.h, x.ticks[13], 0);
	assert_int_equal(flame_overlap_ns(&f), 0);
	flame_free(&f);
	fake_free(&x);
}

static void differences(void **state)
{
	struct flame f;
	struct fake x;
	const struct flame_node *b;
	bool noise;
	double d;

	fake_make(&x);
	open_model(&f, 0);
	flame_set_window(&f, FLAME_TICK);
	flame_follow(&f, x.h, x.ticks[4], 0);
	flame_mark(&f);
	flame_follow(&f, x.h, x.ticks[13], 0);
	b = &flame_tree(&f)->nodes[child(&f, child(&f, child(&f, FLAME_ROOT, "main"), "a"), "b")];
	d = flame_diff(&f, b->value, b->n, (double)b->a_value, (double)b->a_n, &noise);
	assert_true(fabs(d - 9 * (double)PERIOD) < 1);	/* 14 samples against 5, each 10 ms, in one second */
	assert_false(noise);			/* 2 * sqrt(19) = 8.7 */
	flame_follow(&f, x.h, x.ticks[12], 0);
	b = &flame_tree(&f)->nodes[child(&f, child(&f, child(&f, FLAME_ROOT, "main"), "a"), "b")];
	d = flame_diff(&f, b->value, b->n, (double)b->a_value, (double)b->a_n, &noise);
	assert_true(noise && d > 0);		/* 13 against 5: 8 < 2 * sqrt(18) */
	/* A outlives a new tree */
	flame_rebuild(&f);
	flame_build(&f, 0);
	b = &flame_tree(&f)->nodes[child(&f, child(&f, child(&f, FLAME_ROOT, "main"), "a"), "b")];
	assert_true(b->a_n == 5 && b->n == 13);
	flame_free(&f);
	fake_free(&x);
}

/*
 * The process and thread of each stack have their current names, by task and in the tree; many of
 * one name share a node.
 */
static void check_tasks(struct flame *f)
{
	u32 alive = 0, group = FLAME_ROOT;

	for (u32 i = 0; i < f->n_stacks; i++) {
		const struct flame_task *task = &f->tasks[f->stacks[i].task];
		const struct flame_tree *t = flame_tree(f);
		u32 node = f->stacks[i].leaf[f->shown];
		char text[64];

		assert_false(task->spare);
		snprintf(text, sizeof(text), "work %llu", (unsigned long long)task->pid);
		assert_string_equal(flame_fn_text(&f->names.fns[task->process_fn]), text);
		while (t->nodes[node].parent != FLAME_ROOT)
			node = t->nodes[node].parent;
		group = f->names.fns[task->process_fn].group;
		assert_string_equal(flame_fn_text(&f->names.fns[group]), "work");
		alive += f->stacks[i].n > 0;		/* each has a process of its own */
		if (f->stacks[i].n > 0)
			assert_int_equal(t->nodes[node].fn, group);
	}
	assert_int_equal(f->names.fns[group].alive, alive);
}

static const struct snapshot *crowd_tick(const struct snapshot *prev, u64 seq, u64 processes)
{
	struct builder *b = tick_of(prev, seq);

	add_frame(b, 1, "main", "user");
	for (u64 k = 0; k < processes; k++)
		add_stack(b, 100 + k, 100 + k, "1", 2, "yes");
	return builder_seal(b);
}

static u32 children_of_root(struct flame *f)
{
	struct flame_tree *t = flame_tree(f);
	u32 n = 0;

	for (u32 c = t->nodes[FLAME_ROOT].first; c != FLAME_NONE; c = t->nodes[c].next)
		n += t->nodes[c].n > 0;
	return n;
}

/*
 * Seven processes of a name are seven frames, eight are one until only three are left; Enter shows
 * each.
 */
static void many_of_one_name(void **state)
{
	static const struct {
		u64 processes;
		u32 frames, times;
	} steps[] = { { 7, 7, 0 }, { 8, 1, 8 }, { 12, 1, 12 }, { 4, 1, 4 }, { 3, 3, 0 }, { 7, 7, 0 }, { 9, 1, 9 } };
	const struct snapshot *prev = NULL;
	struct history *h = history_new(8u << 20);
	struct flame f;
	u32 node;

	(void)state;
	flame_init(&f);
	flame_set_shape(&f, &(struct flame_shape){ .by_process = true });
	flame_set_scope(&f, &(struct flame_scope){ .kind = "cpu" });
	flame_set_window(&f, FLAME_TICK);
	for (u64 i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct snapshot *s = crowd_tick(prev, i + 1, steps[i].processes);

		snapshot_put(prev);
		prev = s;
		history_append(h, s);
		while (!flame_follow(&f, h, s, 0))
			;
		assert_int_equal(children_of_root(&f), steps[i].frames);
		assert_true(flame_span(&f).n == 2.0 * (double)steps[i].processes);
		if (!steps[i].times)
			continue;
		node = child(&f, FLAME_ROOT, "work");
		assert_true(flame_opens(&f, node));
		assert_int_equal(flame_times(&f, node), steps[i].times);
		assert_true(flame_tree(&f)->nodes[node].n == 2.0 * (double)steps[i].processes);
	}
	flame_open_node(&f, child(&f, FLAME_ROOT, "work"));
	flame_build(&f, 0);
	assert_int_equal(children_of_root(&f), 9);
	child(&f, FLAME_ROOT, "work 108");
	flame_close_nodes(&f);
	flame_build(&f, 0);
	assert_int_equal(children_of_root(&f), 1);
	/* a window that is forgotten and comes again has them once */
	flame_set_window(&f, FLAME_10S);
	while (!flame_follow(&f, h, prev, 0))
		;
	assert_int_equal(flame_times(&f, child(&f, FLAME_ROOT, "work")), 12);
	assert_true(flame_rest(&f));
	while (!flame_follow(&f, h, prev, 0))
		;
	assert_int_equal(flame_times(&f, child(&f, FLAME_ROOT, "work")), 12);
	snapshot_put(prev);
	flame_free(&f);
	history_free(h);
}

/* Stacks of ended programs leave the window, and then the trees and the store. */
static void what_left_the_window_is_dropped(void **state)
{
	struct history *h = history_new(8u << 20);
	const struct snapshot *prev = NULL;
	struct flame f;
	u32 most_stacks = 0, most_nodes = 0, most_fns = 0, most_tasks = 0, rows = 0;

	(void)state;
	flame_init(&f);
	flame_set_shape(&f, &(struct flame_shape){ .by_process = true });
	flame_set_scope(&f, &(struct flame_scope){ .kind = "cpu" });
	for (u64 seq = 1; seq <= 250; seq++) {
		struct builder *b = tick_of(prev, seq);

		add_frame(b, 1, "main", "user");
		for (u64 k = 0; k < 50; k++) {
			char frames[32];

			/* a name comes late now and then, and the tree is built anew */
			add_frame(b, seq * 50 + k, seq % 7 ? "work" : NULL, "user");
			snprintf(frames, sizeof(frames), "%llu 1", (unsigned long long)(seq * 50 + k));
			add_stack(b, seq * 50 + k, seq * 50 + k, frames, 1, "yes");
		}
		add_stack(b, 7, 7, "1", 10, "yes");
		snapshot_put(prev);
		prev = builder_seal(b);
		history_append(h, prev);
		while (!flame_follow(&f, h, prev, 0))
			;
		most_stacks = max(most_stacks, f.n_stacks);
		most_nodes = max(most_nodes, flame_tree(&f)->n);
		most_fns = max(most_fns, f.names.n);
		most_tasks = max(most_tasks, f.n_tasks);
		if (seq % 10 == 0)
			check_tasks(&f);
	}
	assert_true(flame_span(&f).n == 10 * 60);
	assert_true(most_stacks <= 501 + 2048);
	assert_true(most_nodes <= 3 * most_stacks + 3);
	assert_true(most_fns + most_tasks <= 16384);	/* there were 37,500 */
	for (u32 i = 0; i < f.names.n_frames; i++)
		rows += flame_frame_of(&f.names, i) && flame_frame_of(&f.names, i)->row;
	assert_true(rows < 8192);	/* there were 12,501 */
	snapshot_put(prev);
	flame_free(&f);
	history_free(h);
}

static u32 n_blocks(const struct flame_names *n)
{
	u32 blocks = 0;

	for (u32 i = 0; i < n->n_frames / FLAME_BLOCK; i++)
		blocks += n->frames[i] != NULL;
	return blocks;
}

/* After days numbers are in the millions: unused numbers in between take no memory. */
static void numbers_lie_apart(void **state)
{
	struct builder *b = tick_of(NULL, 1);
	const struct snapshot *s;
	struct flame_names n;
	bool *keep;

	(void)state;
	flame_names_init(&n);
	add_frame(b, 5, "early", "user");
	add_frame(b, 1000000, "later", "user");
	add_frame(b, 4000000, "last", "user");
	s = builder_seal(b);
	flame_names_update(&n, s);
	assert_int_equal(n_blocks(&n), 3);
	assert_int_equal(n.n, 1);	/* "all": frames of no stack are no functions */
	assert_string_equal(flame_fn_text(&n.fns[flame_names_frame(&n, 1000000)]), "later");
	assert_string_equal(flame_fn_text(&n.fns[flame_names_frame(&n, 1000001)]), "frame 1000001");
	assert_null(flame_frame_of(&n, 2000000));
	assert_int_equal(n.n_used, 2);
	keep = calloc(n.n_frames, sizeof(*keep));
	keep[4000000] = true;
	flame_names_forget(&n, keep);
	assert_int_equal(n_blocks(&n), 1);
	assert_int_equal(n.n_used, 0);
	assert_string_equal(flame_fn_text(&n.fns[flame_names_frame(&n, 4000000)]), "last");
	free(keep);
	flame_names_free(&n);
	snapshot_put(s);
}

static void decay_halves(void **state)
{
	const struct snapshot *s[2];
	struct builder *b;
	struct history *h = history_new(HISTORY_CAP_BYTES);
	struct flame f;

	b = tick_of(NULL, 1);
	add_frame(b, 1, "x", "user");
	add_stack(b, 7, 7, "1", 100, "yes");
	s[0] = builder_seal(b);
	b = tick_of(s[0], 11);	/* ten seconds later, nothing */
	builder_time(b, 11, 1011 * NSEC_PER_SEC, 0, 10 * NSEC_PER_SEC);
	s[1] = builder_seal(b);
	history_append(h, s[0]);
	open_model(&f, 0);
	flame_set_window(&f, FLAME_DECAY);
	flame_follow(&f, h, s[0], 0);
	assert_true(fabs(flame_span(&f).n - 100) < 1e-6);
	history_append(h, s[1]);
	flame_follow(&f, h, s[1], 0);
	assert_true(fabs(flame_span(&f).n - 50) < 1e-6);
	flame_free(&f);
	history_free(h);
	snapshot_put(s[0]);
	snapshot_put(s[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_add_and_subtract),
		cmocka_unit_test(merges_by_function),
		cmocka_unit_test(late_name_keeps_selection),
		cmocka_unit_test(names_wait_where_building_is_dear),
		cmocka_unit_test(at_rest_it_keeps_what_was_selected),
		cmocka_unit_test(shapes),
		cmocka_unit_test(siblings_hold_still),
		cmocka_unit_test(recursion_counts_once),
		cmocka_unit_test(the_window_before),
		cmocka_unit_test(differences),
		cmocka_unit_test(decay_halves),
		cmocka_unit_test(many_of_one_name),
		cmocka_unit_test(what_left_the_window_is_dropped),
		cmocka_unit_test(numbers_lie_apart),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
