// SPDX-License-Identifier: GPL-2.0-or-later
/* jvm.c: see jvm.h. Frames: OpenJDK, src/hotspot/cpu/x86/frame_x86.cpp, sender_for_*_frame(). */
#include <stdlib.h>
#include <string.h>

#include "bpf/helpers/opener.h"
#include "bpf/host/procfs.h"
#include "bpf/stacks/arena.h"
#include "bpf/stacks/rules.h"
#include "bpf/stacks/jvm.h"
#include "symbolizer/unwind.h"

#define FIRST_WAIT_NS (NSEC_PER_SEC / 10)	/* before it is read again; backs off */
#define LAST_WAIT_NS (2 * NSEC_PER_SEC)
#define STALE_NS (2 * NSEC_PER_SEC)
#define PACE 50			/* reading takes at most 1/PACE of a CPU */

struct jvm {
	u32 pid;
	u64 start_ns, base;	/* of libjvm.so */
	struct hotspot_layout layout;
	u32 table, n_code;
	u64 low, high;		/* of its code */
	bool asked, wanted, used;
	bool read, none;	/* was read; is no known HotSpot */
	u64 read_ns, wait_ns;
};

struct jvm *jvm_new(u32 pid, u64 start_ns, u64 base)
{
	struct jvm *j = xcalloc(1, sizeof(*j));

	*j = (struct jvm){ .pid = pid, .start_ns = start_ns, .base = base };
	return j;
}

void jvm_free(struct jvm *j)
{
	if (j)
		arena_free(j->table);
	free(j);
}

static u64 base_of(const struct jvm *j)
{
	return j->low & ~((1ull << UNW_PAGE_BITS) - 1);
}

u32 jvm_table(const struct jvm *j, u64 start, u64 end, u64 *ret_base)
{
	if (j->none)
		return TABLE_ABSENT;
	if (!j->read)
		return TABLE_PENDING;
	if (start >= j->high || end <= j->low)
		return TABLE_ABSENT;
	*ret_base = base_of(j);
	return start < base_of(j) ? TABLE_ABSENT : j->table ?: TABLE_NO_ROOM;
}

bool jvm_want(struct jvm *j)
{
	j->wanted |= !j->none;
	return j->wanted;
}

void jvm_used(struct jvm *j)
{
	j->used = true;
}

void jvm_drain(struct jvm *j)
{
	struct opener_job job = { .kind = READ_HOTSPOT, .pid = procfs_living(j->pid), .id = j->pid,
				  .start_ns = j->start_ns, .addr = j->base, .layout = j->layout, .fd = -1 };
	u64 since = boottime_ns() - j->read_ns;

	j->wanted |= j->used && since > STALE_NS;
	if (j->wanted && !j->asked && since >= j->wait_ns && !opener_ask(&job)) {
		j->asked = true;
		j->wanted = j->used = false;
	}
}

/* ---- the table ---- */

struct table {
	u64 base;
	u32 *rows, *firsts;	/* of each page */
	u32 n, cap, page, pages;
	u32 last;		/* current rule */
};

static void put_row(struct table *t, u32 lo, u32 rule)
{
	t->rows = grow(t->rows, t->n, &t->cap, sizeof(*t->rows));
	t->rows[t->n++] = UNW_ROW(lo, rule);
}

/* Adds a row: the rule applies from pc on. In order of address. */
static void put(struct table *t, u64 pc, u32 rule)
{
	u32 page = (u32)((pc - t->base) >> UNW_PAGE_BITS);

	while (t->page < page) {
		t->firsts[++t->page] = t->n;
		put_row(t, 0, t->last);
	}
	t->last = rule;
	if ((t->rows[t->n - 1] & 0xffff) == (pc & 0xffff))
		t->rows[t->n - 1] = UNW_ROW(pc, rule);
	else
		put_row(t, (u32)pc, rule);
}

