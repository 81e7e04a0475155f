// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_path.c: converts a stack to its path in a tree: which functions, in which order, and which
 * share a node. Glue code with which every program of a language starts threads and calls closures
 * is not informative, and thirty levels of recursion show the same thirty times: both become one
 * node with a count, until the user opens it.
 */
#include <string.h>

#include "tui/engines/flame.h"

#define PATH_MAX_FNS (2 * FLAME_DEPTH_MAX)
#define CYCLE_MAX 6	/* functions in a recursive cycle */

/* ---- glue ------------------------------------------------------------------------ */

enum { GLUE_RUST = 1, GLUE_CPP, GLUE_GO, N_GLUES };

static const char *const glue_names[N_GLUES] = { "", "Rust std", "C++ std", "Go runtime" };

static bool begin_is(const char *name, const char *const *all)
{
	for (; *all; all++)
		if (!strncmp(name, *all, strlen(*all)))
			return true;
	return false;
}

/* Thread starts, closure calls, and the catching of panics around them. */
static bool is_rust_glue(const char *name)
{
	static const char *const begin[] = {
		"std::rt::", "std::panic::", "std::panicking::", "core::panicking::", "core::ops::function::",
		"std::sys::backtrace::__rust_begin_short", "std::sys_common::backtrace::__rust_begin_short",
		"std::thread::lifecycle::", "std::thread::Builder::spawn_unchecked", "__rust_try",
		"<core::panic::unwind_safe::AssertUnwindSafe", "<std::sys::thread::unix::Thread>::new::",
		"std::sys::thread::unix::Thread::new::", "std::sys::pal::unix::thread::Thread::new::",
		"std::sys::unix::thread::Thread::new::", NULL
	};

	return begin_is(name, begin) || (*name == '<' && strstr(name, " as core::ops::function::Fn") &&
					 strstr(name, ">::call"));
}

static bool is_cpp_glue(const char *name)
{
	static const char *const begin[] = {
		"std::__invoke", "std::invoke", "std::_Function_handler<", "std::function<", "std::_Bind",
		"std::thread::_State_impl<", "std::thread::_Invoker<", "execute_native_thread_routine",
		"std::__1::__invoke", "std::__1::invoke", "std::__1::__function::", "std::__1::function<",
		"std::__1::__thread_proxy", "std::__1::__thread_execute", "__invoke<", "__invoke_impl<",
		"__invoke_r<", "_M_invoke<", NULL
	};
	const char *space = strchr(name, '<') ? NULL : strrchr(name, ' ');

	if (!strncmp(name, "void ", 5))
		name += 5;
	return begin_is(name, begin) || (space && begin_is(space + 1, begin));
}

static bool is_go_glue(const char *name)
{
	static const char *const all[] = {
		"runtime.goexit", "runtime.goexit.abi0", "runtime.goexit.0", "runtime.main", "runtime.mstart",
		"runtime.mstart.abi0", "runtime.mstart0", "runtime.mstart1", "runtime.rt0_go",
		"runtime.rt0_go.abi0", "runtime.mcall", "runtime.mcall.abi0", "runtime.systemstack",
		"runtime.systemstack.abi0",
	};

	for (u32 i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(name, all[i]))
			return true;
	return false;
}

u8 flame_glue_of(const char *name)
{
	return is_rust_glue(name) ? GLUE_RUST : is_cpp_glue(name) ? GLUE_CPP : is_go_glue(name) ? GLUE_GO : 0;
}

static u32 glue_fn(struct flame *f, u8 glue)
{
	u32 kind = glue == GLUE_RUST ? FLAME_RUST : glue == GLUE_CPP ? FLAME_CPP : FLAME_USER;

	return flame_names_group(&f->names, kind, glue, 11, glue_names[glue]);
}

/* ---- properties of a stack ------------------------------------------------------------- */

struct path {
	u32 fns[PATH_MAX_FNS];
	u32 n;
};

/* Whether a stack waits by design: for new work, or for time to pass. */
static bool waits(struct flame *f, const struct flame_stack *s)
{
	bool idle = false;
	u32 depth = 0;

	for (u32 i = 0; i < s->n_ids; i++) {
		u32 fn = flame_names_frame(&f->names, f->ids[s->ids + i]);
		u8 wait = f->names.fns[fn].wait;

		if (wait == FLAME_LOCK)
			return false;
		/* the kernel thread's main function itself, not one called by it */
		idle |= wait == FLAME_IDLE || wait == FLAME_FUTEX || (wait == FLAME_KTHREAD && depth <= 1);
		depth += f->names.fns[fn].kind < FLAME_GROUP;
	}
	return idle;
}

static void add_function(struct flame *f, struct path *p, u32 id)
{
	u32 fn = flame_names_frame(&f->names, id);
	bool waker = f->names.fns[fn].kind == FLAME_GROUP;

	if ((f->shape.hide_kernel && f->names.fns[fn].kernel) || (f->shape.inverted && waker))
		return;
	if (p->n < PATH_MAX_FNS)
		p->fns[p->n++] = fn;
}

