/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flame.h: the model of a flame graph: a tree of functions with the time spent in
 * them during a window of ticks. It does not draw.
 *
 *	names	frame numbers -> functions; a name may arrive later
 *	store	each distinct stack once, with its value in the window
 *	trees	the stacks merged from the root; a second tree is built in the
 *		background when the shape or a name changed
 *	window	the ticks included: as time goes on a new one is added and an
 *		old one subtracted, nothing is merged again
 */
#pragma once

#include "bpf/model/index.h"
#include "bpf/model/snapshot.h"

#define FLAME_NONE UINT32_MAX
#define FLAME_ROOT 0u		/* first node of a tree, and its function */
#define FLAME_PINS 24		/* nodes that survive a rebuild of the tree */
#define FLAME_DEPTH_MAX 1024
#define FLAME_INLINED_MAX 64	/* functions inlined at one location */
#define FLAME_MAX_NODES (1u << 19)	/* limit: further stacks are counted, but not stored */
#define FLAME_MANY_DEAD 2048		/* stacks outside of any window that trigger a compaction */
#define FLAME_SOME_DEAD 256		/* the same when the tree is rebuilt anyway */

enum flame_kind {
	FLAME_USER, FLAME_CPP, FLAME_RUST, FLAME_LIBRARY, FLAME_KERNEL, FLAME_JIT, FLAME_INTERP, FLAME_UNKNOWN,
	FLAME_GROUP,	/* all, a process, a thread, the waker of a wait */
	FLAME_CUT,	/* stands for the missing part of a stack */
	N_FLAME_KINDS
};

/* ---- functions (flame_names.c) ------------------------------------------------- */

enum flame_wait { FLAME_NO_WAIT, FLAME_IDLE, FLAME_FUTEX, FLAME_LOCK, FLAME_KTHREAD };

/* A function, or a placeholder; its number does not change while it is referenced. */
struct flame_fn {
	const struct frames_row *row;	/* one of its frames (a reference), or NULL */
	char *text;			/* label if row has no name; owned */
	u64 key[2];
	u32 frame;			/* if it has no name: its only frame */
	u8 kind;			/* enum flame_kind */
	u8 wait;			/* enum flame_wait */
	u8 glue;			/* runtime whose glue code it is (flame_path.c); 0: none */
	/* flame_alike.c */
	u32 group;			/* of a process: the function of its name; 0: no process */
	u32 alive;			/* in the window: stacks of a process, processes of a name */
	bool many;			/* of a name: its processes share a node */
	bool open;			/* show its repetitions, or processes, one by one */
	bool named, kernel, inlined;
	bool looked_at, match;		/* tested by the search; matched */
	bool kept;			/* referenced elsewhere: its number must not be reused */
	bool spare;			/* unreferenced: its number is free */
};

struct flame_frame {
	const struct frames_row *row;	/* a reference */
	u32 fn;				/* FLAME_NONE: not looked up yet */
	bool used;			/* in some stack, so it has a function */
};

/* Frame numbers are never reused, so those still alive get ever sparser: stored in blocks. */
#define FLAME_BLOCK 256u

struct flame_names {
	struct flame_fn *fns;
	u32 n, cap;
	struct index by_key;		/* of fns */
	u32 *spare, n_spare;		/* free numbers */
	struct flame_frame **frames;	/* by number, in blocks; NULL: an empty block */
	u32 n_frames, cap_blocks;	/* n_frames: upper bound of the known numbers */
	u32 n_used, n_used_known;	/* known: with a name, or a reason for having none */
	const struct row **seen;	/* references to the rows of the last snapshot, to find new ones */
	u32 n_seen;
};

/* NULL: unknown number. */
static inline struct flame_frame *flame_frame_of(const struct flame_names *n, u32 id)
{
	struct flame_frame *block = id < n->n_frames ? n->frames[id / FLAME_BLOCK] : NULL;

	return block ? &block[id % FLAME_BLOCK] : NULL;
}

