// SPDX-License-Identifier: GPL-2.0-or-later
/* parts.c: see parts.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/parts.h"

#define NEAR 16		/* grains on each side: a function or two */

static u32 words_for(u32 pages, u64 rows)
{
	return (u32)min(1 + pages + (rows + 1) / 2, (u64)UINT32_MAX);
}

/* The first row of the grain's page that is at `lo` or above; *ret_end: behind the page's last one. */
static u32 first_row(const u64 *words, u32 page, u32 lo, u32 *ret_end)
{
	u32 first = (u32)(words[1 + page] >> 32);

	*ret_end = first + (u32)words[1 + page];
	return bisect(i, first, *ret_end, (part_row(words, i) & 0xffff) < lo);
}

/* The source that has the grain; NULL: none. */
static const struct part_from *source_of(const struct part_from *from, u32 n_from, u32 grain)
{
	for (u32 i = 0; i < n_from; i++)
		if (from[i].words[1 + grain / PART_GRAINS] != UNW_LEFT_OUT &&
		    (!from[i].have || part_bit(from[i].have, grain)))
			return &from[i];
	return NULL;
}

/* Upper bound of a grain's rows: plus the rule that is current at its start, and the one that ends it. */
static u32 rows_of(const struct part_from *f, u32 grain)
{
	u32 lo = grain % PART_GRAINS << PART_BITS, end;
	u32 first = first_row(f->words, grain / PART_GRAINS, lo, &end), i = first;

	while (i < end && (part_row(f->words, i) & 0xffff) < lo + (1 << PART_BITS))	/* they are few, and side by side */
		i++;
	return i - first + 2;
}

/* ---- choosing grains ---- */

struct choice {
	const struct part_from *from;
	u32 n_from, pages, max_words;
	u64 rows, *take;
};

/* False: no room for it. */
static bool take(struct choice *c, u32 grain)
{
	const struct part_from *f;
	u32 n;

	if (part_bit(c->take, grain))	/* already taken as a neighbour of another */
		return true;
	f = source_of(c->from, c->n_from, grain);
	if (!f)
		return true;
	n = rows_of(f, grain);
	if (words_for(c->pages, c->rows + n) > c->max_words)
		return false;
	c->take[grain / 64] |= 1ull << grain % 64;
	c->rows += n;
	return true;
}

/* Numbers of the grains that were hit, by hits in descending order; *ret_n: how many. */
static u32 *by_hits(const u8 *hits, u32 grains, u32 *ret_n)
{
	u32 at[PART_HITS_MAX + 1] = {}, *order;

	for (u32 i = part_next_hit(hits, 0, grains); i < grains; i = part_next_hit(hits, i + 1, grains))
		at[PART_HITS_MAX - hits[i] + 1]++;
	for (u32 i = 1; i < ARRAY_SIZE(at); i++)
		at[i] += at[i - 1];
	*ret_n = at[PART_HITS_MAX];
	order = xcalloc(*ret_n + 1, sizeof(*order));
	for (u32 i = part_next_hit(hits, 0, grains); i < grains; i = part_next_hit(hits, i + 1, grains))
		order[at[PART_HITS_MAX - hits[i]]++] = i;
	return order;
}

static void take_near(struct choice *c, const u32 *order, u32 n)
{
	u32 grains = c->pages * PART_GRAINS;

	for (u32 far = 1; far <= NEAR; far++)
		for (u32 i = 0; i < n; i++)
			if ((order[i] >= far && !take(c, order[i] - far)) ||
			    (order[i] + far < grains && !take(c, order[i] + far)))
				return;
}

u32 parts_choose(const struct part_from *from, u32 n_from, const u8 *hits, bool near, u32 max_words, u64 *to)
{
	struct choice c = { .from = from, .n_from = n_from, .pages = (u32)from[0].words[0],
			    .max_words = max_words, .take = to };
	u32 n, *order = by_hits(hits, c.pages * PART_GRAINS, &n);

	memset(to, 0, c.pages * (PART_GRAINS / 8));
	for (u32 i = 0; i < n; i++)
		take(&c, order[i]);
	if (near)
		take_near(&c, order, n);
	free(order);
	return words_for(c.pages, c.rows);
}

/* ---- the table ---- */

struct out {
	u64 *rows;	/* NULL: they are only counted */
	u32 n, last;	/* rule of the row before in this page */
};

static void put_row(struct out *o, u32 lo, u32 number)
{
	u64 row = UNW_ROW(lo, number);

	if (number == o->last)
		return;
	o->last = number;
	if (o->rows)
		o->rows[o->n / 2] = o->n % 2 ? (u32)o->rows[o->n / 2] | row << 32 : row;
	o->n++;
}

static u32 number_of(const struct part_from *f, u32 row)
{
	return f->numbers ? f->numbers[row >> 16] : row >> 16;
}

static void copy_grain(struct out *o, const struct part_from *f, u32 grain)
{
	u32 lo = grain % PART_GRAINS << PART_BITS, end;
	u32 page = grain / PART_GRAINS, i = first_row(f->words, page, lo + 1, &end);

	if (i > (u32)(f->words[1 + page] >> 32))
		put_row(o, lo, number_of(f, part_row(f->words, i - 1)));
	else
		put_row(o, lo, UNW_INFO_NONE);
	for (; i < end && (part_row(f->words, i) & 0xffff) < lo + (1 << PART_BITS); i++)
		put_row(o, part_row(f->words, i), number_of(f, part_row(f->words, i)));
}

static bool is_any_of(const u64 *bits, u32 page)
{
	const u64 *at = bits + page * (PART_GRAINS / 64);

	return at[0] | at[1];
}

u32 parts_copy(u64 *to, const struct part_from *from, u32 n_from, const u64 *take)
{
	u32 pages = (u32)from[0].words[0];
	struct out o = { .rows = to ? to + 1 + pages : NULL };

	_Static_assert(PART_GRAINS == 128, "is_any_of() looks at two words");
	for (u32 page = 0; page < pages; page++) {
		u32 first = o.n;

		o.last = UINT32_MAX;
		for (u32 i = page * PART_GRAINS; is_any_of(take, page) && i < (page + 1) * PART_GRAINS; i++)
			if (part_bit(take, i))
				copy_grain(&o, source_of(from, n_from, i), i);
			else
				put_row(&o, i % PART_GRAINS << PART_BITS, UNW_INFO_LEFT_OUT);
		if (to)
			to[1 + page] = o.n == first ? UNW_LEFT_OUT : (u64)first << 32 | (o.n - first);
	}
	if (to)
		to[0] = from[0].words[0];
	return words_for(pages, o.n);
}
