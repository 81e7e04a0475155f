// SPDX-License-Identifier: GPL-2.0-or-later
/* frames.c: see frames.h. Rows are made anew only when a name arrives; else they are shared. */
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/frames.h"

struct entry {
	u32 file, space;
	u64 addr;
	u32 next_in_hash;
	u32 next_unnamed;	/* of the same file */
	enum frames_lines lines;
	const char *fallback;	/* a name, where no symbol has one */
	struct frames_row *row;
};

static struct entry *entries;	/* [0] is none */
static u32 n_entries, cap_entries;
static u32 *hash;
static u32 hash_size;
/* heads of the lists of frames without a name: by file, by memory of a process, and of all others */
static struct heads { u32 *of, n; } file_heads, jit_heads;
static u32 other_head;
static u32 overflow;
static u64 refused;

static u32 slot_of(u32 file, u64 addr, u32 space)
{
	u64 h = (addr ^ (u64)file << 40 ^ (u64)space << 20) * 0x9e3779b97f4a7c15ull;

	return (u32)(h >> 32) & (hash_size - 1);
}

static void rehash(void)
{
	hash_size = hash_size ? hash_size * 2 : 4096;
	free(hash);
	hash = xcalloc(hash_size, sizeof(*hash));
	for (u32 i = 1; i < n_entries; i++) {
		u32 s = slot_of(entries[i].file, entries[i].addr, entries[i].space);

		entries[i].next_in_hash = hash[s];
		hash[s] = i;
	}
}

