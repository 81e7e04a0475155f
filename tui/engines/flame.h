/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flame.h: the model of a flame graph: a tree of functions with the time that
 * was spent in them during a window of ticks. It draws nothing.
 *
 *	names	numbers of frames -> functions; a name may arrive later
 *	store	each distinct stack once, with its value in the window
 *	trees	the stacks merged from the root; a second one is built in the
 *		background when the shape or a name changed
 *	window	the ticks that are in it: a new one is added, an old one
 *		subtracted; nothing is merged again because time went on
 */
#ifndef OTTOP_FLAME_H
#define OTTOP_FLAME_H

#include "bpf/model/index.h"
#include "bpf/model/snapshot.h"

#define FLAME_NONE UINT32_MAX
#define FLAME_ROOT 0u		/* first node of a tree, and the function it stands for */
#define FLAME_PINS 24		/* nodes that are kept when the tree is built anew */
#define FLAME_DEPTH_MAX 1024
#define FLAME_INLINED_MAX 64	/* functions inlined at one place */
#define FLAME_MAX_NODES (1u << 19)	/* then new stacks are counted, but not kept */
#define FLAME_MANY_DEAD 2048		/* stacks in no window before they are dropped */
#define FLAME_SOME_DEAD 256		/* before they are dropped when the tree is built anew anyway */

enum flame_kind {
	FLAME_USER, FLAME_CPP, FLAME_RUST, FLAME_LIBRARY, FLAME_KERNEL, FLAME_JIT, FLAME_INTERP, FLAME_UNKNOWN,
	FLAME_GROUP,	/* all, a process, a thread, who ended a wait */
	FLAME_CUT,	/* stands for what is missing of a stack */
	N_FLAME_KINDS
};

/* ---- functions (flame_names.c) ------------------------------------------------- */

enum flame_wait { FLAME_NO_WAIT, FLAME_IDLE, FLAME_FUTEX, FLAME_LOCK, FLAME_KTHREAD };

/* A function, or what stands in its place; its number never changes while something refers to it. */
struct flame_fn {
	const struct frames_row *row;	/* one of its frames (a reference), or NULL */
	char *text;			/* what is drawn where row has no name; owned */
	u64 key[2];
	u32 frame;			/* without a name: the only frame */
	u8 kind;			/* enum flame_kind */
	u8 wait;			/* enum flame_wait */
	u8 glue;			/* of which language's runtime (flame_path.c); 0: of none */
	/* flame_alike.c */
	u32 group;			/* of a process: the function that stands for all of its name; 0: it is none */
	u32 alive;			/* stacks in the window of a process, processes there of a name */
	bool many;			/* of a name: its processes share a node */
	bool open;			/* its repetitions, or processes, are drawn one by one */
	bool named, kernel, inlined;
	bool looked_at, match;		/* by the search, which found it */
	bool kept;			/* somebody holds its number: it is not given to another one */
	bool spare;			/* nothing refers to it: the next function gets its number */
};

struct flame_frame {
	const struct frames_row *row;	/* a reference */
	u32 fn;				/* FLAME_NONE: nobody asked yet */
	bool used;			/* in some stack: it has a function */
};

/* Numbers are never given twice: those of frames that are still there lie ever further apart. */
#define FLAME_BLOCK 256u

struct flame_names {
	struct flame_fn *fns;
	u32 n, cap;
	struct index by_key;		/* of fns */
	u32 *spare, n_spare;		/* numbers that are free */
	struct flame_frame **frames;	/* by number, in blocks; NULL: none of a block is known */
	u32 n_frames, cap_blocks;	/* n_frames: no number from there on is known */
	u32 n_used, n_used_known;	/* known: a name, or why there is none */
	const struct row **seen;	/* references to the rows of the last snapshot, to find what is new */
	u32 n_seen;
};

