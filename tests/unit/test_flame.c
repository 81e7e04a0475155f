// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model of flame graphs: windows that are added and subtracted give what
 * merging everything anew gives; shapes, names that arrive late, differences,
 * labels; and how long a redraw takes with 50,000 stacks.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/history.h"
#include "bpf/snapshot_build.h"
#include "tui/app.h"
#include "tui/flame.h"
#include "tui/views/flame.h"

#define TICKS 14
#define PERIOD 10000000ull

static const struct session session = { .host_name = "test" };

/* ---- snapshots made up ------------------------------------------------------------- */

static void add_frame(struct builder *b, u64 id, const char *name, const char *kind)
{
	struct frames_row *r = builder_row(b, TABLE_frames);

	r->id = id;
	r->name = name ? str_new(name) : NULL;
	r->module = str_new("/usr/lib/libfoo.so");
	r->addr = 0x1000 + id;
	r->kind = str_new(kind);
}

static void add_stack(struct builder *b, u64 pid, u64 tid, const char *frames, u64 samples, const char *whole)
{
	struct stacks_row *r = builder_row(b, TABLE_stacks);

	r->pid = pid;
	r->start_time_ns = pid;
	r->tid = tid;
	r->kind = str_new("cpu");
	r->frames = str_new(frames);
	r->comm = str_new("work");
	r->value = samples * PERIOD;
	r->samples = samples;
	r->unit = str_new("nanoseconds");
	r->whole = str_new(whole);
}

static struct builder *tick_of(const struct snapshot *prev, u64 seq)
{
	struct builder *b = builder_new(prev, &session);

	builder_time(b, seq, 1000 * NSEC_PER_SEC + seq * NSEC_PER_SEC, 0, NSEC_PER_SEC);
	builder_status(b, TABLE_stacks, TS_OK, NULL, NSEC_PER_SEC);
	builder_status(b, TABLE_frames, TS_OK, NULL, NSEC_PER_SEC);
	return b;
}

/* main -> a -> b, main -> a, main -> kernel; in each tick as many of them as its number. */
static const struct snapshot *simple_tick(const struct snapshot *prev, u64 seq)
{
	struct builder *b = tick_of(prev, seq);
	char own[32];

	add_frame(b, 1, "main", "user");
	add_frame(b, 2, "a", "user");
	add_frame(b, 3, seq < 5 ? NULL : "b", "user");
	add_frame(b, 4, "sys", "kernel");
	add_frame(b, 5, "a", "user");	/* another address of the same function */
	snprintf(own, sizeof(own), "%llu 1", (unsigned long long)(100 + seq));
	add_frame(b, 100 + seq, "once", "user");
	add_stack(b, 7, 7, "3 2 1", seq, "yes");
	add_stack(b, 7, 8, "5 1", 2, "yes");
	add_stack(b, 7, 7, "4 2 1", 1, "yes");
	add_stack(b, 9, 9, "2", 1, "no CFI");
	add_stack(b, 9, 9, own, 1, "yes");
	return builder_seal(b);
}

struct fake {
	struct history *h;
	const struct snapshot *ticks[TICKS];
};

static void fake_make(struct fake *x)
{
	x->h = history_new(HISTORY_CAP_BYTES);
	for (u32 i = 0; i < TICKS; i++) {
		x->ticks[i] = simple_tick(i ? x->ticks[i - 1] : NULL, i + 1);
		history_append(x->h, x->ticks[i]);
	}
}

static void fake_free(struct fake *x)
{
	for (u32 i = 0; i < TICKS; i++)
		snapshot_put(x->ticks[i]);
	history_free(x->h);
}

static void open_model(struct flame *f, u64 pid)
{
	struct flame_scope scope = { pid, pid, "cpu" };

	flame_init(f);
	flame_set_scope(f, &scope);
}

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

/* What stepping through the history gave is what a fresh model gives for that tick. */
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

static u32 child(struct flame *f, u32 parent, const char *name)
{
	struct flame_tree *t = flame_tree(f);

	for (u32 c = t->nodes[parent].first; c != FLAME_NONE; c = t->nodes[c].next)
		if (!strcmp(flame_fn_text(&f->names.fns[t->nodes[c].fn]), name))
			return c;
	fail_msg("no %s", name);
	return FLAME_NONE;
}

static double samples(struct flame *f, u32 node)
{
	return flame_tree(f)->nodes[node].n;
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
	/* stepping back: what is known stays known */
	flame_follow(&f, x.h, x.ticks[1], 0);
	child(&f, child(&f, child(&f, FLAME_ROOT, "main"), "a"), "b");
	flame_free(&f);
	fake_free(&x);
}

