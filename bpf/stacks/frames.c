// SPDX-License-Identifier: GPL-2.0-or-later
/* frames.c: see frames.h. A row is copied only when a name arrives. Numbers are never reused. */
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "bpf/model/index.h"
#include "bpf/stacks/frames.h"

#define AGE_MAX 256		/* ticks; older frames are treated alike */
#define AGE_MIN 16		/* ticks; younger frames are never evicted */
#define EVICT_TICKS 8		/* between two evictions */
#define UNWANTED_MAX 512	/* unwanted frames that trigger an eviction */

struct entry {
	u32 id;
	u32 file, space;
	u32 next_unnamed;	/* number of the next one of the same file, as in the heads */
	u32 used_at;		/* tick */
	bool unnamed;		/* in such a list */
	bool unwanted;
	u64 addr;
	enum frames_lines lines;
	const char *fallback;	/* a name, where no symbol has one */
	struct frames_row *row;
};

static struct entry *entries;	/* sorted by number; [0] is a dummy, used for invalid numbers */
static u32 n_entries, cap_entries;
static u32 last_id;		/* last number assigned; kept when the collector closes */
static u32 room = FRAMES_MAX, now_tick, evict_tick;
static u64 n_evicted;
static struct index places;	/* by (file, addr, space) */
/* heads of the lists of unnamed frames: by file, by anonymous memory (JIT), and one for all others */
static struct heads { u32 *of, n; } file_heads, jit_heads;
static u32 other_head;
static u32 overflow, n_unwanted;
static u64 refused;

/* The index of a number in entries; 0: invalid. */
static u32 place_of(u32 id)
{
	u32 at = n_entries ? bisect(i, 1, n_entries, entries[i].id < id) : 0;

	return at < n_entries && entries[at].id == id ? at : 0;
}

static u32 *head_at(struct heads *h, u32 i)
{
	h->of = grow_to(h->of, &h->n, i, sizeof(*h->of));
	return &h->of[i];
}

static u32 *unnamed_head(u32 file)
{
	if (file < FRAMES_FIRST_JIT)
		return head_at(&file_heads, file);
	if (file < FRAMES_THING)
		return head_at(&jit_heads, file - FRAMES_FIRST_JIT);
	return &other_head;
}

/* The next frame with that key after *at (0 at first); its index, or 0. */
static u32 next_place(u32 file, u64 addr, u32 space, u32 *at)
{
	u32 hash = hash_of(file, addr, space), i;

	while ((i = index_next(&places, hash, at)) != INDEX_NONE)
		if (entries[i].addr == addr && entries[i].file == file && entries[i].space == space) {
			entries[i].used_at = now_tick;
			return i;
		}
	return 0;
}

u32 frames_find(u32 file, u64 addr, u32 space)
{
	u32 at = 0, i = next_place(file, addr, space, &at);

	if (i) {
		n_unwanted -= entries[i].unwanted;
		entries[i].unwanted = false;
	}
	return i ? entries[i].id : 0;
}

static const char *const line_states[] = {
	[LINES_NEW] = LINES_NOT_ASKED_TEXT, [LINES_WANTED] = LINES_ASKED_TEXT,
	[LINES_ASKED] = LINES_ASKED_TEXT, [LINES_DONE] = "known",
};

static struct frames_row *new_row(u32 id, u64 addr, bool has_lines)
{
	struct frames_row *r = row_new(TABLE_frames);

	r->id = id;
	r->addr = addr;
	r->line = r->start_line = U64_BLANK;
	r->inlined = 0;
	r->kind = str_new("unknown");
	if (has_lines)
		r->lines = str_new(line_states[LINES_NEW]);
	return r;
}

