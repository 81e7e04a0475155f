// SPDX-License-Identifier: GPL-2.0-or-later
/* unwind_table.c: packs CFI rows into the kernel's format; see symbolizer/unwind.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/model/hash.h"
#include "bpf/model/index.h"
#include "symbolizer/ehframe.h"

#define PAGE_SIZE_ (1ull << UNW_PAGE_BITS)
#define MAX_PAGES (1u << 16)	/* 4 GiB of code */

struct info_set {
	struct unw_info *infos;
	u32 n, cap;
	struct index index;
};

/* Index of an info, added if new; -1 if there are too many. */
static int info_number(struct info_set *s, const struct unw_info *info)
{
	u32 hash = hash_bytes(info, sizeof(*info)), at = 0, i;

	while ((i = index_next(&s->index, hash, &at)) != INDEX_NONE)
		if (!memcmp(&s->infos[i], info, sizeof(*info)))
			return (int)i;
	if (s->n >= UNW_MAX_INFOS)
		return -1;
	s->infos = grow(s->infos, s->n, &s->cap, sizeof(*s->infos));
	s->infos[s->n] = *info;
	index_add(&s->index, hash, s->n);
	return (int)s->n++;
}

struct packer {
	struct unwind_table *t;
	struct info_set infos;
	u32 *rows;
	u32 n_rows, cap_rows;
	u32 n_pages;
	const struct unwind_pages *wanted;	/* NULL: all */
};

static void put_row(struct packer *p, u64 pc, u32 info)
{
	p->rows = grow(p->rows, p->n_rows, &p->cap_rows, sizeof(*p->rows));
	p->rows[p->n_rows++] = UNW_ROW(pc, info);
}

static u64 page_addr(const struct packer *p, u32 page)
{
	return p->t->base + page * PAGE_SIZE_;
}

/* Every page starts with the row that reaches into it. */
static int pack_rows(struct packer *p, const struct cfi_row *rows, u32 n)
{
	u32 i = 0, carried = UNW_INFO_NONE;
	const struct unw_info *last = NULL;	/* of the rows skipped */
	int number;

	for (u32 page = 0; page < p->n_pages; page++) {
		u32 first = p->n_rows;

		if (p->wanted && !unwind_page_wanted(p->wanted, page)) {
			p->t->words[1 + page] = UNW_LEFT_OUT;
			for (; i < n && rows[i].pc < page_addr(p, page + 1); i++)
				last = &rows[i].info;
			continue;
		}
		if (last && (number = info_number(&p->infos, last)) < 0)
			return -EFBIG;
		carried = last ? (u32)number : carried;
		last = NULL;
		if (i >= n || rows[i].pc > page_addr(p, page))
			put_row(p, page_addr(p, page), carried);
		for (; i < n && rows[i].pc < page_addr(p, page + 1); i++) {
			number = info_number(&p->infos, &rows[i].info);
			if (number < 0)
				return -EFBIG;
			carried = (u32)number;
			put_row(p, rows[i].pc, carried);
		}
		p->t->words[1 + page] = (u64)first << 32 | (p->n_rows - first);
	}
	return 0;
}

static void join_words(struct packer *p)
{
	struct unwind_table *t = p->t;

	t->n_rows = p->n_rows;
	t->n_words = 1 + p->n_pages + (p->n_rows + 1) / 2;
	t->words = xrealloc(t->words, (size_t)t->n_words * sizeof(u64));
	t->words[0] = (u64)UNW_MAGIC << 32 | p->n_pages;
	t->words[t->n_words - 1] = 0;
	memcpy(t->words + 1 + p->n_pages, p->rows, (size_t)p->n_rows * sizeof(u32));
}

struct unwind_table *unwind_table_pack(const struct cfi_row *rows, u32 n, const struct unwind_pages *wanted)
{
	struct packer p = { .t = xcalloc(1, sizeof(*p.t)), .wanted = wanted };
	struct unw_info none = {};
	u64 pages;
	int err = 0;

	p.t->base = wanted ? wanted->base : rows[0].pc & ~(PAGE_SIZE_ - 1);
	pages = wanted ? wanted->n : ((rows[n - 1].pc - p.t->base) >> UNW_PAGE_BITS) + 1;
	if (pages > MAX_PAGES || (n && rows[n - 1].pc >> 62)) {	/* no file is loaded that high */
		free(p.t);
		errno = EFBIG;
		return NULL;
	}
	p.n_pages = (u32)pages;
	p.t->words = xcalloc(1 + p.n_pages, sizeof(u64));
	info_number(&p.infos, &none);
	err = pack_rows(&p, rows, n);
	if (!err)
		join_words(&p);
	p.t->infos = p.infos.infos;
	p.t->n_infos = p.infos.n;
	index_free(&p.infos.index);
	free(p.rows);
	if (err) {
		unwind_table_free(p.t);
		errno = -err;
		return NULL;
	}
	return p.t;
}

static u32 row_at(const struct unwind_table *t, u32 pages, u32 i)
{
	return (u32)(t->words[1 + pages + i / 2] >> (i % 2 * 32));
}

const struct unw_info *unwind_table_find(const struct unwind_table *t, u64 addr)
{
	u32 pages = (u32)t->words[0], first, above;
	u64 page = (addr - t->base) >> UNW_PAGE_BITS;

	if (addr < t->base || page >= pages)
		return &t->infos[UNW_INFO_NONE];
	first = (u32)(t->words[1 + page] >> 32);
	above = bisect(i, first, first + (u32)t->words[1 + page],
		       (row_at(t, pages, i) & 0xffff) <= (addr & 0xffff));
	return above == first ? &t->infos[UNW_INFO_NONE] : &t->infos[row_at(t, pages, above - 1) >> 16];
}

void unwind_table_free(struct unwind_table *t)
{
	if (!t)
		return;
	free(t->words);
	free(t->infos);
	free(t);
}
