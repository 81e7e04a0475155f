// SPDX-License-Identifier: GPL-2.0-or-later
/* perfmap.c: see perfmap.h. 16 bytes a range; names stay in the file. */
#include <stdlib.h>
#include <string.h>

#include "symbolizer/perfmap.h"

#define CHUNK 65536		/* longer lines are cut */
#define MAX_FILE (1ull << 32)		/* name offsets are 32 bits */
#define MAX_CODE (256ull << 20)		/* a larger one is an error and would hide all others */
#define USER_END (1ull << 47)

struct range {
	u64 start;
	u32 size;
	u32 name;	/* offset in the file, and so the age of the range */
};

struct perfmap {
	struct range *ranges;	/* sorted by start, without overlap */
	u32 n, cap;
	u32 generation;
	u64 read_to;		/* whole lines up to this offset have been read */
	u64 bad_lines;
	bool skip;		/* inside an overlong line that is skipped */
	bool overlapped;	/* a range was replaced since the last update */
	bool full;
};

struct perfmap *perfmap_new(void)
{
	return xcalloc(1, sizeof(struct perfmap));
}

/* ---- overlapping ranges ---- */

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return cmp(x->start, y->start) ?: cmp(x->name, y->name);
}

static u64 end_of(const struct range *r)
{
	return r->start + r->size;
}

static bool any_overlap(const struct perfmap *m)
{
	for (u32 i = 1; i < m->n; i++)
		if (end_of(&m->ranges[i - 1]) > m->ranges[i].start)
			return true;
	return false;
}

/* A heap of the ranges that reach the current position, newest on top. */
struct heap {
	u32 *of;	/* indexes of ranges */
	u32 n;
};

static void heap_sift(struct heap *h, const struct range *r, u32 i)
{
	for (;;) {
		u32 k = 2 * i + 1, kept = h->of[i];

		if (k + 1 < h->n && r[h->of[k + 1]].name > r[h->of[k]].name)
			k++;
		if (k >= h->n || r[h->of[k]].name <= r[kept].name)
			return;
		h->of[i] = h->of[k];
		h->of[k] = kept;
		i = k;
	}
}

static void heap_push(struct heap *h, const struct range *r, u32 index)
{
	u32 i = h->n++;

	for (; i && r[h->of[(i - 1) / 2]].name < r[index].name; i = (i - 1) / 2)
		h->of[i] = h->of[(i - 1) / 2];
	h->of[i] = index;
}

static void heap_pop(struct heap *h, const struct range *r)
{
	h->of[0] = h->of[--h->n];
	if (h->n)
		heap_sift(h, r, 0);
}

/* Marks ranges overlapped by a newer one that starts at or before them. */
static void mark_forward(const struct range *r, u32 n, struct heap *h, u8 *dead)
{
	for (u32 i = 0; i < n; i++) {
		while (h->n && end_of(&r[h->of[0]]) <= r[i].start)
			heap_pop(h, r);
		if (h->n && r[h->of[0]].name > r[i].name)
			dead[i] = 1;
		heap_push(h, r, i);
	}
}

/* The newest of r[from..to), from a tree of maxima with 2 * size nodes. */
static u32 newest_of(const u32 *tree, u32 size, u32 from, u32 to)
{
	u32 best = 0;

	for (from += size, to += size; from < to; from /= 2, to /= 2) {
		if (from & 1)
			best = max(best, tree[from++]);
		if (to & 1)
			best = max(best, tree[--to]);
	}
	return best;
}

/* Marks ranges overlapped by a newer one that starts inside them. */
static void mark_backward(const struct range *r, u32 n, u32 *tree, u8 *dead)
{
	for (u32 i = 0; i < n; i++)
		tree[n + i] = r[i].name;
	for (u32 i = n; i-- > 1; )
		tree[i] = max(tree[2 * i], tree[2 * i + 1]);
	for (u32 i = 0; i < n; i++) {
		u32 behind = bisect(k, i, n, r[k].start < end_of(&r[i]));

		if (newest_of(tree, n, i, behind) > r[i].name)
			dead[i] = 1;
	}
}

/* Drops ranges that newer ones, dropped or not, overlap: overwritten code. O(n log n) always. */
static void drop_dead(struct perfmap *m)
{
	u32 *tree = xmalloc(2ul * m->n * sizeof(*tree)), n = 0;
	struct heap h = { .of = tree };
	u8 *dead = xcalloc(m->n, 1);

	mark_forward(m->ranges, m->n, &h, dead);
	mark_backward(m->ranges, m->n, tree, dead);
	for (u32 i = 0; i < m->n; i++)
		if (!dead[i])
			m->ranges[n++] = m->ranges[i];
	m->n = n;
	free(dead);
	free(tree);
}