static u32 add_frame(u32 file, u64 addr, u32 space)
{
	bool has_lines = file != FRAMES_KERNEL && file < FRAMES_FIRST_JIT;
	u32 at, id, *head;

	if (!n_entries) {
		entries = grow(entries, 0, &cap_entries, sizeof(*entries));
		memset(&entries[0], 0, sizeof(*entries));
		n_entries = 1;
	}
	entries = grow(entries, n_entries, &cap_entries, sizeof(*entries));
	at = n_entries++;
	id = ++last_id;
	head = unnamed_head(file);
	entries[at] = (struct entry){ .id = id, .file = file, .space = space, .addr = addr,
				      .used_at = now_tick, .unnamed = true,
				      .next_unnamed = *head,
				      .lines = has_lines ? LINES_NEW : LINES_NONE,
				      .row = new_row(id, addr, has_lines) };
	index_add(&places, hash_of(file, addr, space), at);
	*head = id;
	return id;
}

/* One frame that stands for all beyond FRAMES_MAX. */
static u32 overflow_frame(void)
{
	u32 id;

	refused++;
	if (!overflow) {
		id = add_frame(FRAMES_RAW, 0, ~0u);
		frames_name(id, str_new("other frames"), str_new("unknown"), NULL);
		overflow = id;	/* from now on frames_name() ignores it */
	}
	return overflow;
}

u32 frames_intern(u32 file, u64 addr, u32 space)
{
	u32 id = frames_find(file, addr, space);

	if (id)
		return id;
	return n_entries < FRAMES_MAX ? add_frame(file, addr, space) : overflow_frame();
}

u64 frames_refused(void)
{
	return refused;
}

/* A row that snapshots reference is never changed: it is replaced by a copy. */
static struct frames_row *own_row(u32 id)
{
	struct entry *e = &entries[place_of(id)];

	return e->row = row_own(&e->row->row);
}

void frames_name(u32 id, const char *name, const char *kind, const char *reason)
{
	const struct entry *e = &entries[place_of(id)];
	struct frames_row *r;

	if (overflow && id == overflow) {
		str_put(name);
		str_put(kind);
		str_put(reason);
		return;
	}
	r = own_row(id);
	if (!name && reason && e->fallback) {
		name = str_get(e->fallback);
		str_put(reason);
		reason = NULL;
	}
	str_set(&r->name, name);
	str_set(&r->kind, kind);
	str_set(&r->reason, reason);
}

void frames_module(u32 id, const char *module, const char *build_id)
{
	struct frames_row *r;

	if (overflow && id == overflow) {
		str_put(module);
		str_put(build_id);
		return;
	}
	r = own_row(id);
	str_set(&r->module, module);
	str_set(&r->build_id, build_id);
}

u32 frames_next_unnamed(u32 file, u64 *ret_addr)
{
	u32 *head = unnamed_head(file), id = *head;
	struct entry *e;

	if (!id)
		return 0;
	e = &entries[place_of(id)];
	e->unnamed = false;
	*head = e->next_unnamed;
	*ret_addr = e->addr;
	return id;
}

bool frames_has_unnamed(u32 file)
{
	return *unnamed_head(file) != 0;
}

void frames_ask_again(u32 id)
{
	struct entry *e = &entries[place_of(id)];
	u32 *head = unnamed_head(e->file);

	e->unnamed = true;
	e->next_unnamed = *head;
	*head = id;
}

/* ---- source lines ---- */

enum frames_lines frames_lines(u32 id)
{
	u32 at = place_of(id);

	return at ? entries[at].lines : LINES_NONE;
}

void frames_set_lines(u32 id, enum frames_lines state)
{
	const char *says = line_states[state];
	struct entry *e = &entries[place_of(id)];

	e->lines = state;
	if (strcmp(e->row->lines, says))
		str_set(&own_row(id)->lines, str_new(says));
}

void frames_unwant_lines(u32 id)
{
	u32 at = place_of(id);

	if (at && entries[at].lines == LINES_WANTED)
		entries[at].lines = LINES_NEW;
}

void frames_lines_done(u32 id, const char *why)
{
	entries[place_of(id)].lines = LINES_DONE;
	str_set(&own_row(id)->lines, str_new(why ?: line_states[LINES_DONE]));
}