void flame_names_init(struct flame_names *n);
void flame_names_free(struct flame_names *n);
/* Reads the frames of a snapshot. True: a frame in use now belongs to another function. */
bool flame_names_update(struct flame_names *n, const struct snapshot *s);
u32 flame_names_frame(struct flame_names *n, u32 id);
/* Parses frame numbers from a text, at most cap; returns how many. */
u32 flame_parse_ids(const char *s, u32 *ids, u32 cap);
/* The frames inlined at this one, innermost first. */
u32 flame_names_inlined(const struct flame_names *n, u32 id, u32 *ids, u32 cap);
/* A pseudo-function, identified by kind and keys; its text may change. */
u32 flame_names_group(struct flame_names *n, enum flame_kind kind, u64 key, u64 key2, const char *text);
/* The current function for fn: its frame may have got a name meanwhile. */
u32 flame_names_now(const struct flame_names *n, u32 fn);
/* Frees the numbers of functions not in `used` (indexed by number). */
void flame_names_keep(struct flame_names *n, bool *used);
/* Forgets frames not in `keep` (indexed by number). */
void flame_names_forget(struct flame_names *n, const bool *keep);
/* As flame_names_keep(), and forgets all frames, which will be read again. */
void flame_names_rest(struct flame_names *n, bool *used);
const char *flame_fn_text(const struct flame_fn *fn);
const char *flame_kind_name(u32 kind);

/*
 * Shortens a name to `width` columns, without its return type: drops arguments, template arguments,
 * leading namespaces or package paths, before cutting the right end with "…", never within
 * brackets. The last two meaningful parts are kept as long as they fit. Returns the columns used.
 */
int flame_label(char *buf, size_t cap, const char *name, u32 kind, int width);

/* ---- trees (flame_tree.c) --------------------------------------------------------- */

struct flame_node {
	u32 parent, fn;
	u32 first, last, next;	/* children in drawing order, and next sibling */
	bool ordered;		/* the children are in order */
	bool placed;		/* temporary flag while ordering */
	u8 period;		/* it stands for a cycle of so many functions */
	u16 times;		/* repeated at most so often; 0: for itself */
	u32 inside;		/* list of functions folded into it, without nodes; FLAME_NONE: none */
	float a_value, a_n;	/* in window A */
	double value, n;	/* in the window, including all nodes below */
};

/* A function folded into a node, and the next one there. */
struct flame_inside {
	u32 fn, next;
};

/* Total cost of a function, wherever it is called; recursion counts once. */
struct flame_cost {
	double value, n, self;
	float a_value, a_self, a_n, a_self_n;
	double self_n;
	u32 stamp;
};

struct flame_tree {
	struct flame_node *nodes;
	u32 n, cap;
	u32 *hash, n_hash;
	u32 *old_hash, n_old_hash;	/* table before growth; NULL: all moved */
	u32 n_moved, n_to_move;
	struct flame_inside *inside;
	u32 n_inside, cap_inside;
	struct flame_cost *costs;	/* by function */
	u32 n_costs, stamp;
	bool inverted;
};

void flame_tree_clear(struct flame_tree *t);
void flame_tree_free(struct flame_tree *t);
u32 flame_tree_child(struct flame_tree *t, u32 parent, u32 fn);		/* creates it if needed */
void flame_tree_hide(struct flame_tree *t, u32 node, u32 fn);
/* Adds to a leaf and its ancestors; `a`: to window A. */
void flame_tree_add(struct flame_tree *t, const struct flame_names *names, u32 leaf, double value,
		    double n, bool a);
/* Orders the children of a node by share, if they have no order yet. */
void flame_tree_order(struct flame_tree *t, u32 node);
/* Forgets the costs of functions not in `used`: their numbers may be reused. */
void flame_tree_forget(struct flame_tree *t, const bool *used, u32 n);
void flame_tree_unorder(struct flame_tree *t);
/* Orders the nodes of `to` as in `from`; new ones go to the right. */
void flame_tree_adopt(struct flame_tree *to, struct flame_tree *from, const struct flame_names *names);
/* The node at the same path in another tree, or its nearest ancestor there. */
u32 flame_tree_same(const struct flame_tree *to, const struct flame_tree *from, u32 node,
		    const struct flame_names *names);
