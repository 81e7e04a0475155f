// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model of flame graphs: what shares a node, or has none. Inlined functions, repetitions,
 * folded glue, and hints on frames without names.
 */
#include "flame_data.h"

static const struct snapshot *deep_tick(void)
{
	struct builder *b = tick_of(NULL, 1);

	add_frame(b, 1, "main", "user");
	add_frame(b, 2, "walk", "user");
	add_frame(b, 3, "ping", "user");
	add_frame(b, 4, "pong", "user");
	add_frame(b, 5, "std::rt::lang_start_internal", "rust");
	add_frame(b, 6, "<F as core::ops::function::FnOnce<A>>::call_once", "rust");
	add_frame(b, 7, "shop::serve", "rust");
	add_stack(b, 7, 7, "2 2 2 1", 4, "yes");
	add_stack(b, 7, 7, "1 2 2 2 2 2 1", 2, "yes");	/* deeper, and main is called from it */
	add_stack(b, 7, 7, "3 4 3 4 3 1", 8, "yes");
	add_stack(b, 7, 7, "7 6 5 1", 16, "yes");
	add_stack(b, 7, 7, "6 5 5 1", 32, "yes");	/* sampled in the glue itself */
	add_stack(b, 7, 7, "7 6 7 1", 64, "yes");	/* one frame of it has its own name */
	return builder_seal(b);
}