void frames_lines_failed(u32 file, const char *why)
{
	for (u32 i = 1; i < n_entries; i++)
		if (entries[i].file == file &&
		    (entries[i].lines == LINES_ASKED || entries[i].lines == LINES_WANTED))
			frames_lines_done(entries[i].id, why);
}

u32 frames_next(u32 id)
{
	u32 at = n_entries ? bisect(i, 1, n_entries, entries[i].id <= id) : 0;

	return at < n_entries ? entries[at].id : 0;
}

u32 frames_file(u32 id)
{
	return entries[place_of(id)].file;
}

bool frames_has_name(u32 id)
{
	u32 at = place_of(id);

	return at && entries[at].row->name;
}

u64 frames_addr(u32 id)
{
	return entries[place_of(id)].addr;
}

static bool is_pending(u32 at, bool lines)
{
	const struct entry *e = &entries[at];

	return (!e->row->name && !e->row->reason) ||
	       (lines && e->lines > LINES_NONE && e->lines < LINES_DONE);
}

u32 frames_pending(const u32 *ids, u32 n, bool lines)
{
	u32 pending = 0;

	for (u32 i = 1; !ids && i < n_entries; i++)
		pending += is_pending(i, lines);
	for (u32 i = 0; ids && i < n; i++)
		pending += place_of(ids[i]) && is_pending(place_of(ids[i]), lines);
	return pending;
}

void frames_source(u32 id, const char *file, u64 line, u64 start_line, const char *inlines,
		   const char *fallback)
{
	struct frames_row *r = own_row(id);

	str_set(&r->file, file);
	str_set(&r->inlines, inlines);
	str_set(&entries[place_of(id)].fallback, fallback);
	if (fallback && !r->name && r->reason) {	/* no symbol, but DWARF has a name */
		str_set(&r->name, str_get(fallback));
		str_set(&r->reason, NULL);
	}
	r->line = line;
	r->start_line = start_line;
}

/* Strings are interned and rows keep references, so equal strings have equal addresses. */
static u32 find_inlined(const struct frames_inlined *f, u64 key)
{
	for (u32 at = 0, i; (i = next_place(FRAMES_INLINED, key, f->in, &at));) {
		const struct frames_row *r = entries[i].row;

		if (r->name == f->name && r->file == f->file && r->line == f->line)
			return entries[i].id;
	}
	return 0;
}

static void put_strings(const struct frames_inlined *f)
{
	str_put(f->module);
	str_put(f->build_id);
	str_put(f->name);
	str_put(f->kind);
	str_put(f->file);
}

u32 frames_inlined(const struct frames_inlined *f)
{
	u64 key = ((uintptr_t)f->name * 31 + (uintptr_t)f->file) * 31 + f->line;
	u32 id = find_inlined(f, key);
	struct frames_row *r;

	if (id || n_entries >= FRAMES_MAX) {
		put_strings(f);
		refused += !id;
		return id;
	}
	id = add_frame(FRAMES_INLINED, key, f->in);
	r = entries[n_entries - 1].row;	/* in no snapshot yet */
	r->addr = U64_BLANK;	/* may be inlined at many addresses */
	r->inlined = 1;
	r->line = f->line;
	r->start_line = f->start_line;
	str_set(&r->module, f->module);
	str_set(&r->build_id, f->build_id);
	str_set(&r->name, f->name);
	str_set(&r->kind, f->kind);
	str_set(&r->file, f->file);
	if (!f->name)
		r->reason = str_new("its name is in another file (dwz)");
	return id;
}

void frames_fail(u32 file, const char *reason)
{
	for (u32 i = 1; i < n_entries; i++) {
		const struct frames_row *r = entries[i].row;

		if (entries[i].file == file && !r->name && !r->reason)
			frames_name(entries[i].id, NULL, str_get(r->kind), str_new(reason));
	}
}

void frames_drop_reasons(const char *prefix)
{
	for (u32 i = 1; i < n_entries; i++) {
		const struct frames_row *r = entries[i].row;

		if (r->name && r->reason && !strncmp(r->reason, prefix, strlen(prefix)))
			str_set(&own_row(entries[i].id)->reason, NULL);
	}
}

