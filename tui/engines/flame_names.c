// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flame_names.c: maps frames to functions. Frames are addresses, functions are drawn: all frames of
 * one name in one module are one function. A frame without a name is a function of its own until
 * its name arrives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/engines/flame.h"

#define FRAMES_MAX (1u << 22)	/* larger numbers are drawn, but never named */

static const struct {
	const char *in_schema, *short_name;
} kinds[N_FLAME_KINDS] = {
	[FLAME_USER] = { "user", "user" }, [FLAME_CPP] = { "c++", "C++" }, [FLAME_RUST] = { "rust", "Rust" },
	[FLAME_LIBRARY] = { "library", "lib" }, [FLAME_KERNEL] = { "kernel", "kernel" },
	[FLAME_JIT] = { "jit", "JIT" }, [FLAME_INTERP] = { "interp", "interp" },
	[FLAME_UNKNOWN] = { "unknown", "?" }, [FLAME_GROUP] = { NULL, "" }, [FLAME_CUT] = { NULL, "cut" },
};

const char *flame_kind_name(u32 kind)
{
	return kinds[kind].short_name;
}

const char *flame_fn_text(const struct flame_fn *fn)
{
	return fn->text ? fn->text : fn->row ? fn->row->name : "";
}

static bool has_name(const struct frames_row *r)
{
	return r->name && *r->name;
}

/* Has its name, or the reason for having none. */
static bool is_settled(const struct frames_row *r)
{
	return has_name(r) || (r->reason && *r->reason);
}

static u32 kind_of(const struct frames_row *r)
{
	for (u32 i = 0; r->kind && i < FLAME_UNKNOWN; i++)
		if (!strcmp(r->kind, kinds[i].in_schema))
			return i;
	return FLAME_UNKNOWN;
}

static u64 hash_text(u64 h, const char *s)
{
	for (; s && *s; s++)
		h = (h ^ (u8)*s) * 0x100000001b3ull;
	return (h ^ 0xff) * 0x100000001b3ull;
}

/* ---- functions --------------------------------------------------------------------- */

static u32 hash_of(u64 key, u64 key2)
{
	return index_fold(key ^ key2 * 0x9e3779b97f4a7c15ull);
}

/* The function of the key; *ret_new: just created, and empty. */
static u32 intern(struct flame_names *n, u64 key, u64 key2, bool *ret_new)
{
	u32 hash = hash_of(key, key2), at = 0, i;

	*ret_new = false;
	while ((i = index_next(&n->by_key, hash, &at)) != INDEX_NONE)
		if (n->fns[i].key[0] == key && n->fns[i].key[1] == key2)
			return i;
	*ret_new = true;
	i = n->n_spare ? n->spare[--n->n_spare] : n->n++;
	n->fns = grow(n->fns, i, &n->cap, sizeof(*n->fns));
	n->fns[i] = (struct flame_fn){ .key = { key, key2 }, .frame = FLAME_NONE };
	index_add(&n->by_key, hash, i);
	return i;
}

void flame_names_keep(struct flame_names *n, bool *used)
{
	for (u32 i = 0; i < n->n; i++)
		if (used[i])
			used[n->fns[i].group] = true;
	n->spare = xrealloc(n->spare, n->n * sizeof(*n->spare));
	n->n_spare = 0;
	index_clear(&n->by_key);
	for (u32 i = n->n; i-- > 0;) {	/* lowest numbers are reused first */
		struct flame_fn *fn = &n->fns[i];

		if (used[i]) {
			index_add(&n->by_key, hash_of(fn->key[0], fn->key[1]), i);
			continue;
		}
		row_put(fn->row ? &fn->row->row : NULL);
		free(fn->text);
		*fn = (struct flame_fn){ .kind = FLAME_GROUP, .named = true, .frame = FLAME_NONE, .looked_at = true,
					 .spare = true };
		n->spare[n->n_spare++] = i;
	}
}

/*
 * Functions that wait by design. A futex waits for work, unless it is a lock with a known holder.
 */
