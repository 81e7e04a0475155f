// SPDX-License-Identifier: GPL-2.0-or-later
/* flame_keys.c: actions of the flame views. */
#include <string.h>

#include "tui/views/flame.h"

/* The node from which to move: keys may arrive faster than frames are drawn. */
static u32 here(const struct flame_view *v)
{
	return v->moved ? flame_selected(v) : v->boxes[v->at].node;
}

static const struct flame_box *box_here(const struct flame_view *v)
{
	const struct flame_box *b = flame_box_of(v, here(v));

	return b ? b : &v->boxes[v->at];
}

/* ---- moving ----------------------------------------------------------------------- */

/* Moves into the widest callee, `steps` times. */
static void deeper(struct flame_view *v, int steps)
{
	u32 node = here(v);

	while (steps-- > 0) {
		u32 next = flame_widest(v, node);

		if (next == FLAME_NONE)
			break;
		node = flame_is_folded(v, next) ? v->fold_node : next;
	}
	flame_select(v, node);
}

static void shallower(struct flame_view *v, int steps)
{
	u32 node = here(v);

	while (steps-- > 0 && flame_node(v, node)->parent != FLAME_NONE) {
		node = flame_node(v, node)->parent;
		if (flame_is_folded(v, node))	/* it left the folded line */
			node = FLAME_ROOT;
	}
	flame_select(v, node);
}

static void sideways(struct flame_view *v, int step)
{
	const struct flame_box *b = flame_beside(v, box_here(v), step);

	if (b)
		flame_select(v, b->node);
}

static bool move(struct flame_view *v, enum action action)
{
	int down = v->root_below ? -1 : 1, step = 0;

	switch (action) {
	case ACTION_left:
	case ACTION_right:
		sideways(v, action == ACTION_left ? -1 : 1);
		return true;
	case ACTION_up:
	case ACTION_down:
		step = action == ACTION_up ? -down : down;
		break;
	case ACTION_page_up:
	case ACTION_page_down:
		step = (action == ACTION_page_up ? -down : down) * max(v->graph_rows - 1, 1);
		break;
	case ACTION_first:
	case ACTION_last:
		step = action == ACTION_first ? -FLAME_DEPTH_MAX : FLAME_DEPTH_MAX;
		break;
	default:
		return false;
	}
	if (step > 0)
		deeper(v, step);
	else
		shallower(v, -step);
	return true;
}

static bool move_list(struct flame_view *v, enum action action)
{
	u32 node;

	switch (action) {
	case ACTION_up:
	case ACTION_down:
		flame_list_move(v, action == ACTION_up ? -1 : 1);
		return true;
	case ACTION_page_up:
	case ACTION_page_down:
		flame_list_move(v, action == ACTION_page_up ? -20 : 20);
		return true;
	case ACTION_first:
	case ACTION_last:
		flame_list_move(v, action == ACTION_first ? -FLAME_ITEMS : FLAME_ITEMS);
		return true;
	case ACTION_zoom:
		node = v->list_at < v->n_items ? flame_widest_of(v, v->items[v->list_at].fn) : FLAME_NONE;
		if (node != FLAME_NONE)
			flame_select(v, node);
		v->in_list = false;
		return true;
	default:
		return false;
	}
}

/* ---- search ------------------------------------------------------------------------- */

/* The next matching box in reading order; wraps around. */
static bool next_match(struct app *a, struct flame_view *v, int step)
{
	const struct flame_box *now = box_here(v), *next = NULL, *first = NULL;

	if (!flame_seeks(v))
		return false;
	for (u32 i = 0; i < v->n_boxes; i++) {
		const struct flame_box *b = &v->boxes[i];
		int order = b->depth != now->depth ? b->depth - now->depth : b->x - now->x, best, least;

		if (b->rest || flame_sought(v, b->node) == FLAME_NONE)
			continue;
		best = next ? (next->depth != b->depth ? next->depth - b->depth : next->x - b->x) * step : 1;
		least = first ? (first->depth != b->depth ? first->depth - b->depth : first->x - b->x) * step : 1;
		if (order * step > 0 && best > 0)
			next = b;
		if (least > 0)
			first = b;
	}
	if (!next)
		next = first;
	if (next)
		flame_select(v, next->node);
	else
		app_say(a, ROLE_text, "no match in what is drawn");
	return true;
}

static bool act_search(struct app *a, struct flame_view *v, enum action action)
{
	u32 fn;

	switch (action) {
	case ACTION_same:
		fn = flame_node(v, here(v))->fn;
		v->same_fn = v->same_fn == fn || v->f.names.fns[fn].kind >= FLAME_GROUP ? FLAME_NONE : fn;
		v->f.names.fns[fn].kept = true;
		v->match_version--;
		return true;
	case ACTION_next_match:
	case ACTION_prev_match:
		return next_match(a, v, action == ACTION_next_match ? 1 : -1);
	default:
		return false;
	}
}

/* ---- zoom --------------------------------------------------------------------------- */

static void show_zoom(struct flame_view *v)
{
	u32 zoom = flame_zoom(v);

	v->scroll = max(flame_tree_depth(flame_tree(&v->f), zoom) - 2, 0);
	v->match_version--;
}

