// SPDX-License-Identifier: GPL-2.0-or-later
/* profile.c: collects the stacks of snapshots; see profile.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/profile.h"

#define MAX_DEPTH 8192
#define MAX_INLINED 63	/* at one location; deeper ones are left out */

static bool is_known(const char *s)
{
	return s && *s;
}

/* ---- frames ---------------------------------------------------------------------- */

/* Parses numbers of frames and converts them to indexes; NULL: none. */
static u32 *frames_of(const struct profile *p, const char *text, u32 *ret_n)
{
	u32 *frames = NULL, n = 0, cap = 0, id;

	while (text && n < MAX_DEPTH && frame_id_next(&text, &id)) {
		frames = grow(frames, n, &cap, sizeof(*frames));
		frames[n++] = id < p->n_ids ? p->by_id[id] : 0;
	}
	*ret_n = n;
	return frames;
}

/* A restarted profiler numbers its frames anew. */
static bool same_place(const struct frames_row *a, const struct frames_row *b)
{
	return a->addr == b->addr &&
	       (!a->module || !b->module || !strcmp(a->module, b->module));
}

static u32 add_frame(struct profile *p, const struct frames_row *r)
{
	p->frames = grow(p->frames, p->n_frames, &p->cap_frames, sizeof(*p->frames));
	p->inlined = grow(p->inlined, p->n_frames, &p->cap_inlined, sizeof(*p->inlined));
	p->frames[p->n_frames] = r;
	p->inlined[p->n_frames] = NULL;
	return p->n_frames++;
}

static void hold_frame(struct profile *p, const struct frames_row *r)
{
	const struct frames_row *old;
	u32 *i;

	if (r->id >= FRAME_IDS)	/* of a damaged recording */
		return;
	p->by_id = grow_to(p->by_id, &p->n_ids, (u32)r->id, sizeof(*p->by_id));
	i = &p->by_id[r->id];
	old = p->frames[*i];
	if (old == r)
		return;
	if (*i && same_place(old, r)) {
		ROW_KEEP(p->frames[*i], r);
		return;
	}
	row_get(&r->row);
	*i = add_frame(p, r);
}

/* After all rows of a snapshot were read: numbers of frames are valid only within it. */
static void find_inlined(struct profile *p, const struct frames_row *r)
{
	u32 i = r->id < p->n_ids ? p->by_id[r->id] : 0, n, *frames;

	if (!r->inlines || !i || p->inlined[i] || p->frames[i] != r)
		return;
	frames = frames_of(p, r->inlines, &n);
	n = min(n, (u32)MAX_INLINED);
	p->inlined[i] = xcalloc(n + 1, sizeof(*frames));
	p->inlined[i][0] = n;
	if (n)
		memcpy(p->inlined[i] + 1, frames, n * sizeof(*frames));
	free(frames);
}

void profile_learn(struct profile *p, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_frames];

	for (u32 i = 0; i < t->n; i++)
		hold_frame(p, frames_row(t->rows[i]));
	for (u32 i = 0; i < t->n; i++)
		find_inlined(p, frames_row(t->rows[i]));
}

static bool is_pending(const struct frames_row *f)
{
	return f && !is_known(f->name) && !is_known(f->reason);
}

/* Which frames are referenced by stacks; free() it. */
static bool *named_frames(const struct profile *p)
{
	bool *seen = xcalloc(p->n_frames, sizeof(*seen));

	for (u32 i = 0; i < p->n_stacks; i++)
		for (u32 k = 0; k < p->stacks[i].n; k++)
			seen[p->stacks[i].frames[k]] = true;
	return seen;
}

u32 profile_pending(const struct profile *p)
{
	bool *seen = named_frames(p);
	u32 n = 0;

	for (u32 i = 0; i < p->n_frames; i++)
		n += seen[i] && is_pending(p->frames[i]);
	free(seen);
	return n;
}

u32 *profile_ids(const struct profile *p, u32 *ret_n)
{
	u32 *ids = xcalloc(p->n_frames, sizeof(*ids)), n = 0;
	bool *seen = named_frames(p);

	for (u32 i = 1; i < p->n_frames; i++)
		if (seen[i])
			ids[n++] = (u32)p->frames[i]->id;
	free(seen);
	*ret_n = n;
	return ids;
}

void profile_place_text(char *buf, size_t cap, const struct frames_row *f)
{
	char raw[600];

	*buf = '\0';
	if (!f || !is_known(f->file))
		return;
	if (u64_known(f->start_line) && f->start_line)
		snprintf(raw, sizeof(raw), "%.512s:%" PRIu64, f->file, f->start_line);
	else
		snprintf(raw, sizeof(raw), "%.512s", f->file);
	text_clean(buf, cap, raw, TEXT_SCREEN);
}

bool profile_cut_text(char *buf, size_t cap, const struct profile_stack *s)
{
	char raw[128];

	if (text_is(s->row->whole, "yes"))
		return false;
	snprintf(raw, sizeof(raw), "[cut: %s]", is_known(s->row->whole) ? s->row->whole : "?");
	text_clean(buf, cap, raw, TEXT_SCREEN);
	return true;
}

/* ---- stacks ---------------------------------------------------------------------- */

