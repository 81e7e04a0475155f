// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * files_room.c: room for unwind tables in the arena: large ones are loaded in parts; those used
 * least for their size are evicted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/kernel/probes.h"
#include "bpf/stacks/arena.h"
#include "bpf/stacks/aside.h"
#include "bpf/stacks/files.h"
#include "bpf/stacks/files_state.h"
#include "bpf/stacks/mappings.h"

#define FIRST_WAIT_NS (NSEC_PER_SEC / 5)	/* before a partly loaded table is requested again; backs off */
#define LAST_WAIT_NS (4 * NSEC_PER_SEC)
#define KEEP_NS (5 * NSEC_PER_SEC)	/* tables used within this time are not evicted, */
#define IDLE_NS (30 * NSEC_PER_SEC)	/* those unused for so long are, before the arena grows */
#define RESERVE 16	/* 1/RESERVE of the arena is for mappings */
#define PACE 200	/* repeated requests take at most 1/PACE of a CPU */
#define MISS_NS (50 * NSEC_PER_USEC)	/* approximate extra cost of a copied stack */
#define HIT 16		/* weight of a new hit, so that it outweighs old ones */

static u64 n_evicted;
static u64 pause_until_ns;	/* earliest time of the next repeated request */

void room_set_again(struct file *f, bool in_vain)
{
	f->wait_ns = in_vain ? min(max(f->wait_ns * 2, FIRST_WAIT_NS), LAST_WAIT_NS) : FIRST_WAIT_NS;
	f->again_ns = boottime_ns() + f->wait_ns;
	f->wanted = false;
}

static bool is_page_wanted(const struct file *f, u32 page)
{
	u32 i = page * PART_GRAINS, end = i + PART_GRAINS;

	while ((i = part_next_hit(f->hits, i, end)) < end && !file_leaves_out(f, i))
		i++;
	return i < end;
}

void room_wanted(const struct file *f, u64 *bits)
{
	for (u32 i = 0; i < f->pages; i++)
		bits[i / 64] |= (u64)is_page_wanted(f, i) << i % 64;
}

/* Decays the hit counters. */
static void fade(void)
{
	for (u32 i = 1; i < n_stack_files; i++) {
		u32 n = stack_files[i].part ? stack_files[i].pages * PART_GRAINS : 0;
		u8 *hits = stack_files[i].hits;

		stack_files[i].uses /= 2;
		for (u32 k = part_next_hit(hits, 0, n); k < n; k = part_next_hit(hits, k + 1, n))
			hits[k] -= hits[k] / 2;	/* never becomes 0 */
	}
}

/* The table with the least use per line, if that is less than `by` would have with `lines`; 0: none. */
static u32 less_used(const struct file *by, u32 lines)
{
	u64 uses = by->uses + 1, size = lines;
	u32 found = 0;

	for (u32 i = 1; i < n_stack_files; i++) {
		const struct file *f = &stack_files[i];

		if (!f->table || f == by || (f->uses + 1) * size >= uses * f->lines)
			continue;
		uses = f->uses + 1;
		size = f->lines;
		found = i;
	}
	return found;
}

/* Publishes changes and waits for a grace period, so that freed lines can be reused. */
static void settle(void)
{
	mappings_install();
	probes_grace_period();
	arena_settle();
}

/* Evicts the least recently used table if it was unused for unused_ns. Its file, or 0. */
static u32 evict(u64 unused_ns)
{
	u64 before = boottime_ns() - unused_ns;
	u32 oldest = 0;

	for (u32 i = 1; i < n_stack_files; i++)
		if (stack_files[i].table && stack_files[i].used_ns < before &&
		    (!oldest || stack_files[i].used_ns < stack_files[oldest].used_ns))
			oldest = i;
	if (!oldest)
		return 0;
	arena_free(stack_files[oldest].table);
	stack_files[oldest].table = 0;
	stack_files[oldest].part = true;
	if (stack_files[oldest].state == FILE_READY)
		stack_files[oldest].state = FILE_NEW;
	mappings_file_changed(oldest);
	return oldest;
}

/* Before the arena grows: freed lines, and eviction of tables not used for long, may give enough room. */
static void spare_growth(u32 n)
{
	if (!arena_grows(n))
		return;
	while (evict(IDLE_NS))
		;
	settle();
}

u32 room_alloc(u32 n)
{
	u32 first;

	spare_growth(n);
	while (!(first = arena_alloc(n)) && evict(KEEP_NS))
		settle();
	return first;
}

/* A copy of the table from the arena, on the heap. */
static u64 *words_of(const struct file *f)
{
	size_t bytes = f->lines * sizeof(struct arena_line);

	return memcpy(xmalloc(bytes), arena_at(f->table), bytes);
}

void room_take_away(u32 file)
{
	struct file *f = &stack_files[file];

	if (!f->part)
		aside_put(file, (const u64 *)arena_at(f->table), f->lines * WORDS_OF_LINE);
	arena_free(f->table);
	f->table = 0;
	f->part = true;
	f->again_ns = max(f->again_ns, boottime_ns() + FIRST_WAIT_NS);
	mappings_file_changed(file);
	settle();
}