static u8 wait_of(const char *name)
{
	static const char *const idle[] = {
		"ep_poll", "do_epoll_wait", "do_sys_poll", "do_poll", "do_select", "core_sys_select",
		"hrtimer_nanosleep", "do_nanosleep", "clock_nanosleep", "common_nsleep", "do_wait",
		"inet_csk_accept", "unix_accept", "do_sigtimedwait", "sigsuspend", "io_cqring_wait",
		"do_accept", "kthread_worker_fn", "worker_thread", "smpboot_thread_fn", "rcu_gp_kthread",
		"rcu_gp_fqs_loop", "rcu_tasks_one_gp", "poll_schedule_timeout.constprop.0",
	};

	if (!strcmp(name, "kthread"))
		return FLAME_KTHREAD;
	if (strstr(name, "mutex_lock") || strstr(name, "lll_lock") || strstr(name, "rwlock_"))
		return FLAME_LOCK;
	if (!strcmp(name, "futex_wait") || !strcmp(name, "futex_wait_queue"))
		return FLAME_FUTEX;
	for (u32 i = 0; i < ARRAY_SIZE(idle); i++)
		if (!strcmp(name, idle[i]))
			return FLAME_IDLE;
	return FLAME_NO_WAIT;
}

/* "node: names with ...", a hint at the end of a reason (bpf/stacks/hints.h); NULL: none. */
static const char *hint_of(const struct frames_row *r)
{
	const char *says = r->reason ? strstr(r->reason, ": names with ") : NULL;

	while (says && says > r->reason && says[-1] != ';')
		says--;
	return says ? says + (*says == ' ') : NULL;
}

/* "_PyEval_EvalFrameDefault (python: names with -X perf)"; NULL: the name without a hint. */
static char *named_text(const struct frames_row *r)
{
	const char *hint = hint_of(r);

	return hint ? xasprintf("%s (%s)", r->name, hint) : NULL;
}

static char *plain_text(const struct frames_row *r)
{
	const char *slash = r->module ? strrchr(r->module, '/') : NULL;
	const char *module = slash ? slash + 1 : r->module;

	if (!module || !*module)
		return u64_known(r->addr) ? xasprintf("0x%llx", (unsigned long long)r->addr) :
					    xasprintf("frame %llu", (unsigned long long)r->id);
	if (!u64_known(r->addr))
		return xstrdup(module);
	return xasprintf("%s+0x%llx", module, (unsigned long long)r->addr);
}

static char *unnamed_text(const struct frames_row *r)
{
	const char *hint = hint_of(r);

	if (hint && u64_known(r->addr))
		return xasprintf("%s (0x%llx)", hint, (unsigned long long)r->addr);
	return plain_text(r);
}

static u32 fn_of_row(struct flame_names *n, const struct frames_row *r)
{
	bool is_new, named = has_name(r);
	u64 key = 0xcbf29ce484222325ull;
	struct flame_fn *fn;
	u32 id;

	key = hash_text(hash_text(hash_text(key, r->name), r->module), r->kind);
	id = named ? intern(n, key, r->inlined == 1, &is_new) : intern(n, r->id, ~0ull, &is_new);
	fn = &n->fns[id];
	if (!is_new && fn->row && fn->row->id != r->id && (fn->row->file || !r->file) && named)
		return id;
	ROW_KEEP(fn->row, r);
	fn->named = named;
	fn->kernel = text_is(r->kind, "kernel") || text_is(r->module, "[kernel]");
	fn->kind = named ? kind_of(r) : FLAME_UNKNOWN;
	fn->inlined = r->inlined == 1;
	if (!frame_is_code(r)) {
		fn->kind = FLAME_GROUP;
		fn->kernel = false;
	}
	free(fn->text);
	fn->text = named ? named_text(r) : unnamed_text(r);
	if (named) {
		fn->wait = wait_of(r->name);
		fn->glue = fn->kind < FLAME_UNKNOWN && !fn->kernel ? flame_glue_of(r->name) : 0;
		return id;
	}
	fn->frame = (u32)r->id;
	return id;
}