static void zoom_in(struct flame_view *v)
{
	u32 node = here(v);

	if (flame_opens(&v->f, node)) {
		flame_open_node(&v->f, node);
		v->complete = false;
		return;
	}
	if (node == flame_zoom(v))
		return;
	if (v->fold && node == v->fold_node) {	/* opens the line, moves to its first frame */
		while (flame_node(v, node)->parent != FLAME_ROOT)
			node = flame_node(v, node)->parent;
		v->unfolded = true;
		flame_select(v, node);
		return;
	}
	if (box_here(v)->above) {	/* an ancestor of the zoomed frame: zoom out to it */
		v->f.n_pins = 1;
		if (node != FLAME_ROOT)
			v->f.pins[v->f.n_pins++] = node;
	} else {
		if (v->f.n_pins == FLAME_PINS) {	/* drop the oldest level */
			memmove(v->f.pins + 1, v->f.pins + 2, (FLAME_PINS - 2) * sizeof(*v->f.pins));
			v->f.n_pins--;
		}
		v->f.pins[v->f.n_pins++] = node;
	}
	flame_select(v, node);
	show_zoom(v);
}

static bool act_zoom(struct flame_view *v, enum action action)
{
	switch (action) {
	case ACTION_zoom:
		zoom_in(v);
		return true;
	case ACTION_back:
		if (v->in_list) {
			v->in_list = false;
			return true;
		}
		if (v->f.n_pins < 2)
			return false;
		flame_select(v, v->f.pins[--v->f.n_pins]);
		show_zoom(v);
		return true;
	case ACTION_cancel:
		v->f.n_pins = min(v->f.n_pins, 1u);
		v->in_list = v->diff = v->detail = v->unfolded = false;
		v->same_fn = FLAME_NONE;
		flame_close_nodes(&v->f);
		show_zoom(v);
		return false;	/* the console clears the search */
	default:
		return false;
	}
}

/* ---- shape and window -------------------------------------------------------------------- */

static void flip(struct flame_view *v)
{
	struct flame_shape s = v->f.shape;

	if (v->root_below) {
		v->root_below = false;
	} else if (s.inverted) {
		s.inverted = false;
		v->root_below = true;
	} else {
		s.inverted = true;
	}
	if (s.inverted != v->f.shape.inverted)	/* all frames move */
		v->f.n_pins = 0;
	flame_set_shape(&v->f, &s);
	v->scroll = 0;
	v->folds = v->unfolded = false;
}

static bool act_shape(struct app *a, struct flame_view *v, enum action action)
{
	struct flame_shape s = v->f.shape;

	switch (action) {
	case ACTION_flip:
		flip(v);
		return true;
	case ACTION_no_kernel:
		s.hide_kernel = !s.hide_kernel;
		break;
	case ACTION_by_process:
		if (app_context(a)->pid)
			app_say(a, ROLE_text, "one process is shown: the whole host's graph is split by process");
		s.by_process = !s.by_process;
		break;
	case ACTION_by_thread:
		s.by_thread = !s.by_thread;
		break;
	case ACTION_idle_waits:
		s.hide_waits = !s.hide_waits;
		break;
	case ACTION_resort:
		flame_tree_unorder(flame_tree(&v->f));
		app_say(a, ROLE_text, "frames have new places, widest first");
		return true;
	default:
		return false;
	}
	v->folds = v->unfolded = false;
	v->fold = 0;
	flame_set_shape(&v->f, &s);
	return true;
}

static bool act_window(struct app *a, struct flame_view *v, enum action action)
{
	switch (action) {
	case ACTION_window:
		flame_set_window(&v->f, (v->f.window + 1) % N_FLAME_WINDOWS);
		v->complete = false;
		return true;
	case ACTION_mark:
		if (!v->complete)
			v->complete = flame_follow(&v->f, app_history(a), app_snapshot(a), 0);
		if (!flame_span(&v->f).n) {
			app_say(a, ROLE_text, "nothing was sampled in this window");
			return true;
		}
		flame_mark(&v->f);
		app_say(a, ROLE_text, "this window is A; D compares what is shown with it");
		return true;
	case ACTION_diff:
		if (v->f.has_a) {
			v->diff = !v->diff;
			return true;
		}
		if (!app_collected(a, TABLE_stacks)) {
			app_say(a, ROLE_text, "nothing was sampled in this window");
			return true;
		}
		if (!v->complete)
			flame_follow(&v->f, app_history(a), app_snapshot(a), 0);
		v->diff = flame_mark_before(&v->f, app_history(a));
		v->complete = false;
		app_say(a, ROLE_text, v->diff ? "compared with the window before, which is A now" :
			"there is no window before this one: Space marks this one as A");
		return true;
	default:
		return false;
	}
}

static bool act_panes(struct app *a, struct flame_view *v, enum action action)
{
	switch (action) {
	case ACTION_explain:
		v->detail = !v->detail;
		return true;
	case ACTION_other_pane:
		if (v->cols < FLAME_WIDE) {
			app_say(a, ROLE_text, "the list of functions needs %d columns", FLAME_WIDE);
			return true;
		}
		v->in_list = !v->in_list;
		v->list_at = 0;
		for (u32 i = 0; i < v->n_items; i++)
			if (v->items[i].fn == flame_node(v, here(v))->fn)
				v->list_at = i;
		return true;
	case ACTION_sort_list:
		v->by_total = !v->by_total;
		return true;
	default:
		return false;
	}
}

bool flame_act(struct app *a, void *state, enum action action, u32 key)
{
	struct flame_view *v = state;

	if (!app_snapshot(a) || !v->ready)
		return false;
	if (act_window(a, v, action) || act_shape(a, v, action)) {
		v->n_boxes = 0;	/* boxes refer to old nodes; the next frame makes new ones */
		return true;
	}
	if (!v->n_boxes)
		return false;
	if (v->in_list && move_list(v, action))
		return true;
	return act_panes(a, v, action) || act_search(a, v, action) || act_zoom(v, action) ||
	       move(v, action);
}