/* Makes room for `lines` of this file by evicting tables that are used less. */
static void push_out(struct file *f, u32 lines)
{
	u32 file;

	if (f->table && arena_largest() < lines)	/* its own old part */
		room_take_away((u32)(f - stack_files));
	while (arena_largest() < lines && (file = less_used(f, lines))) {
		room_take_away(file);
		n_evicted++;
	}
}

/* A partial table being built. */
struct part {
	struct part_from from[2];	/* the answer; the old part, on the heap */
	u32 n_from;
	u64 *old, *take;
};

static void part_begin(struct part *p, const struct file *f, const u64 *words, const u16 *numbers)
{
	*p = (struct part){ .from[0] = { .words = words, .numbers = numbers }, .n_from = 1 };
	p->take = xcalloc(f->pages * (PART_GRAINS / 64), sizeof(u64));
	if (!f->table)
		return;
	p->old = words_of(f);	/* copied: its lines may be reused for the new one */
	p->from[p->n_from++] = (struct part_from){ .words = p->old, .have = f->part ? f->have : NULL };
}

/*
 * Room for grains that stacks use, up to a share of the arena, evicting others; neighbours if free.
 */
static u32 room_for_part(struct file *f, struct part *p)
{
	u32 reserve = arena_cap() / RESERVE, most = arena_cap() / 4 * 3, room, want, words;

	parts_choose(p->from, p->n_from, f->hits, false, UINT32_MAX, p->take);
	want = lines_of(parts_copy(NULL, p->from, p->n_from, p->take));
	push_out(f, min(want, most) + reserve);
	fade();
	room = arena_largest();
	room = min(room > reserve ? room - reserve : 0, min(2 * want, most)) * WORDS_OF_LINE;
	f->squeezed = room / WORDS_OF_LINE < want;
	words = parts_choose(p->from, p->n_from, f->hits, true, room, p->take);
	return words <= room ? room_alloc(lines_of(words)) : 0;
}

/* Does the new part have a grain that stacks use and the old one lacked? */
static bool part_gains(const struct file *f, const struct part *p)
{
	u32 n = f->pages * PART_GRAINS;

	for (u32 i = part_next_hit(f->hits, 0, n); i < n; i = part_next_hit(f->hits, i + 1, n))
		if (part_bit(p->take, i) && (!p->old || (p->from[1].have && !part_bit(p->from[1].have, i))))
			return true;
	return false;
}

static void part_set(struct file *f, u32 first, struct part *p)
{
	u32 words = parts_copy((u64 *)arena_at(first), p->from, p->n_from, p->take);

	arena_free(f->table);
	free(f->have);
	f->table = first;
	f->lines = lines_of(words);
	f->have = p->take;
	p->take = NULL;
}

int room_load_part(struct file *f, const u64 *words, const u16 *numbers, u64 cpu_ns)
{
	u64 before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	bool again = f->part;
	struct part p;
	u32 first;

	part_begin(&p, f, words, numbers);
	first = room_for_part(f, &p);
	room_set_again(f, again && !(first && part_gains(f, &p)));
	if (first)
		part_set(f, first, &p);
	f->part = true;
	free(p.old);
	free(p.take);
	f->cpu_ns = cpu_ns + clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
	f->missed = 0;
	if (again)
		pause_until_ns = boottime_ns() + PACE * f->cpu_ns;
	return f->table ? 0 : -ENOSPC;
}

void room_load_from_aside(u32 file)
{
	struct file *f = &stack_files[file];
	u64 began = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	u64 *wanted = xcalloc(f->pages / 64 + 1, sizeof(u64)), *words;

	room_wanted(f, wanted);
	words = aside_pages(file, wanted);
	if (words)
		room_load_part(f, words, NULL, clock_ns(CLOCK_THREAD_CPUTIME_ID) - began);
	else
		aside_drop(file);
	free(words);
	free(wanted);
	mappings_file_changed(file);
}

/* Loading a missing part pays once walking copies with the table aside has cost as much. */
static bool is_worth_it(u32 file)
{
	const struct file *f = &stack_files[file];

	return f->missed * MISS_NS >= f->cpu_ns || !aside_table(file);
}

void files_used(u32 file, u64 addr, u64 time_ns)
{
	struct file *f = &stack_files[file];
	u64 grain = addr >> PART_BITS;

	if (file >= n_stack_files)
		return;
	f->used_ns = time_ns;
	f->uses++;
	if (grain >= (u64)f->pages * PART_GRAINS)
		return;
	f->hits[grain] = (u8)min(f->hits[grain] + HIT, PART_HITS_MAX);
	if (f->state != FILE_READY)
		return;
	f->missed += file_leaves_out(f, (u32)grain);
	f->wanted |= file_leaves_out(f, (u32)grain);
	if (!f->wanted || !is_worth_it(file) || time_ns < max(f->again_ns, pause_until_ns))
		return;
	f->wanted = false;
	f->state = FILE_WAITS;
	n_waiting_files++;
}

u64 files_squeezed(void)
{
	u64 n = 0;

	for (u32 i = 1; i < n_stack_files; i++)
		n += stack_files[i].part && stack_files[i].table && stack_files[i].squeezed;
	return n;
}

u64 files_evicted(void)
{
	return n_evicted;
}