static const struct flame_node *node(struct flame *f, u32 id)
{
	return &flame_tree(f)->nodes[id];
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

static void repetitions_share_a_node(void **state)
{
	const struct snapshot *s = deep_tick();
	struct flame f;
	u32 top, walk, ping, glue;

	open_model(&f, 0);
	flame_follow(&f, NULL, s, 0);
	top = child(&f, FLAME_ROOT, "main");
	walk = child(&f, top, "walk");
	assert_true(node(&f, walk)->times == 5 && node(&f, walk)->period == 1);
	assert_true(samples(&f, walk) == 6 && samples(&f, child(&f, walk, "main")) == 2);
	assert_true(node(&f, walk)->first == node(&f, walk)->last);
	ping = child(&f, top, "ping");
	assert_true(node(&f, ping)->times == 2 && node(&f, ping)->period == 2);
	assert_true(samples(&f, child(&f, child(&f, ping, "pong"), "ping")) == 8);
	glue = child(&f, top, "Rust std");
	assert_true(node(&f, glue)->times == 3 && samples(&f, glue) == 48);
	assert_true(samples(&f, child(&f, glue, "shop::serve")) == 16);
	assert_true(flame_tree(&f)->costs[node(&f, glue)->fn].self_n == 32);
	child(&f, child(&f, top, "shop::serve"), "<F as core::ops::function::FnOnce<A>>::call_once");
	flame_free(&f);
	snapshot_put(s);
}

static bool is_call_once(void *arg, const struct flame_fn *fn, u32 id)
{
	return fn->row && fn->row->name && strstr(fn->row->name, "call_once");
}

/* A match may be folded away: its node is found. */
static void what_is_folded_is_found(void **state)
{
	const struct snapshot *s = deep_tick();
	const struct flame_tree *t;
	struct flame f;
	u32 top, glue, found;

	open_model(&f, 0);
	flame_follow(&f, NULL, s, 0);
	t = flame_tree(&f);
	top = child(&f, FLAME_ROOT, "main");
	glue = child(&f, top, "Rust std");
	found = flame_tree_match(t, &f.names, glue, is_call_once, NULL);
	assert_true(found != FLAME_NONE && found != node(&f, glue)->fn);
	assert_int_equal(flame_tree_match(t, &f.names, top, is_call_once, NULL), FLAME_NONE);
	/* 16 + 32 in the glue, 64 in a node of its own */
	assert_true(flame_tree_matched(t, &f.names, FLAME_ROOT, is_call_once, NULL) == 112 * (double)PERIOD);
	flame_free(&f);
	snapshot_put(s);
}

static void repetitions_open_and_close(void **state)
{
	const struct snapshot *s = deep_tick();
	struct flame f;
	u32 top, walk, glue;

	open_model(&f, 0);
	flame_follow(&f, NULL, s, 0);
	top = child(&f, FLAME_ROOT, "main");
	assert_false(flame_opens(&f, top));
	assert_true(flame_opens(&f, child(&f, top, "walk")));
	flame_open_node(&f, child(&f, top, "walk"));
	flame_open_node(&f, child(&f, top, "Rust std"));
	flame_follow(&f, NULL, s, 0);
	top = child(&f, FLAME_ROOT, "main");
	walk = child(&f, top, "walk");
	assert_false(flame_opens(&f, walk));
	walk = child(&f, child(&f, walk, "walk"), "walk");
	assert_true(samples(&f, walk) == 6 && samples(&f, child(&f, walk, "walk")) == 2);
	/* a function of the glue that calls itself is one all the same */
	glue = child(&f, top, "std::rt::lang_start_internal");
	assert_true(samples(&f, glue) == 48 && node(&f, glue)->times == 2);
	flame_close_nodes(&f);
	flame_follow(&f, NULL, s, 0);
	assert_true(flame_opens(&f, child(&f, child(&f, FLAME_ROOT, "main"), "walk")));
	flame_free(&f);
	snapshot_put(s);
}

static void glue_is_known(void **state)
{
	static const char *const glue[] = {
		"std::rt::lang_start::{{closure}}", "std::panicking::catch_unwind::do_call",
		"std::panic::catch_unwind::<std::rt::lang_start_internal::{closure#0}, isize>",
		"core::ops::function::FnOnce::call_once{{vtable.shim}}",
		"<alloc::boxed::Box<F,A> as core::ops::function::Fn<Args>>::call",
		"<std::sys::thread::unix::Thread>::new::thread_start",
		"std::thread::lifecycle::spawn_unchecked::{{closure}}::{{closure}}",
		"std::_Function_handler<long (long), main::{lambda(long)#2}>::_M_invoke(std::_Any_data const&, long&&)",
		"std::thread::_State_impl<std::thread::_Invoker<std::tuple<main::{lambda()#1}> > >::_M_run()",
		"void std::__invoke_impl<void, main::{lambda()#1}>(std::__invoke_other, main::{lambda()#1}&&)",
		"__invoke_impl<void, main(int, char**)::<lambda()> >", "runtime.goexit.abi0", "runtime.main",
	};
	static const char *const own[] = {
		"main::main::{{closure}}", "main", "_start", "shop::call_once", "main.main", "runtime.mallocgc",
		"runtime.gcBgMarkWorker", "std::vector<int>::push_back(int const&)", "std::thread::sleep",
		"<shop::Cart as shop::Price>::price", "long shop::fib<long>(long)",
	};

	for (u32 i = 0; i < ARRAY_SIZE(glue); i++)
		if (!flame_glue_of(glue[i]))
			fail_msg("%s is glue", glue[i]);
	for (u32 i = 0; i < ARRAY_SIZE(own); i++)
		if (flame_glue_of(own[i]))
			fail_msg("%s is no glue", own[i]);
}

static void add_hinted(struct builder *b, u64 id, const char *name, const char *reason)
{
	struct frames_row *r = builder_row(b, TABLE_frames);

	r->id = id;
	r->addr = 0x1000 + id;
	r->name = name ? str_new(name) : NULL;
	r->kind = str_new(name ? "user" : "unknown");
	r->reason = reason ? str_new(reason) : NULL;
}

static const char *text_of(struct flame_names *n, u32 frame)
{
	return flame_fn_text(&n->fns[flame_names_frame(n, frame)]);
}

/* The hint for getting names is on the frame, and disappears when it no longer applies. */
static void hints_stand_on_frames(void **state)
{
	struct builder *b = tick_of(NULL, 1);
	const struct snapshot *first, *second;
	struct flame_names n;

	(void)state;
	flame_names_init(&n);
	add_hinted(b, 1, "_PyEval_EvalFrameDefault", "python: names with -X perf");
	add_hinted(b, 2, NULL, "outside of any file; no /tmp/perf-PID.map; node: names with --perf-basic-prof");
	add_hinted(b, 3, NULL, "its perf map does not have it");
	first = builder_seal(b);
	flame_names_update(&n, first);
	assert_string_equal(text_of(&n, 1), "_PyEval_EvalFrameDefault (python: names with -X perf)");
	assert_string_equal(text_of(&n, 2), "node: names with --perf-basic-prof (0x1002)");
	assert_string_equal(text_of(&n, 3), "0x1003");
	b = tick_of(first, 2);
	add_hinted(b, 1, "_PyEval_EvalFrameDefault", NULL);
	second = builder_seal(b);
	flame_names_update(&n, second);
	assert_string_equal(text_of(&n, 1), "_PyEval_EvalFrameDefault");
	flame_names_free(&n);
	snapshot_put(first);
	snapshot_put(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inlined_functions_stand_above_their_frame),
		cmocka_unit_test(repetitions_share_a_node),
		cmocka_unit_test(repetitions_open_and_close),
		cmocka_unit_test(glue_is_known),
		cmocka_unit_test(hints_stand_on_frames),
		cmocka_unit_test(what_is_folded_is_found),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