/* NULL: nothing is known of that number. */
static inline struct flame_frame *flame_frame_of(const struct flame_names *n, u32 id)
{
	struct flame_frame *block = id < n->n_frames ? n->frames[id / FLAME_BLOCK] : NULL;

	return block ? &block[id % FLAME_BLOCK] : NULL;
}

void flame_names_init(struct flame_names *n);
void flame_names_free(struct flame_names *n);
/* Reads the frames of a snapshot. True: a frame that is in use has another function now. */
bool flame_names_update(struct flame_names *n, const struct snapshot *s);
/* The function of a frame. */
u32 flame_names_frame(struct flame_names *n, u32 id);
/* Numbers of frames in a text, at most cap; how many. */
u32 flame_parse_ids(const char *s, u32 *ids, u32 cap);
/* The frames that are inlined at that one, the innermost first. */
u32 flame_names_inlined(const struct flame_names *n, u32 id, u32 *ids, u32 cap);
/* A function that is none: found by kind and key, its text may change. */
u32 flame_names_group(struct flame_names *n, enum flame_kind kind, u64 key, u64 key2, const char *text);
/* The function that stands for it now (a frame may have got its name). */
u32 flame_names_now(const struct flame_names *n, u32 fn);
/* Those that are not in `used` (by number) are spare from now on. */
void flame_names_keep(struct flame_names *n, bool *used);
/* Frames that are not in `keep` (by number) are as if they had never been seen. */
void flame_names_forget(struct flame_names *n, const bool *keep);
/* As flame_names_keep(), and forgets all frames: they are read again. */
void flame_names_rest(struct flame_names *n, bool *used);
const char *flame_fn_text(const struct flame_fn *fn);
const char *flame_kind_name(u32 kind);

/*
 * A name made to fit `width` columns, without the type that it returns: arguments,
 * template arguments, leading namespaces or package paths are dropped before the
 * right is cut with "…", never within brackets. The last two names that say
 * something stay as long as they fit. Returns the columns it takes.
 */
int flame_label(char *buf, size_t cap, const char *name, u32 kind, int width);

/* ---- trees (flame_tree.c) --------------------------------------------------------- */

struct flame_node {
	u32 parent, fn;
	u32 first, last, next;	/* children in drawing order, and the next of the same parent */
	bool ordered;		/* children have their places */
	bool placed;		/* used while places are given */
	u8 period;		/* so many functions in turn ... */
	u16 times;		/* ... so often at most stand for this node and those below; 0: itself */
	u32 inside;		/* functions that it stands for and that have no node; FLAME_NONE: none */
	float a_value, a_n;	/* in window A */
	double value, n;	/* in the window: of this node and all below */
};

/* A function that is folded into a node, and the next one there. */
struct flame_inside {
	u32 fn, next;
};

/* What a function cost, wherever it stands; recursion counts once. */
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
	u32 *old_hash, n_old_hash;	/* the table before it grew; NULL: all has moved */
	u32 n_moved, n_to_move;
	struct flame_inside *inside;
	u32 n_inside, cap_inside;
	struct flame_cost *costs;	/* by function */
	u32 n_costs, stamp;
	bool inverted;
};

void flame_tree_clear(struct flame_tree *t);
void flame_tree_free(struct flame_tree *t);
u32 flame_tree_child(struct flame_tree *t, u32 parent, u32 fn);		/* makes it */
/* fn is folded into the node. */
void flame_tree_hide(struct flame_tree *t, u32 node, u32 fn);
/* Adds to a leaf and all above it; `a`: to window A. */
void flame_tree_add(struct flame_tree *t, const struct flame_names *names, u32 leaf, double value,
		    double n, bool a);
/* Gives the children of a node their places, if they have none: by share. */
void flame_tree_order(struct flame_tree *t, u32 node);
/* What functions cost that are not in `used`: their numbers may be those of others soon. */
void flame_tree_forget(struct flame_tree *t, const bool *used, u32 n);
/* Forgets all places. */
void flame_tree_unorder(struct flame_tree *t);
/* Gives the nodes of `to` the places they had in `from`; what is new goes to the right. */
void flame_tree_adopt(struct flame_tree *to, struct flame_tree *from, const struct flame_names *names);
/* The node at the same path in another tree, or the nearest above it. */
u32 flame_tree_same(const struct flame_tree *to, const struct flame_tree *from, u32 node,
		    const struct flame_names *names);
