// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_seen.c: selects frames for which source lines and inlined functions are worth their cost:
 * those of functions drawn with a name, selected or in the list. A function may have hundreds of
 * frames (addresses): the hottest come first, and those too small to be drawn are left out.
 */
#include <stdlib.h>

#include "tui/views/flame.h"

enum { SEEN = 1, CHOSEN };	/* marks of functions */

#define LABEL_WIDTH 4		/* columns: narrower labels are not readable */
#define SEEN_MAX 1024

struct hot {
	u32 frame;
	double value;
};

static void mark_drawn(const struct flame_view *v, u8 *fns)
{
	for (u32 i = 0; i < v->n_boxes; i++)
		if (!v->boxes[i].rest && v->boxes[i].end - v->boxes[i].x >= LABEL_WIDTH)
			fns[flame_node(v, v->boxes[i].node)->fn] = SEEN;
	for (u32 i = v->list_top; i < min(v->n_items, v->list_top + v->list_rows); i++)
		fns[v->items[i].fn] = CHOSEN;	/* it may be too narrow in the graph */
	if (v->n_boxes)
		fns[flame_node(v, v->boxes[v->at].node)->fn] = CHOSEN;
}

/* Value in the window of each frame of a marked function, in the blocks of flame_frame_of(). */
static double **weigh(const struct flame_view *v, const u8 *fns)
{
	const struct flame *f = &v->f;
	double **values = xcalloc(f->names.n_frames / FLAME_BLOCK + 1, sizeof(*values));

	for (u32 i = 0; i < f->n_stacks; i++) {
		const struct flame_stack *s = &f->stacks[i];

		for (u32 k = s->value > 0 ? 0 : s->n_ids; k < s->n_ids; k++) {
			u32 id = f->ids[s->ids + k];
			const struct flame_frame *frame = flame_frame_of(&f->names, id);
			double **block = &values[id / FLAME_BLOCK];

			if (!frame || frame->fn >= f->names.n || !fns[frame->fn])
				continue;
			*block = *block ?: xcalloc(FLAME_BLOCK, sizeof(**block));
			(*block)[id % FLAME_BLOCK] += s->value;
		}
	}
	return values;
}

static int by_value(const void *a, const void *b)
{
	const struct hot *x = a, *y = b;

	return cmp(y->value, x->value);
}

/* Selects frames without known lines; the caller frees *ret. */
static u32 choose(const struct flame_view *v, const u8 *fns, double *const *values, struct hot **ret)
{
	double least = flame_node(v, flame_zoom(v))->value / (4 * max(v->graph_cols, 1));
	const struct flame_names *names = &v->f.names;
	u32 n = 0, cap = 0;

	for (u32 id = 0; id < names->n_frames; id++) {
		const double *block = values[id / FLAME_BLOCK];
		double value = block ? block[id % FLAME_BLOCK] : 0;
		const struct flame_frame *frame = flame_frame_of(names, id);

		if (value <= 0 || !frame_lines_pending(frame->row) || (value < least && fns[frame->fn] != CHOSEN))
			continue;
		*ret = grow(*ret, n, &cap, sizeof(**ret));
		(*ret)[n++] = (struct hot){ id, value };
	}
	if (n)
		qsort(*ret, n, sizeof(**ret), by_value);
	return min(n, (u32)SEEN_MAX);
}

void flame_see(struct app *a, const struct flame_view *v)
{
	u8 *fns = xcalloc(v->f.names.n + 1, sizeof(*fns));
	struct hot *hot = NULL;
	u32 ids[SEEN_MAX], n;
	double **values;

	mark_drawn(v, fns);
	values = weigh(v, fns);
	n = choose(v, fns, values, &hot);
	for (u32 i = 0; i < n; i++)
		ids[i] = hot[i].frame;
	app_see(a, ids, n);
	for (u32 i = 0; i < v->f.names.n_frames / FLAME_BLOCK; i++)
		free(values[i]);
	free(values);
	free(hot);
	free(fns);
}