static u32 *head_at(struct heads *h, u32 i)
{
	if (i >= h->n) {
		u32 n = max(i + 1, max(h->n * 2, 256u));

		h->of = xrealloc(h->of, n * sizeof(*h->of));
		memset(h->of + h->n, 0, (n - h->n) * sizeof(*h->of));
		h->n = n;
	}
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

u32 frames_find(u32 file, u64 addr, u32 space)
{
	if (!hash_size)
		return 0;
	for (u32 i = hash[slot_of(file, addr, space)]; i; i = entries[i].next_in_hash)
		if (entries[i].addr == addr && entries[i].file == file && entries[i].space == space)
			return i;
	return 0;
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
	u32 id, *head, s;

	if (!n_entries) {
		entries = grow(entries, 0, &cap_entries, sizeof(*entries));
		memset(&entries[0], 0, sizeof(*entries));
		n_entries = 1;
	}
	if (n_entries >= hash_size)
		rehash();
	entries = grow(entries, n_entries, &cap_entries, sizeof(*entries));
	id = n_entries++;
	head = unnamed_head(file);
	s = slot_of(file, addr, space);
	entries[id] = (struct entry){ .file = file, .space = space, .addr = addr,
				      .next_in_hash = hash[s], .next_unnamed = *head,
				      .lines = has_lines ? LINES_NEW : LINES_NONE,
				      .row = new_row(id, addr, has_lines) };
	hash[s] = id;
	*head = id;
	return id;
}

/* One frame stands for all that came too late. */
static u32 overflow_frame(void)
{
	u32 id;

	refused++;
	if (!overflow) {
		id = add_frame(FRAMES_RAW, 0, ~0u);
		frames_name(id, str_new("other frames"), str_new("unknown"), NULL);
		overflow = id;	/* from now on it keeps that name */
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

/* A row that snapshots hold is never changed: a copy takes its place. */
static struct frames_row *own_row(u32 id)
{
	return entries[id].row = row_own(&entries[id].row->row);
}

void frames_name(u32 id, const char *name, const char *kind, const char *reason)
{
	struct frames_row *r;

	if (overflow && id == overflow) {
		str_put(name);
		str_put(kind);
		str_put(reason);
		return;
	}
	r = own_row(id);
	if (!name && reason && entries[id].fallback) {
		name = str_get(entries[id].fallback);
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

	if (!id)
		return 0;
	*head = entries[id].next_unnamed;
	*ret_addr = entries[id].addr;
	return id;
}

bool frames_has_unnamed(u32 file)
{
	return *unnamed_head(file) != 0;
}

void frames_ask_again(u32 id)
{
	u32 *head = unnamed_head(entries[id].file);

	entries[id].next_unnamed = *head;
	*head = id;
}

/* ---- source lines ---- */

enum frames_lines frames_lines(u32 id)
{
	return id && id < n_entries ? entries[id].lines : LINES_NONE;
}

void frames_set_lines(u32 id, enum frames_lines state)
{
	const char *says = line_states[state];

	entries[id].lines = state;
	if (strcmp(entries[id].row->lines, says))
		str_set(&own_row(id)->lines, str_new(says));
}

void frames_lines_done(u32 id, const char *why)
{
	entries[id].lines = LINES_DONE;
	str_set(&own_row(id)->lines, str_new(why ?: line_states[LINES_DONE]));
}

void frames_lines_failed(u32 file, const char *why)
{
	for (u32 i = 1; i < n_entries; i++)
		if (entries[i].file == file &&
		    (entries[i].lines == LINES_ASKED || entries[i].lines == LINES_WANTED))
			frames_lines_done(i, why);
}

u32 frames_end(void)
{
	return n_entries;
}

u32 frames_file(u32 id)
{
	return entries[id].file;
}

bool frames_has_name(u32 id)
{
	return entries[id].row->name != NULL;
}

u64 frames_addr(u32 id)
{
	return entries[id].addr;
}

static bool is_pending(u32 id, bool lines)
{
	const struct entry *e = &entries[id];

	return (!e->row->name && !e->row->reason) ||
	       (lines && e->lines > LINES_NONE && e->lines < LINES_DONE);
}

u32 frames_pending(const u32 *ids, u32 n, bool lines)
{
	u32 pending = 0;

	for (u32 i = 1; !ids && i < n_entries; i++)
		pending += is_pending(i, lines);
	for (u32 i = 0; ids && i < n; i++)
		pending += ids[i] && ids[i] < n_entries && is_pending(ids[i], lines);
	return pending;
}

void frames_source(u32 id, const char *file, u64 line, u64 start_line, const char *inlines,
		   const char *fallback)
{
	struct frames_row *r = own_row(id);

	str_set(&r->file, file);
	str_set(&r->inlines, inlines);
	str_set(&entries[id].fallback, fallback);
	if (fallback && !r->name && r->reason) {	/* DWARF knows what no symbol says */
		str_set(&r->name, str_get(fallback));
		str_set(&r->reason, NULL);
	}
	r->line = line;
	r->start_line = start_line;
}

/* Strings are interned, and rows keep theirs: equal means the same address. */
static u32 find_inlined(const struct frames_inlined *f, u64 key)
{
	if (!hash_size)
		return 0;
	for (u32 i = hash[slot_of(FRAMES_INLINED, key, f->in)]; i; i = entries[i].next_in_hash) {
		const struct frames_row *r = entries[i].row;

		if (entries[i].file == FRAMES_INLINED && entries[i].space == f->in &&
		    r->name == f->name && r->file == f->file && r->line == f->line)
			return i;
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
	r = entries[id].row;	/* in no snapshot yet */
	r->addr = U64_BLANK;	/* it may have many */
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
			frames_name(i, NULL, str_get(r->kind), str_new(reason));
	}
}

void frames_drop_reasons(const char *prefix)
{
	for (u32 i = 1; i < n_entries; i++) {
		const struct frames_row *r = entries[i].row;

		if (r->name && r->reason && !strncmp(r->reason, prefix, strlen(prefix)))
			str_set(&own_row(i)->reason, NULL);
	}
}

void frames_rows(struct builder *b)
{
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
	free(hash);
	free(file_heads.of);
	free(jit_heads.of);
	entries = NULL;
	hash = NULL;
	file_heads = jit_heads = (struct heads){};
	n_entries = cap_entries = hash_size = other_head = overflow = 0;
}