u32 flame_names_group(struct flame_names *n, enum flame_kind kind, u64 key, u64 key2, const char *text)
{
	bool is_new;
	u32 id = intern(n, hash_text(key * 31 + kind, NULL), key2 ^ 0x5851f42d4c957f2dull, &is_new);
	struct flame_fn *fn = &n->fns[id];

	fn->kind = (u8)kind;
	fn->named = true;
	if (!fn->text || strcmp(fn->text, text)) {
		free(fn->text);
		fn->text = xstrdup(text);
	}
	return id;
}

u32 flame_names_now(const struct flame_names *n, u32 fn)
{
	const struct flame_frame *f = n->fns[fn].named ? NULL : flame_frame_of(n, n->fns[fn].frame);

	return f ? f->fn : fn;
}

/* ---- frames ------------------------------------------------------------------------- */

static struct flame_frame *reach(struct flame_names *n, u32 id)
{
	struct flame_frame **block;

	while (n->n_frames <= id) {
		n->frames = grow(n->frames, n->n_frames / FLAME_BLOCK, &n->cap_blocks, sizeof(*n->frames));
		n->frames[n->n_frames / FLAME_BLOCK] = NULL;
		n->n_frames += FLAME_BLOCK;
	}
	block = &n->frames[id / FLAME_BLOCK];
	if (!*block) {
		*block = xmalloc(FLAME_BLOCK * sizeof(**block));
		for (u32 i = 0; i < FLAME_BLOCK; i++)
			(*block)[i] = (struct flame_frame){ .fn = FLAME_NONE };
	}
	return &(*block)[id % FLAME_BLOCK];
}

/* Strings are interned, so unchanged rows are recognized by their pointers. */
static bool says_the_same(const struct frames_row *a, const struct frames_row *b)
{
	return a->name == b->name && a->module == b->module && a->kind == b->kind &&
	       a->reason == b->reason && a->file == b->file && a->line == b->line &&
	       a->inlined == b->inlined && a->inlines == b->inlines &&
	       a->start_line == b->start_line && a->lines == b->lines;
}

/* Keeps names that older snapshots lack. A frame in no stack keeps only its row: rarely drawn. */
static bool learn(struct flame_names *n, const struct frames_row *r)
{
	struct flame_frame *f;
	bool known, settled, other;
	u32 fn;

	if (r->id >= FRAMES_MAX)
		return false;
	f = reach(n, (u32)r->id);
	if (!f->used) {
		if (!f->row || has_name(r) || !has_name(f->row))
			ROW_KEEP(f->row, r);
		return false;
	}
	if (f->row && says_the_same(f->row, r)) {	/* the newer row is kept in memory anyway */
		ROW_KEEP(f->row, r);
		if (n->fns[f->fn].row && n->fns[f->fn].row->id == r->id)
			ROW_KEEP(n->fns[f->fn].row, r);
		return false;
	}
	known = f->row && has_name(f->row);
	if (known && !has_name(r))
		return false;
	fn = fn_of_row(n, r);
	other = f->used && (f->fn != fn || (f->row && f->row->inlines != r->inlines));
	settled = f->row && is_settled(f->row);
	n->n_used_known += f->used * (is_settled(r) - settled);
	ROW_KEEP(f->row, r);
	f->fn = fn;
	return other;
}

bool flame_names_update(struct flame_names *n, const struct snapshot *s)
{
	const struct table *t = &s->tables[TABLE_frames];
	bool other = false;

	if (t->n > n->n_seen) {
		n->seen = xrealloc(n->seen, t->n * sizeof(*n->seen));
		memset(n->seen + n->n_seen, 0, (t->n - n->n_seen) * sizeof(*n->seen));
		n->n_seen = t->n;
	}
	while (n->n_seen > t->n)	/* the collector evicted some */
		row_put(n->seen[--n->n_seen]);
	for (u32 i = 0; i < t->n; i++) {
		if (n->seen[i] == t->rows[i])
			continue;
		ROW_KEEP(n->seen[i], t->rows[i]);
		other |= learn(n, frames_row(t->rows[i]));
	}
	return other;
}

