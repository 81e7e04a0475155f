// SPDX-License-Identifier: GPL-2.0-or-later
/* parts.c: see parts.h. */
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/parts.h"
#include "symbolizer/unwind.h"

static u32 rows_of(const u64 *words, u32 page)
{
	return (u32)words[1 + page];
}

static u32 row_at(const u64 *words, u32 i)
{
	return (u32)(words[1 + (u32)words[0] + i / 2] >> (i % 2 * 32));
}

static u32 words_for(u32 pages, u64 rows)
{
	return (u32)min(1 + pages + (rows + 1) / 2, (u64)UINT32_MAX);
}

/* Those that stacks go through come first, the most frequent of them before; then their neighbours. */
struct choice {
	u32 page, hits, distance;
};

static int by_use(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	if (x->hits != y->hits)
		return x->hits > y->hits ? -1 : 1;
	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return x->page < y->page ? -1 : x->page > y->page;
}

static struct choice *order(u32 pages, const u32 *hits, u32 n_hits)
{
	struct choice *c = xcalloc(pages, sizeof(*c));
	u32 far = pages;

	for (u32 i = 0; i < pages; i++) {
		u32 n = i < n_hits ? hits[i] : 0;

		far = n ? 0 : min(far + 1, pages);
		c[i] = (struct choice){ .page = i, .hits = n, .distance = far };
	}
	for (u32 i = pages, back = pages; i-- > 0; ) {
		back = c[i].hits ? 0 : min(back + 1, pages);
		c[i].distance = min(c[i].distance, back);
	}
	qsort(c, pages, sizeof(*c), by_use);
	return c;
}

u32 parts_choose(const u64 *words, const u32 *hits, u32 n_hits, u32 max_words, u8 *take)
{
	u32 pages = (u32)words[0];
	struct choice *c = order(pages, hits, n_hits);
	u64 rows = 0;

	memset(take, 0, pages);
	for (u32 i = 0; i < pages; i++) {
		u32 n = rows_of(words, c[i].page);

		if (words_for(pages, rows + n) > max_words) {
			if (!c[i].hits)	/* what is farther away is of less use than room */
				break;
			continue;
		}
		take[c[i].page] = 1;
		rows += n;
	}
	free(c);
	return words_for(pages, rows);
}

u32 parts_words(const u64 *words, const u8 *take)
{
	u64 rows = 0;

	for (u32 page = 0; page < (u32)words[0]; page++)
		rows += take[page] ? rows_of(words, page) : 0;
	return words_for((u32)words[0], rows);
}

void parts_copy(u64 *to, const u64 *words, const u8 *take, const u16 *numbers)
{
	u32 pages = (u32)words[0], n = 0;
	u64 *rows = to + 1 + pages;

	to[0] = words[0];
	for (u32 page = 0; page < pages; page++) {
		u32 first = (u32)(words[1 + page] >> 32), count = rows_of(words, page);

		if (!take[page] || words[1 + page] == UNW_LEFT_OUT) {
			to[1 + page] = UNW_LEFT_OUT;
			continue;
		}
		to[1 + page] = (u64)n << 32 | count;
		for (u32 i = first; i < first + count; i++, n++) {
			u32 row = row_at(words, i);
			u64 value = UNW_ROW(row, numbers[row >> 16]);

			rows[n / 2] = n % 2 ? rows[n / 2] | value << 32 : value;
		}
	}
}