int flame_tree_depth(const struct flame_tree *t, u32 node);
/*
 * The function of the node, or the first one folded into it, that matches; FLAME_NONE: it has none.
 */
typedef bool (*flame_match_fn)(void *arg, const struct flame_fn *fn, u32 id);
u32 flame_tree_match(const struct flame_tree *t, const struct flame_names *names, u32 node,
		     flame_match_fn match, void *arg);
/* Value below `top` of the nodes that match; nested ones count once. */
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
	u32 task, cut_fn;	/* cut_fn 0: whole */
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
	u64 covered_ns;		/* what was observed of it */
	struct flame_part *parts;	/* NULL where nothing is ever subtracted */
	u32 n_parts, cap_parts;
	u32 refused;		/* samples of stacks that were too many to keep */
	bool blocked;		/* the collector could not be read then */
};

/* A tick of which not all rows are in the window yet. */
struct flame_load {
	const struct snapshot *s;	/* a reference; NULL: none */
	u32 next, end;			/* rows */
};

enum flame_window { FLAME_10S, FLAME_ALL, FLAME_DECAY, FLAME_TICK, N_FLAME_WINDOWS };

struct flame_scope {
	u64 pid, start_time_ns;	/* 0: all of the host */
	const char *kind;	/* "cpu", "offcpu" */
	u64 tid;		/* 0: all threads */
};

struct flame_shape {
	bool inverted;		/* leaves at the root, their callers below */
	bool hide_kernel, hide_waits;
	bool by_process, by_thread;
};

/* What a window was: of A, and of the present one. */
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
	u32 n_dead, compact_at;	/* with no value; how many make a compaction worth it */
	struct index by_hash;	/* of stacks */
	u32 *ids, n_ids, cap_ids;
	struct flame_task *tasks;
	u32 n_tasks, cap_tasks;
	struct index by_task;		/* of tasks */
	u32 *spare_tasks, n_spare_tasks;	/* numbers that are free */
	u32 sweep_at;		/* how many functions and tasks make a sweep worth it */

	struct flame_tree trees[2];
	u32 shown;		/* which of the two is complete */
	bool building;
	u32 build_at;		/* stacks that are in the other one */
	bool renamed;		/* names came, or processes became many: the tree is to be built anew, */
	u64 build_after_ns;	/* for that alone not before this */
	u64 build_cpu_ns;	/* what the one that is being built has taken so far */
	u32 pins[FLAME_PINS];	/* nodes of the shown tree */
	u32 n_pins;

	struct flame_tick *ticks;
	u32 n_ticks, cap_ticks;
	double weight;		/* of the newest tick; 1 unless the window decays */
	double covered_ns, all_value, all_n, cut_n;	/* in that weight */
	double gap_ns;		/* in that weight, where ticks are not kept: see flame_gap_ns() */
	bool began;		/* to be observed, or blocked */
	bool regroup;		/* names may have become, or be no more, of many processes */
	u64 refused;
	struct flame_load load;
	const struct requests_row *span;	/* instead of ticks; a reference, or NULL */
	u64 span_seq;			/* the snapshot whose names were read last */

	bool has_a;
	struct flame_span a;
	u32 version;		/* changes with every change of a value or of the tree */
};

void flame_init(struct flame *f);
void flame_free(struct flame *f);
/* Both forget the window; a new scope forgets A as well. */
void flame_set_scope(struct flame *f, const struct flame_scope *scope);
void flame_set_window(struct flame *f, enum flame_window w);
void flame_set_shape(struct flame *f, const struct flame_shape *shape);