int flame_tree_depth(const struct flame_tree *t, u32 node);
/* The function of the node, or the first one folded into it, that matches; FLAME_NONE: none. */
typedef bool (*flame_match_fn)(void *arg, const struct flame_fn *fn, u32 id);
u32 flame_tree_match(const struct flame_tree *t, const struct flame_names *names, u32 node,
		     flame_match_fn match, void *arg);
/* Total value of matching nodes below `top`; nested matches count once. */
double flame_tree_matched(const struct flame_tree *t, const struct flame_names *names, u32 top,
			  flame_match_fn match, void *arg);

/* ---- stacks and their window (flame.c, flame_build.c, flame_window.c) ------------------------------- */

struct flame_task {
	u64 pid, start_time_ns, tid;
	u32 process_fn, thread_fn;
	bool spare;
};

struct flame_stack {
	u64 hash;
	u32 ids, n_ids;		/* in the pool */
	u32 task, cut_fn;	/* cut_fn 0: complete */
	u32 leaf[2];		/* in the two trees, FLAME_NONE: hidden */
	double value, n;
	float a_value, a_n;
};

struct flame_part {
	u32 stack, n;
	u64 value;
};

struct flame_tick {
	u64 seq, time_ns, interval_ns;
	u64 covered_ns;		/* the observed part */
	struct flame_part *parts;	/* NULL if it will never be subtracted */
	u32 n_parts, cap_parts;
	u32 refused;		/* samples of stacks not stored for lack of room */
	bool blocked;		/* the collector's data could not be read */
};

/* A tick being added to the window in steps. */
struct flame_load {
	const struct snapshot *s;	/* a reference; NULL: none */
	u32 next, end;			/* range of rows left */
};

enum flame_window { FLAME_10S, FLAME_ALL, FLAME_DECAY, FLAME_TICK, N_FLAME_WINDOWS };

struct flame_scope {
	u64 pid, start_time_ns;	/* 0: the whole host */
	const char *kind;	/* "cpu", "offcpu" */
	u64 tid;		/* 0: all threads */
};

struct flame_shape {
	bool inverted;		/* leaves at the root, callers below */
	bool hide_kernel, hide_waits;
	bool by_process, by_thread;
};

/* The extent of a window: of A, or of the current one. */
struct flame_span {
	u64 first_ns, last_ns;	/* CLOCK_BOOTTIME */
	double covered_ns, value, n;
};

struct flame {
	struct flame_names names;
	struct flame_scope scope;
	struct flame_shape shape;
	enum flame_window window;

	struct flame_stack *stacks;
	u32 n_stacks, cap_stacks;
	u32 n_dead, compact_at;	/* n_dead: without value; compact_at: compact at this n_dead */
	struct index by_hash;	/* of stacks */
	u32 *ids, n_ids, cap_ids;
	struct flame_task *tasks;
	u32 n_tasks, cap_tasks;
	struct index by_task;		/* of tasks */
	u32 *spare_tasks, n_spare_tasks;	/* free numbers */
	u32 sweep_at;		/* number of functions and tasks that triggers a sweep */

	struct flame_tree trees[2];
	u32 shown;		/* index of the complete tree */
	bool building;
	u32 build_at;		/* stacks already inserted in the other one */
	bool renamed;		/* a name or a group changed: the tree must be rebuilt, */
	u64 build_after_ns;	/* but for that alone not before this time */
	u64 build_cpu_ns;	/* CPU time of the current build so far */
	u32 pins[FLAME_PINS];	/* nodes of the shown tree */
	u32 n_pins;

	struct flame_tick *ticks;
	u32 n_ticks, cap_ticks;
	double weight;		/* of the newest tick; 1 without decay */
	double covered_ns, all_n, cut_n;	/* in units of weight */
	double gap_ns;		/* of a decaying window, weighted: see flame_gap_ns() */
	bool began;		/* observed once, or blocked */
	bool regroup;		/* a name may have become one of many processes, or ceased to be */
	u64 refused;
	struct flame_load load;
	const struct requests_row *span;	/* replaces the ticks; a reference, or NULL */
	u64 span_seq;			/* the last snapshot read for names */

	bool has_a;
	struct flame_span a;
	u32 version;		/* changes with every change of a value or of the tree */
};