/* One tick: main calls a, where c is inlined, into which b was. */
static const struct snapshot *inlined_tick(const struct snapshot *prev, u64 seq, bool known)
{
	struct builder *b = tick_of(prev, seq);
	struct frames_row *r;

	add_frame(b, 1, "main", "user");
	r = builder_row(b, TABLE_frames);
	r->id = 2;
	r->name = known ? str_new("a") : NULL;
	r->inlines = known ? str_new("4 3") : NULL;
	r->addr = 0x1002;
	r->module = str_new("/usr/lib/libfoo.so");
	r->kind = str_new("user");
	for (u32 id = 3; known && id <= 4; id++) {
		r = builder_row(b, TABLE_frames);
		r->id = id;
		r->name = str_new(id == 3 ? "c" : "b");
		r->inlined = 1;
		r->kind = str_new("user");
	}
	add_stack(b, 7, 7, "2 1", 3, "yes");
	return builder_seal(b);
}

static void inlined_functions_stand_above_their_frame(void **state)
{
	struct history *h = history_new(HISTORY_CAP_BYTES);
	const struct snapshot *first = inlined_tick(NULL, 1, false), *second = inlined_tick(first, 2, true);
	struct flame_shape s = { .inverted = true };
	struct flame f;
	u32 node;

	history_append(h, first);
	history_append(h, second);
	open_model(&f, 0);
	flame_follow(&f, h, first, 0);
	assert_true(samples(&f, child(&f, child(&f, FLAME_ROOT, "main"), "libfoo.so+0x1002")) == 3);
	flame_follow(&f, h, second, 0);
	node = child(&f, child(&f, FLAME_ROOT, "main"), "a");
	node = child(&f, child(&f, node, "c"), "b");
	assert_true(samples(&f, node) == 6);	/* the older stack too */
	assert_true(f.names.fns[flame_tree(&f)->nodes[node].fn].inlined);
	flame_set_shape(&f, &s);
	assert_true(flame_follow(&f, h, second, 0));
	node = child(&f, child(&f, FLAME_ROOT, "b"), "c");
	assert_true(samples(&f, child(&f, child(&f, node, "a"), "main")) == 6);
	flame_free(&f);
	snapshot_put(first);
	snapshot_put(second);
	history_free(h);
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

/* Places are given once; what is new comes to the right. */
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

/* ---- labels ------------------------------------------------------------------------------- */

static void labels(void **state)
{
	static const struct {
		const char *name;
		u32 kind;
		int width;
		const char *label;
	} cases[] = {
		{ "memmove", FLAME_LIBRARY, 7, "memmove" },
		{ "memmove", FLAME_LIBRARY, 5, "memm…" },
		{ "f(int, char)", FLAME_CPP, 12, "f(int, char)" },
		{ "f(int, char)", FLAME_CPP, 11, "f" },
		{ "std::vector<int, std::allocator<int> >::push_back(int const&)", FLAME_CPP, 30,
		  "std::vector<…>::push_back" },
		{ "std::vector<int, std::allocator<int> >::push_back(int const&)", FLAME_CPP, 24,
		  "…::vector<…>::push_back" },
		{ "std::vector<int, std::allocator<int> >::push_back(int const&)", FLAME_CPP, 14,
		  "…::push_back" },
		{ "std::vector<int, std::allocator<int> >::push_back(int const&)", FLAME_CPP, 6, "push_…" },
		{ "A::operator()(int) const", FLAME_CPP, 14, "A::operator()" },
		{ "operator<< <char>(std::ostream&)", FLAME_CPP, 16, "operator<< <…>" },
		{ "(anonymous namespace)::work(int)", FLAME_CPP, 28, "(anonymous namespace)::work" },
		{ "(anonymous namespace)::work(int)", FLAME_CPP, 10, "…::work" },
		{ "core::ops::function::FnOnce::call_once", FLAME_CPP, 20, "…::FnOnce::call_once" },
		{ "github.com/x/y/pkg.(*T).Method", FLAME_USER, 20, "…/y/pkg.(*T).Method" },
		{ "com.example.shop.Order.total", FLAME_JIT, 14, "….Order.total" },
		{ "<regexp> /^(\\w+\\s?)*$/", FLAME_JIT, 14, "<regexp> /^(\\…" },
		{ "validate schema.js:17", FLAME_JIT, 12, "validate sc…" },
		{ "libfoo.so+0x1a40", FLAME_UNKNOWN, 8, "libfoo.…" },
		{ "(((((", FLAME_CPP, 3, "((…" },
		{ "a<b<c", FLAME_CPP, 3, "a<…" },
		{ "x", FLAME_USER, 0, "" },
		{ "日本語名前", FLAME_INTERP, 7, "日本語…" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[128];
		int w = flame_label(buf, sizeof(buf), cases[i].name, cases[i].kind, cases[i].width);

		assert_string_equal(buf, cases[i].label);
		assert_true(w <= cases[i].width);
	}
}

/* ---- pictures: a parent covers its children, nobody overlaps -------------------------------- */

static u32 random_state = 1;

static u32 rnd(u32 n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static u32 n_functions = 2000;

/* Which function the k-th callee of a function is: every function has four, the first is the likely one. */
static u32 callee(u32 fn, u32 k)
{
	return 1 + (fn * 2654435761u + k * 40503u) % n_functions;
}

/*
 * `per_tick` stacks of 8 to 39 frames, in calls as programs have them:
 * functions with 8 sampled addresses each, of which the leaf has any, a caller mostly one.
 */
static const struct snapshot *large_tick(const struct snapshot *prev, u64 seq, u32 per_tick)
{
	struct builder *b = tick_of(prev, seq);

	for (u64 pid = 1; pid <= 8; pid++) {
		struct processes_row *p = builder_row(b, TABLE_processes);

		p->pid = p->start_time_ns = pid;
		p->comm = str_new("work");
	}
	builder_status(b, TABLE_processes, TS_OK, NULL, NSEC_PER_SEC);
	for (u32 id = 8; id < (n_functions + 1) * 8; id++) {
		char name[64];

		snprintf(name, sizeof(name), "ns::function_%u(int, char const*)", id / 8);
		add_frame(b, id, name, id / 8 < 200 ? "kernel" : id / 8 % 3 ? "c++" : "library");
	}
	for (u32 i = 0; i < per_tick; i++) {
		u32 depth = 8 + rnd(32), path[40], top = rnd(8);
		char text[512];
		int n = 0;

		path[0] = 1 + top;
		for (u32 d = 1; d < depth; d++)
			path[d] = callee(path[d - 1], rnd(100) < 90 ? 0 : 1 + rnd(3));
		for (u32 d = depth; d-- > 0;)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%u ",
				      path[d] * 8 + (d == depth - 1 ? rnd(8) : rnd(8) ? 0 : 1));
		add_stack(b, 1 + top, 1 + top, text, 1 + rnd(3), rnd(100) ? "yes" : "no CFI");
	}
	return builder_seal(b);
}

static void check_boxes(struct flame_view *v)
{
	for (u32 i = 0; i < v->n_boxes; i++) {
		const struct flame_box *b = &v->boxes[i], *p = NULL;

		assert_true(b->x >= 0 && b->x < b->end && b->end <= v->graph_cols);
		if (b->rest)
			p = flame_box_of(v, b->node);
		else if (b->node != FLAME_ROOT)
			p = flame_box_of(v, flame_node(v, b->node)->parent);
		if (p)
			assert_true(p->x <= b->x && p->end >= b->end && p->depth == b->depth - 1);
		for (u32 k = i + 1; k < v->n_boxes; k++)
			assert_true(v->boxes[k].depth != b->depth || v->boxes[k].x >= b->end ||
				    v->boxes[k].end <= b->x);
	}
}

static void parents_cover_children(void **state)
{
	const struct snapshot *s = large_tick(NULL, 1, 3000);
	struct flame_view v = { .same_fn = FLAME_NONE, .ready = true };

	open_model(&v.f, 0);
	flame_follow(&v.f, NULL, s, 0);
	for (int cols = 1; cols <= 230; cols += 13) {
		flame_lay_out(&v, 30, cols);
		check_boxes(&v);
	}
	flame_select(&v, flame_widest(&v, flame_widest(&v, FLAME_ROOT)));
	v.f.pins[1] = v.f.pins[0];
	v.f.n_pins = 2;
	flame_lay_out(&v, 30, 120);
	check_boxes(&v);
	assert_int_equal(flame_box_of(&v, v.f.pins[1])->end, 120);
	free(v.boxes);
	flame_free(&v.f);
	snapshot_put(s);
}

/* Whatever is pressed at whatever size, while stacks come and go. */
static void any_keys_at_any_size(void **state)
{
	static const u32 keys[] = {
		K_UP, K_DOWN, K_LEFT, K_RIGHT, K_ENTER, K_BACKSPACE, K_ESC, K_PGUP, K_PGDN, K_HOME, K_END, '#',
		'n', 'N', 'D', 'm', 't', ' ', 'K', 'P', 'T', 'E', '<', 'i', 'p', '[', ']', '{', '}', '2', '3', 'W',
		K_CTRL + 'r', K_DOWN, K_DOWN, K_RIGHT, K_ENTER,
	};
	struct history *h = history_new(HISTORY_CAP_BYTES);
	struct app_config config = { .history = h, .session = &session, .interval_ns = NSEC_PER_SEC,
				     .view = "flame" };
	struct canvas *c = canvas_new(24, 80, false, true);
	struct app *a = app_new(&config, 24, 80);
	const struct snapshot *s = NULL;
	u64 seq = 0;

	n_functions = 100;
	for (int i = 0; i < 4000; i++) {
		if (i % 20 == 0) {
			const struct snapshot *next = large_tick(s, ++seq, rnd(60));

			snapshot_put(s);
			s = next;
			history_append(h, s);
			app_tick(a, snapshot_get(s));
		}
		if (i % 97 == 0) {
			int rows = 10 + (int)rnd(50), cols = 40 + (int)rnd(160);

			canvas_resize(c, rows, cols);
			app_resize(a, rows, cols);
		}
		if (i % 200 == 0)
			for (const char *p = "/unction_1{"; *p; p++)
				app_key(a, (u32)*p);
		app_key(a, i % 200 == 0 ? K_ENTER : keys[rnd(ARRAY_SIZE(keys))]);
		if (rnd(3))
			app_draw(a, c);
	}
	n_functions = 2000;
	app_free(a);
	canvas_free(c);
	history_free(h);
	snapshot_put(s);
}

/* ---- time ------------------------------------------------------------------------------------ */

static double ms_since(u64 t)
{
	return (double)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - t) / 1e6;
}

static double samples_of(const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_stacks];
	double n = 0;

	for (u32 i = 0; i < t->n; i++)
		n += (double)((const struct stacks_row *)t->rows[i])->samples;
	return n;
}