u32 flame_names_frame(struct flame_names *n, u32 id)
{
	struct flame_frame *f;
	char text[32];

	if (id >= FRAMES_MAX) {
		snprintf(text, sizeof(text), "frame %u", id);
		return flame_names_group(n, FLAME_UNKNOWN, id, 1, text);
	}
	f = reach(n, id);
	if (!f->used) {
		f->used = true;
		n->n_used++;
		n->n_used_known += f->row && is_settled(f->row);
	}
	if (f->fn == FLAME_NONE && f->row)
		f->fn = fn_of_row(n, f->row);
	if (f->fn == FLAME_NONE) {	/* its row is not in the snapshot */
		snprintf(text, sizeof(text), "frame %u", id);
		f->fn = flame_names_group(n, FLAME_UNKNOWN, id, 1, text);
		n->fns[f->fn].named = false;
		n->fns[f->fn].frame = id;
	}
	return f->fn;
}

u32 flame_names_inlined(const struct flame_names *n, u32 id, u32 *ids, u32 cap)
{
	const struct flame_frame *f = flame_frame_of(n, id);

	return f && f->row && f->row->inlines ? flame_parse_ids(f->row->inlines, ids, cap) : 0;
}

/* ---- life ---------------------------------------------------------------------------- */

void flame_names_init(struct flame_names *n)
{
	*n = (struct flame_names){ 0 };
	flame_names_group(n, FLAME_GROUP, 0, 0, "all");
}

/* Forgets frames of a block not in `keep` (NULL: all); frees an empty block. */
static void block_forget(struct flame_names *n, struct flame_frame **block, const bool *keep)
{
	u32 left = 0;

	for (u32 i = 0; i < FLAME_BLOCK; i++) {
		struct flame_frame *f = &(*block)[i];

		if (!keep || !keep[i]) {
			n->n_used -= f->used;
			n->n_used_known -= f->used && f->row && is_settled(f->row);
			row_put(f->row ? &f->row->row : NULL);
			*f = (struct flame_frame){ .fn = FLAME_NONE };
		}
		left += f->row || f->fn != FLAME_NONE;
	}
	if (left)
		return;
	free(*block);
	*block = NULL;
}

void flame_names_forget(struct flame_names *n, const bool *keep)
{
	for (u32 i = 0; i < n->n_frames; i += FLAME_BLOCK)
		if (n->frames[i / FLAME_BLOCK])
			block_forget(n, &n->frames[i / FLAME_BLOCK], keep ? keep + i : NULL);
}

static void drop_frames(struct flame_names *n)
{
	flame_names_forget(n, NULL);
	for (u32 i = 0; i < n->n_seen; i++)
		row_put(n->seen[i]);
	free(n->frames);
	free(n->seen);
	n->frames = NULL;
	n->seen = NULL;
	n->n_frames = n->cap_blocks = n->n_seen = n->n_used = n->n_used_known = 0;
}

void flame_names_rest(struct flame_names *n, bool *used)
{
	u32 last = FLAME_ROOT, above = 0;

	drop_frames(n);
	for (u32 i = 0; i < n->n; i++) {
		used[i] |= i == FLAME_ROOT || n->fns[i].open || n->fns[i].kept;
		last = used[i] ? max(max(i, last), n->fns[i].group) : last;
	}
	index_free(&n->by_key);
	flame_names_keep(n, used);
	while (above < n->n_spare && n->spare[above] > last)	/* sorted, highest first */
		above++;
	n->n_spare -= above;
	memmove(n->spare, n->spare + above, n->n_spare * sizeof(*n->spare));
	n->n = n->cap = last + 1;
	n->fns = xrealloc(n->fns, n->cap * sizeof(*n->fns));
}

void flame_names_free(struct flame_names *n)
{
	for (u32 i = 0; i < n->n; i++) {
		row_put(n->fns[i].row ? &n->fns[i].row->row : NULL);
		free(n->fns[i].text);
	}
	drop_frames(n);
	free(n->fns);
	index_free(&n->by_key);
	free(n->spare);
	*n = (struct flame_names){ 0 };
}