static u32 number_of(struct unw_info info)
{
	int n = rules_number(&info);

	return n < 0 ? UNW_INFO_NONE : (u32)n;
}

static void put_code(struct table *t, const struct hotspot_code *c)
{
	struct unw_info none = {}, before = { .cfa = UNW_CFA_SP, .cfa_off = 8 };
	struct unw_info frame = { .cfa = UNW_CFA_SP, .cfa_off = (s32)c->frame_bytes };
	struct unw_info interpreted = { .cfa = UNW_CFA_FP, .cfa_off = 16, .fp = UNW_FP_CFA, .fp_off = -16,
					.reg = UNW_FP_SENDER };

	if (c->frame_bytes >= 16) {
		frame.fp = UNW_FP_CFA;
		frame.fp_off = -16;
	}
	if (c->kind == HOTSPOT_COMPILED) {
		if (c->complete)
			put(t, c->begin, number_of(before));
		put(t, c->begin + c->complete, number_of(frame));
	} else {
		put(t, c->begin, number_of(c->kind == HOTSPOT_INTERPRETER ? interpreted : none));
	}
}

/* Rows for all code; gaps get the rule `unknown`. */
static void make_rows(struct table *t, const struct hotspot *h)
{
	u32 unknown = number_of((struct unw_info){ .cfa = UNW_CFA_UNKNOWN });
	u64 end = t->base;

	t->last = unknown;
	put_row(t, 0, unknown);
	for (u32 i = 0; i < h->n; i++) {
		const struct hotspot_code *c = &h->code[i];

		if (c->begin < end || c->end > h->high)
			continue;
		put_code(t, c);
		if (c->end < h->high)	/* else there is no further page */
			put(t, c->end, unknown);
		end = c->end;
	}
	if ((h->high - 1 - t->base) >> UNW_PAGE_BITS > t->page)
		put(t, h->high - 1, unknown);
}

/* Its first line in the arena, or 0. */
static u32 write_table(const struct table *t)
{
	u32 words = 1 + t->pages + (t->n + 1) / 2, first = arena_alloc((words + 3) / 4);
	u64 *to = (u64 *)arena_at(first);

	if (!first)
		return 0;
	to[0] = (u64)UNW_MAGIC << 32 | t->pages;
	for (u32 i = 0; i < t->pages; i++)
		to[1 + i] = (u64)t->firsts[i] << 32 | ((i + 1 < t->pages ? t->firsts[i + 1] : t->n) - t->firsts[i]);
	to[words - 1] = 0;
	memcpy(to + 1 + t->pages, t->rows, t->n * sizeof(*t->rows));
	return first;
}

static void set_table(struct jvm *j, const struct hotspot *h)
{
	struct table t = { .base = h->low & ~((1ull << UNW_PAGE_BITS) - 1) };

	t.pages = (u32)((h->high - 1 - t.base) >> UNW_PAGE_BITS) + 1;
	t.firsts = xcalloc(t.pages + 1, sizeof(*t.firsts));
	make_rows(&t, h);
	arena_free(j->table);
	j->table = write_table(&t);
	j->low = h->low;
	j->high = h->high;
	free(t.rows);
	free(t.firsts);
}

void jvm_opened(struct jvm *j, struct opener_job *job)
{
	const struct hotspot *h = job->code;
	bool in_vain = h && h->n == j->n_code;

	j->asked = false;
	if (job->addr != j->base)	/* from before an execve */
		return;
	j->layout = job->layout;
	j->none = !h && !j->read;	/* if it was read before, the JVM may just be changing it */
	if (h) {
		set_table(j, h);
		j->n_code = h->n;
		j->read = true;
	}
	j->read_ns = boottime_ns();
	j->wait_ns = h && !in_vain ? FIRST_WAIT_NS : min(max(2 * j->wait_ns, FIRST_WAIT_NS), LAST_WAIT_NS);
	j->wait_ns = max(j->wait_ns, PACE * job->cpu_ns);
}