void flame_init(struct flame *f);
void flame_free(struct flame *f);
/* Both clear the window; a new scope clears A as well. */
void flame_set_scope(struct flame *f, const struct flame_scope *scope);
void flame_set_window(struct flame *f, enum flame_window w);
void flame_set_shape(struct flame *f, const struct flame_shape *shape);

/* Shows the span of one request and its row's stacks instead of a window; NULL: back to ticks. */
void flame_set_span(struct flame *f, const struct requests_row *q);
/* Moves the window to the shown snapshot and builds. False: over budget_ns (0: none); again. */
bool flame_follow(struct flame *f, struct history *h, const struct snapshot *shown, u64 budget_ns);

struct flame_tree *flame_tree(struct flame *f);		/* the one to draw */
/* Frees memory while hidden, but paths of pins; flame_follow() rebuilds. False: impossible. */
bool flame_rest(struct flame *f);
/* The current extent of the window. */
struct flame_span flame_span(const struct flame *f);
/* Copies the window to A. */
void flame_mark(struct flame *f);
/* Sets A to the window of equal length before; false: not in the history, or no fixed length. */
bool flame_mark_before(struct flame *f, struct history *h);
/* ns since the beginning that were not observed; decays with the window as samples do. */
u64 flame_gap_ns(const struct flame *f);
/* Overlap of A with the window: while there is any, a comparison is not meaningful. */
u64 flame_overlap_ns(const struct flame *f);
/* Converts a weighted value to a real one. */
static inline double flame_real(const struct flame *f, double v)
{
	return v / f->weight;
}

/* Difference B - A per second of a node or function, in ns; *ret_noise: not significant. */
double flame_diff(const struct flame *f, double value, double n, double a_value, double a_n,
		  bool *ret_noise);

/* ---- between flame.c, flame_build.c and flame_window.c ------------------------------------- */

/* The runtime to whose glue code a function belongs; 0: none. */
u8 flame_glue_of(const char *name);
/* Whether the node represents several functions or processes that can be shown one by one. */
bool flame_opens(const struct flame *f, u32 node);
/* Shows them one by one, from the next complete tree on. */
void flame_open_node(struct flame *f, u32 node);
void flame_close_nodes(struct flame *f);

void flame_alike_named(struct flame *f, u32 process_fn, const char *name);
/* One of the process's stacks got a value, or lost it. */
void flame_alike_count(struct flame *f, u32 process_fn, bool more);
/* All stacks lost their values. */
void flame_alike_zero(struct flame *f);
/* After a change of the window: names of many processes become one node. */
void flame_alike_update(struct flame *f);
/* How many calls of a cycle, or processes, a node represents. */
u32 flame_times(const struct flame *f, u32 node);

/* As flame_follow(), for a span (flame_span.c). */
void flame_follow_span(struct flame *f, const struct snapshot *shown);

/* Inserts a stack into a tree, by the current shape, and returns its leaf; FLAME_NONE: hidden. */
u32 flame_place(struct flame *f, struct flame_tree *t, const struct flame_stack *s);
void flame_index_stacks(struct flame *f);

/* The stack of a row, created on first use, or FLAME_NONE. */
u32 flame_stack_of(struct flame *f, const struct snapshot *s, const struct stacks_row *r);
void flame_apply(struct flame *f, u32 stack, double value, double n);
void flame_scale(struct flame *f, double by);
/* Sets all values to 0; stacks are kept. */
void flame_zero(struct flame *f);
/* Restarts the build of the other tree. */
void flame_rebuild(struct flame *f);
/* flame_rebuild(), but first drops stacks outside of any window if they are many. */
void flame_rebuild_living(struct flame *f);
/* Continues the build; false: not finished. */
bool flame_build(struct flame *f, u64 end_ns);
/* Frees unreferenced functions and tasks, if there are many. */
void flame_sweep(struct flame *f);
/* Frees the numbers of tasks not in `used` (indexed by number). */
void flame_tasks_keep(struct flame *f, const bool *used);
/* Whether many stacks are outside of any window. */
bool flame_is_sparse(const struct flame *f);
/* Drops those. */
void flame_compact(struct flame *f);