static void add_frame(struct flame *f, struct path *p, u32 id)
{
	u32 ids[FLAME_INLINED_MAX], n = flame_names_inlined(&f->names, id, ids, FLAME_INLINED_MAX);

	if (!f->shape.inverted)
		add_function(f, p, id);
	for (u32 i = 0; i < n; i++)
		add_function(f, p, ids[f->shape.inverted ? i : n - 1 - i]);
	if (f->shape.inverted)
		add_function(f, p, id);
}

/* ---- merging into a node --------------------------------------------------------------- */

static u32 glue_run(const struct flame *f, const struct path *p, u32 at, u8 glue)
{
	u32 n = 0;

	while (at + n < p->n && f->names.fns[p->fns[at + n]].glue == glue)
		n++;
	return n;
}

/* How often the `period` functions at `at` repeat. */
static u32 repeats(const struct path *p, u32 at, u32 period)
{
	const u32 *first = p->fns + at;
	u32 n = 1;

	while (at + (n + 1) * period <= p->n && !memcmp(first, first + n * period, period * sizeof(*first)))
		n++;
	return n;
}

static u32 child_of_many(struct flame_tree *t, u32 node, u32 fn, u32 times, u32 period)
{
	u32 child = flame_tree_child(t, node, fn);

	if (times > t->nodes[child].times) {
		t->nodes[child].times = (u16)min(times, (u32)UINT16_MAX);
		t->nodes[child].period = (u8)period;
	}
	return child;
}

/* Inserts the functions at `at` into the tree; returns how many of the path were used. */
static u32 place_some(struct flame *f, struct flame_tree *t, u32 *node, const struct path *p, u32 at)
{
	u8 glue = f->names.fns[p->fns[at]].glue;
	u32 n = glue ? glue_run(f, p, at, glue) : 0, fn = n > 1 ? glue_fn(f, glue) : 0;

	if (n > 1 && !f->names.fns[fn].open) {
		*node = child_of_many(t, *node, fn, n, 1);
		for (u32 i = 0; i < n; i++)
			flame_tree_hide(t, *node, p->fns[at + i]);
		return n;
	}
	for (u32 period = 1; period <= CYCLE_MAX && !f->names.fns[p->fns[at]].open; period++) {
		n = repeats(p, at, period);
		if (n < 2)
			continue;
		*node = child_of_many(t, *node, p->fns[at], n, period);
		for (u32 i = 1; i < period; i++)
			*node = flame_tree_child(t, *node, p->fns[at + i]);
		return n * period;
	}
	*node = flame_tree_child(t, *node, p->fns[at]);
	return 1;
}

static u32 place_process(struct flame *f, struct flame_tree *t, u32 node, u32 process_fn)
{
	u32 group = f->names.fns[process_fn].group;

	if (!f->names.fns[group].many || f->names.fns[group].open)
		return flame_tree_child(t, node, process_fn);
	return child_of_many(t, node, group, max(f->names.fns[group].alive, 2u), 1);
}

u32 flame_place(struct flame *f, struct flame_tree *t, const struct flame_stack *s)
{
	const struct flame_task *task = &f->tasks[s->task];
	struct path p;
	u32 node = FLAME_ROOT;

	p.n = 0;
	if (f->shape.hide_waits && waits(f, s))
		return FLAME_NONE;
	if (s->cut_fn)
		node = flame_tree_child(t, node, s->cut_fn);
	if (f->shape.by_process && !f->scope.pid)
		node = place_process(f, t, node, task->process_fn);
	if (f->shape.by_thread)
		node = flame_tree_child(t, node, task->thread_fn);
	for (u32 i = 0; i < s->n_ids; i++)
		add_frame(f, &p, f->ids[s->ids + (f->shape.inverted ? i : s->n_ids - 1 - i)]);
	for (u32 at = 0; at < p.n;)
		at += place_some(f, t, &node, &p, at);
	return node;
}

/* ---- opening ---------------------------------------------------------------------------- */

bool flame_opens(const struct flame *f, u32 node)
{
	const struct flame_node *n = &f->trees[f->shown].nodes[node];

	return n->times > 1 && !f->names.fns[n->fn].open;
}

u32 flame_times(const struct flame *f, u32 node)
{
	const struct flame_node *n = &f->trees[f->shown].nodes[node];

	return f->names.fns[n->fn].many ? f->names.fns[n->fn].alive : n->times;
}

void flame_open_node(struct flame *f, u32 node)
{
	struct flame_tree *t = flame_tree(f);

	for (u32 i = t->nodes[node].period; i > 0 && node != FLAME_NONE; i--) {
		f->names.fns[t->nodes[node].fn].open = true;
		node = t->nodes[node].first;	/* in a cycle: its next function is below */
	}
	flame_rebuild(f);
}

void flame_close_nodes(struct flame *f)
{
	bool any = false;

	for (u32 i = 0; i < f->names.n; i++) {
		any |= f->names.fns[i].open;
		f->names.fns[i].open = false;
	}
	if (any)
		flame_rebuild(f);
}
