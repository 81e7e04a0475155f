// SPDX-License-Identifier: GPL-2.0-or-later
/* user_walk.c: see user_walk.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/arena.h"
#include "bpf/stacks/aside.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/rules.h"
#include "bpf/stacks/mappings.h"
#include "bpf/stacks/user_walk.h"
#include "symbolizer/unwind.h"

#define MAX_WAITING 1024	/* for a second or so; about 9 KiB each, up to 29 */
#define GIVE_UP_NS (3 * NSEC_PER_SEC)

struct waiting {
	u64 since_ns;
	struct wire_copy *copy;
};

static struct waiting waiting[MAX_WAITING];
static u32 n_waiting;
static size_t waiting_bytes;	/* at most WALK_MAX_BYTES */

/* ---- bpf/stacks/walk.h outside of the kernel ---- */

#undef __always_inline
#define __always_inline inline __attribute__((always_inline))

static __always_inline const struct arena_line *arena_line(u32 line)
{
	return line < ASIDE_FIRST ? arena_at(line) : aside_line(line);
}

static __always_inline const struct unw_info *unwind_rule(u32 number)
{
	return rules_info(number);
}

/* User space may have the whole table aside where the arena has a part. */
static u32 table_of(const struct arena_line *m)
{
	u32 table = MAPPING_TABLE(m);

	return table == TABLE_NO_ROOM || table >= TABLE_FIRST ? aside_table(MAPPING_FILE(m)) ?: table : table;
}
#define WALK_TABLE(m) table_of(m)

#include "bpf/stacks/walk.h"

/* Was the page of that address copied? */
static bool is_there(const struct wire_copy *c, u64 addr)
{
	u64 page = (addr >> 12) - (c->from >> 12);

	return page < COPY_PAGES && !(c->holes >> page & 1);
}

static __always_inline bool walk_read(struct walk_ctx *c, void *to, u32 n, u64 addr)
{
	u64 at = addr - c->copy->from, in_code = addr - (c->copy->regs.pc - 1);

	if (in_code < c->copy->code_bytes && n <= c->copy->code_bytes - in_code) {
		memcpy(to, c->copy->code + in_code, n);
		return true;
	}
	if (at > c->copy->bytes || n > c->copy->bytes - at || !is_there(c->copy, addr) ||
	    !is_there(c->copy, addr + n - 1))
		return false;
	memcpy(to, c->copy->stack + at, n);
	return true;
}

static void walk_user(struct walk *w, const struct wire_copy *copy, u32 first, u32 n)
{
	struct walk_ctx c = { .w = w, .first = first, .n = n, .copy = copy };

	walk_begin(w);
	w->r = copy->regs;
	for (u32 i = 0; i <= MAX_FRAMES && !walk_step(i, &c); i++)
		;
	if (w->end == WALK_BAD_READ && copy->bytes > COPY_BYTES - 4096)
		w->end = WALK_SHORT_COPY;
}

/* ---- samples ---- */

/* The process is unknown: only the leaf. */
static void walk_nothing(struct walk *w, const struct wire_copy *c, u32 end)
{
	walk_begin(w);
	w->frames[0] = FRAME_ADDR(c->regs.pc);
	w->n = 1;
	w->end = end;
}

/* False: it needs a pending table. */
static bool walk_now(const struct wire_copy *c, struct walk *w)
{
	struct process_mappings p;

	if (!mappings_find(c->s.tgid, c->s.start_ns, c->s.exec_id, &p)) {
		walk_nothing(w, c, WALK_NEW_PROCESS);
		return true;
	}
	if (p.ended) {
		walk_nothing(w, c, WALK_ENDED);
		return true;
	}
	walk_user(w, c, p.first, p.n);
	return w->end != WALK_NEW_FILE && w->end != WALK_NEW_CODE;
}

static void pass_on(const struct wire_copy *c, const struct walk *w, walked_fn done)
{
	static struct { struct wire_sample s; u64 frames[2 * MAX_FRAMES]; } out;

	out.s = c->s;
	out.s.copied = 0;
	out.s.n_user = (u16)w->n;
	out.s.end = (u16)w->end;
	out.s.miss = w->miss;
	memcpy(out.s.frames, w->frames, w->n * sizeof(u64));
	memcpy(out.s.frames + w->n, c->kernel, c->s.n_kernel * sizeof(u64));
	done(&out.s);
}

/* ---- waiting copies ---- */

static size_t size_of(const struct wire_copy *c)
{
	return offsetof(struct wire_copy, stack) + c->bytes;
}

/* False: no room. Half is reserved for CPU samples, as there are many waits. */
static bool keep(const struct wire_copy *c)
{
	u32 part = c->s.kind == SAMPLE_CPU ? 1 : 2;
	size_t n = size_of(c);
	struct wire_copy *copy;

	if (n_waiting >= MAX_WAITING / part || waiting_bytes + n > WALK_MAX_BYTES / part)
		return false;
	copy = xmalloc(n);
	memcpy(copy, c, n);
	waiting[n_waiting++] = (struct waiting){ boottime_ns(), copy };
	waiting_bytes += n;
	return true;
}

static void drop(struct wire_copy *c)
{
	waiting_bytes -= size_of(c);
	free(c);
}

/* True: the walk is finished. False: it stopped at a file without a table, which is requested. */
static bool try(const struct wire_copy *c, struct walk *w)
{
	/* a file that cannot be opened is found at once: continues with the next one */
	for (int i = 0; i <= MAX_FRAMES; i++) {
		if (walk_now(c, w))
			return true;
		if (mappings_want_table(c->s.tgid, w->miss))
			return false;
		mappings_install();
	}
	return false;
}

void walk_copied(const struct wire_copy *c, walked_fn done)
{
	static struct walk w;

	mappings_install();
	if (try(c, &w) || !keep(c))
		pass_on(c, &w, done);
}

static void walk_all(walked_fn done, u64 give_up_before_ns)
{
	static struct walk w;
	u32 out = 0;

	for (u32 i = 0; i < n_waiting; i++) {
		struct waiting *s = &waiting[i];

		if (!try(s->copy, &w) && s->since_ns >= give_up_before_ns) {
			waiting[out++] = *s;
			continue;
		}
		pass_on(s->copy, &w, done);
		drop(s->copy);
	}
	n_waiting = out;
}

void walk_waiting(walked_fn done)
{
	static u64 answers;	/* number of answers at the last attempt; survives reopening */
	u64 before = boottime_ns() - GIVE_UP_NS;

	if (!n_waiting || (answers == files_answers() + mappings_answers() && waiting[0].since_ns >= before))
		return;
	answers = files_answers() + mappings_answers();
	walk_all(done, before);
}

void walk_give_up(walked_fn done)
{
	walk_all(done, UINT64_MAX);
}