/* Sorts, and drops overwritten ranges. */
static void compact(struct perfmap *m)
{
	qsort(m->ranges, m->n, sizeof(*m->ranges), by_start);
	if (any_overlap(m)) {
		drop_dead(m);
		m->overlapped = true;
	}
	/* a few free places are not enough: it would sort on every line */
	m->full |= m->n > PERFMAP_MAX - PERFMAP_MAX / 16;
}

/* ---- lines ---- */

static const char *take_hex(const char *p, const char *end, u64 *ret)
{
	u32 digits = 0;

	*ret = 0;
	if (end - p > 2 && p[0] == '0' && (p[1] | 32) == 'x')
		p += 2;
	for (; p < end; p++, digits++) {
		int c = *p | 32, v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (v < 0)
			break;
		if (*ret >> 60)
			return NULL;	/* more than 64 bits */
		*ret = *ret << 4 | (u64)v;
	}
	return digits && p < end && *p == ' ' ? p + 1 : NULL;
}

/* A line without newline; `at` is its offset in the file. */
static bool take_line(struct perfmap *m, const char *line, size_t n, u64 at)
{
	const char *end = line + n, *p;
	u64 start, size;

	p = take_hex(line, end, &start);
	p = p ? take_hex(p, end, &size) : NULL;
	if (!p || p == end || !size || size > MAX_CODE || start >= USER_END ||
	    size > USER_END - start)
		return false;
	if (m->n >= PERFMAP_MAX && !m->full)
		compact(m);
	if (m->full)
		return true;
	m->ranges = grow(m->ranges, m->n, &m->cap, sizeof(*m->ranges));
	m->ranges[m->n++] = (struct range){ start, (u32)size, (u32)(at + (u64)(p - line)) };
	return true;
}

/* Reads the whole lines of a chunk; returns their length in bytes. */
static size_t take_lines(struct perfmap *m, const char *chunk, size_t n)
{
	const char *p = chunk, *end = chunk + n, *newline;

	while ((newline = memchr(p, '\n', (size_t)(end - p)))) {
		if (!m->skip && !take_line(m, p, (size_t)(newline - p), m->read_to + (u64)(p - chunk)))
			m->bad_lines++;
		m->skip = false;
		p = newline + 1;
	}
	return (size_t)(p - chunk);
}

/* The numbers come first: the rest of an overlong line is only part of the name. */
static void take_long_line(struct perfmap *m, const char *chunk, size_t n)
{
	if (!m->skip && !take_line(m, chunk, n, m->read_to))
		m->bad_lines++;
	m->skip = true;
	m->read_to += n;
}

static void read_new(struct perfmap *m, const struct source *file)
{
	char *chunk = xmalloc(CHUNK);

	while (!m->full && m->read_to < MAX_FILE) {
		size_t n = source_read(file, m->read_to, chunk, CHUNK), used = take_lines(m, chunk, n);

		m->read_to += used;
		if (!used && (n == CHUNK || (n && m->skip)))
			take_long_line(m, chunk, n);
		else if (n < CHUNK)
			break;
	}
	free(chunk);
}

void perfmap_update(struct perfmap *m, const struct source *file)
{
	u32 before = m->n;

	if (file->size < m->read_to) {
		u32 generation = m->generation + (m->n != 0);

		free(m->ranges);
		*m = (struct perfmap){ .generation = generation };
		before = 0;
	}
	read_new(m, file);
	if (m->n == before && !m->overlapped)
		return;
	compact(m);
	m->generation += m->overlapped && before;
	m->overlapped = false;
}

bool perfmap_find(const struct perfmap *m, const struct source *file, u64 addr, char *buf,
		  size_t cap)
{
	u32 after = bisect(i, 0, m->n, m->ranges[i].start <= addr);

	return after && addr < end_of(&m->ranges[after - 1]) &&
	       source_text(file, m->ranges[after - 1].name, '\n', buf, cap);
}

u32 perfmap_generation(const struct perfmap *m)
{
	return m->generation;
}

u32 perfmap_count(const struct perfmap *m)
{
	return m->n;
}

u64 perfmap_bad_lines(const struct perfmap *m)
{
	return m->bad_lines;
}

bool perfmap_is_full(const struct perfmap *m)
{
	return m->full;
}

size_t perfmap_bytes(const struct perfmap *m)
{
	return sizeof(*m) + m->cap * sizeof(*m->ranges);
}

void perfmap_free(struct perfmap *m)
{
	if (!m)
		return;
	free(m->ranges);
	free(m);
}