static void fifty_thousand_stacks(void **state)
{
	struct history *h = history_new(256u << 20);
	struct app_config config = { .history = h, .session = &session, .interval_ns = NSEC_PER_SEC,
				     .view = "flame" };
	struct canvas *c = canvas_new(60, 200, false, true);
	struct app *a = app_new(&config, 60, 200);
	const struct flame_view *v = app_view_state(a, &flame_view);
	const struct snapshot *s = NULL;
	double n[25], last_ten = 0, tick_worst = 0, draw_worst = 0, first_worst = 0;
	u64 t;

	for (u64 seq = 1; seq <= 24; seq++) {
		const struct snapshot *next = large_tick(s, seq, 5600);

		snapshot_put(s);
		s = next;
		history_append(h, s);
		n[seq] = samples_of(s);
		t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		app_tick(a, snapshot_get(s));
		tick_worst = max(tick_worst, ms_since(t));
		t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		app_draw(a, c);		/* takes the tick in */
		first_worst = max(first_worst, ms_since(t));
		while (app_dirty(a))
			app_draw(a, c);
		t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		app_draw(a, c);
		draw_worst = max(draw_worst, ms_since(t));
	}
	print_message("    %u stacks, %u nodes, %u functions: tick %.1f ms, its redraw %.1f ms, "
		      "another redraw %.1f ms (worst of 24)\n", v->f.n_stacks, flame_tree((struct flame *)&v->f)->n,
		      v->f.names.n, tick_worst, first_worst, draw_worst);
	assert_true(v->f.n_stacks >= 50000);
	assert_true(draw_worst < 16);	/* the first of a tick has its own limit, and goes on in the next */
	for (int i = 15; i <= 24; i++)	/* nothing was lost on the way, nor counted twice */
		last_ten += n[i];
	assert_true(flame_span(&v->f).n == last_ten && v->f.refused == 0);
	t = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	app_key(a, 'K');
	app_draw(a, c);
	print_message("    K: %.1f ms for the first redraw", ms_since(t));
	while (app_dirty(a))
		app_draw(a, c);
	print_message(", %.1f ms in all\n", ms_since(t));
	assert_true(flame_span(&v->f).n == last_ten);
	app_free(a);
	canvas_free(c);
	history_free(h);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_add_and_subtract),
		cmocka_unit_test(merges_by_function),
		cmocka_unit_test(inlined_functions_stand_above_their_frame),
		cmocka_unit_test(late_name_keeps_selection),
		cmocka_unit_test(shapes),
		cmocka_unit_test(siblings_hold_still),
		cmocka_unit_test(recursion_counts_once),
		cmocka_unit_test(differences),
		cmocka_unit_test(decay_halves),
		cmocka_unit_test(labels),
		cmocka_unit_test(parents_cover_children),
		cmocka_unit_test(any_keys_at_any_size),
		cmocka_unit_test(fifty_thousand_stacks),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