/* The window is the span of that request, and what its row says of it; NULL: ticks again. */
void flame_set_span(struct flame *f, const struct requests_row *q);
/*
 * Makes the window end with the shown snapshot, and goes on building. False:
 * there is more to do than fits in budget_ns (0: no limit); call it again.
 */
bool flame_follow(struct flame *f, struct history *h, const struct snapshot *shown, u64 budget_ns);

struct flame_tree *flame_tree(struct flame *f);		/* the one to draw */
/*
 * Gives back what nobody sees: all but the paths of the pins, without values. The next
 * flame_follow() adds the window up again. False: what is in it could not be had again.
 */
bool flame_rest(struct flame *f);
/* The window as it is now. */
struct flame_span flame_span(const struct flame *f);
/* Makes the window A. */
void flame_mark(struct flame *f);
/* Makes A the window of the same length before this one; false: history has none, or it has no length. */
bool flame_mark_before(struct flame *f, struct history *h);
/*
 * How long nobody looked, or could, since it began to be observed; in ns. It decays where the window does:
 * as much as what was seen then.
 */
u64 flame_gap_ns(const struct flame *f);
/* How much of A is in the window still: so long nothing can be compared. */
u64 flame_overlap_ns(const struct flame *f);
/* Values of the present weight as real ones. */
static inline double flame_real(const struct flame *f, double v)
{
	return v / f->weight;
}

/* Difference B - A per second of a node or function, in ns; *ret_noise: within chance. */
double flame_diff(const struct flame *f, double value, double n, double a_value, double a_n,
		  bool *ret_noise);

/* ---- between flame.c, flame_build.c and flame_window.c ------------------------------------- */

/* Of which runtime a function is nothing but a part; 0: of none. */
u8 flame_glue_of(const char *name);
/* Does the node stand for several, which can be shown? */
bool flame_opens(const struct flame *f, u32 node);
/* Shows them, from the next complete tree on. */
void flame_open_node(struct flame *f, u32 node);
void flame_close_nodes(struct flame *f);

/* The process that it stands for is called so now. */
void flame_alike_named(struct flame *f, u32 process_fn, const char *name);
/* One of its stacks has a value now, or has no more. */
void flame_alike_count(struct flame *f, u32 process_fn, bool more);
/* No stack has a value. */
void flame_alike_zero(struct flame *f);
/* Once the window is as it shall be: names of many processes are one frame. */
void flame_alike_update(struct flame *f);
/* How many a node stands for: of how many calls, or of how many processes it is. */
u32 flame_times(const struct flame *f, u32 node);

/* As flame_follow(), of a span (flame_span.c). */
void flame_follow_span(struct flame *f, const struct snapshot *shown);

/* The leaf of a stack in a tree of the present shape; FLAME_NONE: not shown. */
u32 flame_place(struct flame *f, struct flame_tree *t, const struct flame_stack *s);
/* Makes the table of stacks anew. */
void flame_index_stacks(struct flame *f);

/* The stack of a row (made if need be), or FLAME_NONE. */
u32 flame_stack_of(struct flame *f, const struct snapshot *s, const struct stacks_row *r);
void flame_apply(struct flame *f, u32 stack, double value, double n);
/* Multiplies everything in the window. */
void flame_scale(struct flame *f, double by);
/* All values 0; stacks stay. */
void flame_zero(struct flame *f);
/* Starts the other tree anew. */
void flame_rebuild(struct flame *f);
/* The same without what is in no window, if that is much: it costs as much as what is. */
void flame_rebuild_living(struct flame *f);
/* Goes on with it; false: not ready yet. */
bool flame_build(struct flame *f, u64 end_ns);
/* Lets go of functions and tasks that nothing refers to, once they are many. */
void flame_sweep(struct flame *f);
/* Tasks that are not in `used` (by number) are spare from now on. */
void flame_tasks_keep(struct flame *f, const bool *used);
/* Are many stacks in no window? */
bool flame_is_sparse(const struct flame *f);
/* Lets go of them. */
void flame_compact(struct flame *f);

#endif