u32 *profile_frames(const struct profile *p, const struct profile_stack *s, u32 *ret_n)
{
	u32 *frames = NULL, n = 0, cap = 0;

	for (u32 i = 0; i < s->n; i++) {
		const u32 *inlined = p->inlined[s->frames[i]];

		for (u32 k = 0; k <= (inlined ? inlined[0] : 0); k++) {
			frames = grow(frames, n, &cap, sizeof(*frames));
			frames[n++] = inlined && k < inlined[0] ? inlined[k + 1] : s->frames[i];
		}
	}
	*ret_n = n;
	return frames;
}

u32 profile_place_length(const struct profile *p, const u32 *frames, u32 n)
{
	u32 k = 1;

	while (k < n && k < PROFILE_PLACE_MAX) {
		const struct frames_row *f = p->frames[frames[k - 1]];

		if (!f || f->inlined != 1)
			break;
		k++;
	}
	return k;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_stack(const struct profile_stack *a, const struct profile_stack *b)
{
	return a->n == b->n && a->row->pid == b->row->pid && a->row->tid == b->row->tid &&
	       a->row->start_time_ns == b->row->start_time_ns &&
	       same_text(a->row->comm, b->row->comm) && same_text(a->row->whole, b->row->whole) &&
	       (!a->n || !memcmp(a->frames, b->frames, a->n * sizeof(*a->frames)));
}

static u32 hash_of(const struct profile_stack *s)
{
	u64 h = (s->row->pid << 32 ^ s->row->tid) * 0x9e3779b97f4a7c15ull;

	for (u32 k = 0; k < s->n; k++)
		h = (h ^ s->frames[k]) * 0x100000001b3ull;
	return index_fold(h);
}

/* The stack of a row, created on first use. */
static struct profile_stack *stack_of(struct profile *p, const struct snapshot *s,
				      const struct stacks_row *r)
{
	struct profile_stack wanted = { .row = r };
	const struct processes_row *process;
	u32 hash, at = 0, i;

	wanted.frames = frames_of(p, r->frames, &wanted.n);
	hash = hash_of(&wanted);
	while ((i = index_next(&p->by_stack, hash, &at)) != INDEX_NONE) {
		if (same_stack(&p->stacks[i], &wanted)) {
			free(wanted.frames);
			return &p->stacks[i];
		}
	}
	process = snapshot_process(s, r->pid, r->start_time_ns);
	if (process)
		wanted.process = processes_row(row_get(&process->row));
	row_get(&r->row);
	p->stacks = grow(p->stacks, p->n_stacks, &p->cap_stacks, sizeof(*p->stacks));
	p->stacks[p->n_stacks] = wanted;
	index_add(&p->by_stack, hash, p->n_stacks);
	return &p->stacks[p->n_stacks++];
}

static bool is_wanted(const struct profile *p, const struct stacks_row *r)
{
	if (!r->kind || strcmp(r->kind, p->kind))
		return false;
	for (u32 i = 0; i < p->n_pids; i++)
		if (p->pids[i] == r->pid)
			return true;
	return !p->n_pids;
}

static void add_row(struct profile *p, const struct snapshot *s, const struct stacks_row *r)
{
	u64 value = u64_known(r->value) ? r->value : 0;
	u64 samples = u64_known(r->samples) ? r->samples : 0;
	struct profile_stack *stack;

	if (!is_wanted(p, r) || (!value && !samples))
		return;
	stack = stack_of(p, s, r);
	stack->value += value;
	stack->samples += samples;
	p->value += value;
	p->samples += samples;
	if (text_is(r->whole, "yes"))
		p->whole += samples;
}

bool profile_add(struct profile *p, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_stacks];

	p->session = s->session;
	p->status = t->status;
	p->reason = t->reason;
	profile_learn(p, s);
	/* before the first full interval the duration is not known */
	if ((t->status != TS_OK && t->status != TS_PARTIAL) || !t->interval_ns)
		return false;
	if (!p->start_unix_ns)
		p->start_unix_ns = s->time_ns - t->interval_ns + (u64)s->unix_offset_ns;
	p->duration_ns += t->interval_ns;
	for (u32 i = 0; i < t->n; i++)
		add_row(p, s, stacks_row(t->rows[i]));
	return true;
}

/* ---- life ------------------------------------------------------------------------ */

struct profile *profile_new(const char *kind, const u32 *pids, u32 n_pids)
{
	struct profile *p = xcalloc(1, sizeof(*p));

	snprintf(p->kind, sizeof(p->kind), "%s", kind);
	p->pids = xcalloc(n_pids + 1, sizeof(*p->pids));
	if (n_pids)
		memcpy(p->pids, pids, n_pids * sizeof(*pids));
	p->n_pids = n_pids;
	add_frame(p, NULL);
	return p;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	for (u32 i = 0; i < p->n_stacks; i++) {
		row_put(&p->stacks[i].row->row);
		if (p->stacks[i].process)
			row_put(&p->stacks[i].process->row);
		free(p->stacks[i].frames);
	}
	for (u32 i = 1; i < p->n_frames; i++) {
		row_put(&p->frames[i]->row);
		free(p->inlined[i]);
	}
	free(p->inlined);
	free(p->stacks);
	free(p->frames);
	free(p->by_id);
	index_free(&p->by_stack);
	free(p->pids);
	free(p);
}
