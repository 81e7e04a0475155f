// SPDX-License-Identifier: GPL-2.0-or-later
/* folded.c: a stack a line, root first (flamegraph.pl, inferno, speedscope), summed and sorted. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/profile.h"

#define NAME_MAX_BYTES 4096

struct folding {
	struct fold *fold;
	u32 cap_kinds, cap_places;
	u32 *of_frame;	/* label of each profile frame, plus one */
};

/* ---- labels ---------------------------------------------------------------------- */

static u32 add_label(struct folding *f, char *text, enum fold_kind kind, const struct frames_row *r)
{
	struct fold *fold = f->fold;
	char place[600];
	u32 i;

	for (char *p = text; *p; p++)
		if (*p == ';')	/* the frame separator */
			*p = ':';
	i = strset_add(&fold->labels, *text ? text : "?");
	if (i + 1 < fold->labels.n)
		return i;
	fold->kinds = grow(fold->kinds, i, &f->cap_kinds, sizeof(*fold->kinds));
	fold->kinds[i] = (u8)kind;
	profile_place_text(place, sizeof(place), r);
	fold->places = grow(fold->places, i, &f->cap_places, sizeof(*fold->places));
	fold->places[i] = *place ? xstrdup(place) : NULL;
	return i;
}

static enum fold_kind kind_of(const struct frames_row *r)
{
	static const char *const kinds[] = {
		[FOLD_USER] = "user", [FOLD_CPP] = "c++", [FOLD_RUST] = "rust", [FOLD_LIBRARY] = "library",
		[FOLD_KERNEL] = "kernel", [FOLD_JIT] = "jit", [FOLD_INTERP] = "interp",
	};

	for (u32 i = 0; r && r->kind && i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(r->kind, kinds[i]))
			return r->name || i == FOLD_KERNEL ? (enum fold_kind)i : FOLD_UNKNOWN;
	return FOLD_UNKNOWN;
}

static u32 frame_label(struct folding *f, const struct profile *p, u32 frame)
{
	const struct frames_row *r = p->frames[frame];
	char text[NAME_MAX_BYTES + 8];
	enum fold_kind kind = kind_of(r);

	if (f->of_frame[frame])
		return f->of_frame[frame] - 1;
	frame_text(text, NAME_MAX_BYTES, r);
	if (kind == FOLD_KERNEL && frame_is_code(r))
		strcat(text, "_[k]");
	else if (r && r->inlined == 1)
		strcat(text, "_[i]");
	f->of_frame[frame] = add_label(f, text, kind, r) + 1;
	return f->of_frame[frame] - 1;
}

static u32 comm_label(struct folding *f, const struct profile_stack *s)
{
	char text[256];

	text_clean(text, sizeof(text), s->row->comm ? s->row->comm : "?", TEXT_SCREEN);
	return add_label(f, text, FOLD_COMM, NULL);
}

/* ---- stacks ---------------------------------------------------------------------- */

static struct fold_stack fold_stack(struct folding *f, const struct profile *p,
				    const struct profile_stack *s)
{
	struct fold_stack out = { .value = s->value, .samples = s->samples };
	u32 n, *frames = profile_frames(p, s, &n);
	char cut[256];

	out.labels = xcalloc(n + 2, sizeof(*out.labels));
	out.labels[out.n++] = comm_label(f, s);
	if (profile_cut_text(cut, sizeof(cut), s))
		out.labels[out.n++] = add_label(f, cut, FOLD_UNKNOWN, NULL);
	for (u32 i = n; i > 0; i--)
		out.labels[out.n++] = frame_label(f, p, frames[i - 1]);
	free(frames);
	return out;
}

static int compare_texts(const void *a, const void *b, void *arg)
{
	char *const *items = arg;

	return strcmp(items[*(const u32 *)a], items[*(const u32 *)b]);
}

/* Numbers labels alphabetically, so that stacks compare as numbers. */
static void rank_labels(struct fold *fold)
{
	u32 n = fold->labels.n, *order = xcalloc(n + 1, sizeof(*order));
	u32 *rank = xcalloc(n + 1, sizeof(*rank));
	char **items = xcalloc(n + 1, sizeof(*items)), **places = xcalloc(n + 1, sizeof(*places));
	u8 *kinds = xcalloc(n + 1, sizeof(*kinds));

	for (u32 i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), compare_texts, fold->labels.items);
	for (u32 i = 0; i < n; i++) {
		rank[order[i]] = i;
		items[i] = fold->labels.items[order[i]];
		kinds[i] = fold->kinds[order[i]];
		places[i] = fold->places[order[i]];
	}
	for (u32 i = 0; i < fold->n; i++)
		for (u32 k = 0; k < fold->stacks[i].n; k++)
			fold->stacks[i].labels[k] = rank[fold->stacks[i].labels[k]];
	free(strset_take(&fold->labels));
	free(fold->kinds);
	free(fold->places);
	fold->places = places;
	fold->labels = (struct strset){ .items = items, .n = n, .cap = n + 1 };
	fold->kinds = kinds;
	free(order);
	free(rank);
}

static int compare_stacks(const void *a, const void *b)
{
	const struct fold_stack *x = a, *y = b;

	for (u32 i = 0; i < x->n && i < y->n; i++)
		if (x->labels[i] != y->labels[i])
			return x->labels[i] < y->labels[i] ? -1 : 1;
	return cmp(x->n, y->n);
}

static void merge_equal(struct fold *fold)
{
	u32 n = 0;

	for (u32 i = 0; i < fold->n; i++) {
		struct fold_stack *s = &fold->stacks[i], *last = n ? &fold->stacks[n - 1] : NULL;

		if (last && !compare_stacks(last, s)) {
			last->value += s->value;
			last->samples += s->samples;
			free(s->labels);
		} else {
			fold->stacks[n++] = *s;
		}
	}
	fold->n = n;
}

struct fold *profile_fold(const struct profile *p)
{
	struct fold *fold = xcalloc(1, sizeof(*fold));
	struct folding f = { .fold = fold };

	f.of_frame = xcalloc(p->n_frames, sizeof(*f.of_frame));
	fold->stacks = xcalloc(p->n_stacks + 1, sizeof(*fold->stacks));
	for (u32 i = 0; i < p->n_stacks; i++)
		fold->stacks[fold->n++] = fold_stack(&f, p, &p->stacks[i]);
	free(f.of_frame);
	rank_labels(fold);
	qsort(fold->stacks, fold->n, sizeof(*fold->stacks), compare_stacks);
	merge_equal(fold);
	return fold;
}

void fold_free(struct fold *f)
{
	if (!f)
		return;
	for (u32 i = 0; i < f->n; i++)
		free(f->stacks[i].labels);
	for (u32 i = 0; i < f->labels.n; i++)
		free(f->places[i]);
	free(f->places);
	free(f->stacks);
	free(f->kinds);
	strset_free(&f->labels);
	free(f);
}

/* ---- writing --------------------------------------------------------------------- */

int profile_put_folded(const struct profile *p, FILE *out)
{
	struct fold *fold = profile_fold(p);

	errno = 0;
	for (u32 i = 0; i < fold->n; i++) {
		const struct fold_stack *s = &fold->stacks[i];

		for (u32 k = 0; k < s->n; k++)
			fprintf(out, "%s%s", k ? ";" : "", fold->labels.items[s->labels[k]]);
		fprintf(out, " %" PRIu64 "\n", s->value);
	}
	fold_free(fold);
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