/* ---- eviction ---- */

void frames_room(u32 n)
{
	room = min(n ?: FRAMES_MAX, (u32)FRAMES_MAX);
}

u64 frames_evicted(void)
{
	return n_evicted;
}

void frames_unwanted(u32 id)
{
	u32 at = place_of(id);

	if (!at || entries[at].unwanted)
		return;
	entries[at].unwanted = true;
	n_unwanted++;
}

static u32 age_of(const struct entry *e)
{
	return min(now_tick - e->used_at, AGE_MAX - 1u);
}

/* Functions inlined in a frame that is kept are kept, too. */
static void use_inlined(u32 oldest)
{
	for (u32 i = 1; i < n_entries; i++) {
		const char *at = entries[i].row->inlines;
		u32 id;

		if (!at || age_of(&entries[i]) >= oldest)
			continue;
		while (frame_id_next(&at, &id))
			entries[place_of(id)].used_at = max(entries[place_of(id)].used_at, entries[i].used_at);
	}
}

/* Age in ticks up to which frames are kept, so that three quarters of the room are filled. */
static u32 oldest_to_keep(void)
{
	u32 of_age[AGE_MAX] = { 0 }, n = 0, age = 0;

	for (u32 i = 1; i < n_entries; i++)
		of_age[age_of(&entries[i])]++;
	while (age < AGE_MAX && (age < AGE_MIN || n + of_age[age] <= room / 4 * 3))
		n += of_age[age++];
	return age;
}

/* Rebuilds the lists of unnamed frames from the remaining entries, in the same order. */
static void relist_unnamed(void)
{
	for (u32 i = 0; i < file_heads.n; i++)
		file_heads.of[i] = 0;
	for (u32 i = 0; i < jit_heads.n; i++)
		jit_heads.of[i] = 0;
	other_head = 0;
	for (u32 i = 1; i < n_entries; i++) {
		u32 *head = unnamed_head(entries[i].file);

		if (!entries[i].unnamed)
			continue;
		entries[i].next_unnamed = *head;
		*head = entries[i].id;
	}
}

/* Evicts unwanted frames and, if there are too many, those in no stack for the longest time. */
static void evict(void)
{
	bool full = n_entries > room;
	u32 oldest, n = 1;

	if ((!full && n_unwanted < UNWANTED_MAX) || now_tick - evict_tick < EVICT_TICKS)
		return;
	evict_tick = now_tick;
	oldest = full ? oldest_to_keep() : AGE_MAX;
	use_inlined(oldest);
	for (u32 i = 1; i < n_entries; i++) {
		if (!entries[i].unwanted && (age_of(&entries[i]) < oldest || entries[i].id == overflow)) {
			entries[n++] = entries[i];
			continue;
		}
		row_put(&entries[i].row->row);
		str_put(entries[i].fallback);
		n_evicted += !entries[i].unwanted;
	}
	n_unwanted = 0;
	n_entries = cap_entries = n;
	entries = xrealloc(entries, n * sizeof(*entries));
	index_clear(&places);
	for (u32 i = 1; i < n; i++)
		index_add(&places, hash_of(entries[i].file, entries[i].addr, entries[i].space), i);
	relist_unnamed();
}

void frames_rows(struct builder *b)
{
	now_tick++;
	evict();
	for (u32 i = 1; i < n_entries; i++)
		builder_add(b, row_get(&entries[i].row->row));
}

void frames_clear(void)
{
	for (u32 i = 1; i < n_entries; i++) {
		row_put(&entries[i].row->row);
		str_put(entries[i].fallback);
	}
	free(entries);
	index_free(&places);
	free(file_heads.of);
	free(jit_heads.of);
	entries = NULL;
	file_heads = jit_heads = (struct heads){};
	n_entries = cap_entries = other_head = overflow = n_unwanted = 0;
	if (last_id > FRAME_IDS - FRAMES_MAX)	/* readers reject larger numbers */
		last_id = 0;
}
