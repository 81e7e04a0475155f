// SPDX-License-Identifier: GPL-2.0-or-later
/* aside.c: see aside.h. Rows of a page are aligned to a line: a page can be unpacked alone. */
#include <stdlib.h>
#include <string.h>

#include "bpf/stacks/aside.h"
#include "bpf/stacks/packed.h"
#include "bpf/stacks/parts.h"

#define SLOTS 64
#define SLOT_BITS 20	/* lines of one: 32 MiB */
#define MAX_BYTES (3u << 20)	/* packed: two compilers with their libraries */
#define LINE_ROWS 8
#define OPEN_PAGES 64	/* unpacked; a deep stack uses some twenty */
#define OPEN_BYTES (1u << 20)

/* Where a page begins: its first line, and its bytes among the packed ones. */
struct place {
	u32 line, at;
};

struct slot {
	u32 file, n_pages;	/* file 0: free */
	u64 used;
	u64 *head;		/* the table's words before its rows, filled up to whole lines */
	struct place *places;	/* n_pages and the end */
	u8 *packed;
};

/* A page that is unpacked. */
struct open_page {
	u32 file, page;		/* file 0: none */
	u32 n_lines;
	struct arena_line *lines;
};

static struct slot slots[SLOTS];
static struct open_page opened[OPEN_PAGES];
static u64 uses, bytes;
static u32 opened_bytes;

static u32 head_lines(u32 n_pages)
{
	return (1 + n_pages + 3) / 4;
}

static u64 slot_bytes(const struct slot *s)
{
	return s->places[s->n_pages].at + s->n_pages * (sizeof(u64) + sizeof(*s->places));
}

/* ---- pages that are unpacked ---- */

static void page_close(struct open_page *o)
{
	opened_bytes -= o->n_lines * (u32)sizeof(*o->lines);
	free(o->lines);
	*o = (struct open_page){};
}

static void pages_close(u32 file)
{
	for (u32 i = 0; i < OPEN_PAGES; i++)
		if (opened[i].file && (!file || opened[i].file == file))
			page_close(&opened[i]);
}

static u32 page_rows(const struct slot *s, u32 page)
{
	return (u32)s->head[1 + page];
}

static bool unpack(const struct slot *s, u32 page, u32 *rows)
{
	u32 at = s->places[page].at;

	return packed_rows(s->packed + at, s->places[page + 1].at - at, rows, page_rows(s, page));
}

/* NULL: it is damaged. */
static const struct open_page *page_open(const struct slot *s, u32 page)
{
	struct open_page *o = &opened[(s->file * 31 + page) % OPEN_PAGES];
	u32 n = s->places[page + 1].line - s->places[page].line;

	if (o->file == s->file && o->page == page)
		return o;
	page_close(o);
	if (opened_bytes + n * sizeof(*o->lines) > OPEN_BYTES)
		pages_close(0);
	*o = (struct open_page){ s->file, page, n, xcalloc(n, sizeof(*o->lines)) };
	opened_bytes += n * (u32)sizeof(*o->lines);
	if (unpack(s, page, (u32 *)o->lines))
		return o;
	page_close(o);
	return NULL;
}

/* ---- tables ---- */

static void slot_free(struct slot *s)
{
	if (s->file) {
		bytes -= slot_bytes(s);
		pages_close(s->file);
	}
	free(s->head);
	free(s->places);
	free(s->packed);
	*s = (struct slot){};
}

static struct slot *slot_of(u32 file)
{
	for (u32 i = 0; i < SLOTS; i++)
		if (slots[i].file == file)
			return &slots[i];
	return NULL;
}

static struct slot *oldest(void)
{
	struct slot *found = &slots[0];

	for (u32 i = 1; i < SLOTS; i++)
		if (slots[i].file && (!found->file || slots[i].used < found->used))
			found = &slots[i];
	return found;
}

/* Appends a packed page. False: it cannot be packed. */
static bool pack_page(struct slot *s, struct packing *p, const u64 *words, u32 page, size_t *cap)
{
	u32 first = (u32)(words[1 + page] >> 32), n = (u32)words[1 + page], size = 0;
	struct place *to = &s->places[page];
	const u8 *packed;

	if (n > PACKED_MAX_ROWS || to->line + n / LINE_ROWS >= 1 << SLOT_BITS)
		return false;
	if (n && !(size = packing_rows(p, words, first, n, &packed)))
		return false;
	if (to->at + size > *cap)
		s->packed = xrealloc(s->packed, *cap = (*cap + size) * 5 / 4);
	if (n)
		memcpy(s->packed + to->at, packed, size);
	to[1] = (struct place){ to->line + (n + LINE_ROWS - 1) / LINE_ROWS, to->at + size };
	/* row index as walk.h counts: two rows a word, after the head */
	s->head[1 + page] = (u64)(to->line * LINE_ROWS - 2 * (1 + s->n_pages)) << 32 | n;
	return true;
}

static bool pack_table(struct slot *s, const u64 *words)
{
	struct packing *p = packing_new();
	size_t cap = 0;
	u32 page = 0;

	s->n_pages = (u32)words[0];
	s->head = xcalloc(head_lines(s->n_pages), sizeof(struct arena_line));
	s->head[0] = words[0];
	s->places = xcalloc(s->n_pages + 1ul, sizeof(*s->places));
	s->places[0].line = head_lines(s->n_pages);
	while (p && page < s->n_pages && s->places[page].at <= MAX_BYTES && pack_page(s, p, words, page, &cap))
		page++;
	packing_free(p);
	s->packed = xrealloc(s->packed, s->places[page].at + 1ul);
	return p && page == s->n_pages && slot_bytes(s) <= MAX_BYTES;
}

void aside_put(u32 file, const u64 *words, u32 n_words)
{
	struct slot made = {};

	aside_drop(file);
	if (n_words / 4 >> SLOT_BITS || !pack_table(&made, words)) {
		slot_free(&made);
		return;
	}
	while (bytes + slot_bytes(&made) > MAX_BYTES || !slot_of(0))
		slot_free(oldest());
	made.file = file;
	made.used = ++uses;
	bytes += slot_bytes(&made);
	*slot_of(0) = made;
}

void aside_drop(u32 file)
{
	struct slot *s = slot_of(file);

	if (s && s->file)
		slot_free(s);
}

u64 *aside_pages(u32 file, const u64 *wanted)
{
	struct slot *s = slot_of(file);
	u32 head = 1 + s->n_pages, n = 0;
	u64 *words;

	for (u32 i = 0; i < s->n_pages; i++)
		n += part_bit(wanted, i) ? page_rows(s, i) : 0;
	words = xcalloc(head + (n + 1) / 2, sizeof(u64));
	words[0] = s->head[0];
	n = 0;
	for (u32 i = 0; i < s->n_pages; i++) {
		words[1 + i] = part_bit(wanted, i) ? (u64)n << 32 | page_rows(s, i) : UNW_LEFT_OUT;
		if (!(u32)words[1 + i])
			continue;
		if (!unpack(s, i, (u32 *)(words + head) + n)) {
			free(words);
			return NULL;
		}
		n += page_rows(s, i);
	}
	return words;
}

u32 aside_table(u32 file)
{
	struct slot *s = file ? slot_of(file) : NULL;

	if (!s)
		return 0;
	s->used = ++uses;
	return ASIDE_FIRST | (u32)(s - slots) << SLOT_BITS;
}

const struct arena_line *aside_line(u32 line)
{
	u32 at = line & ((1 << SLOT_BITS) - 1), i = (line & ~ASIDE_FIRST) >> SLOT_BITS, page;
	const struct slot *s = &slots[i % SLOTS];
	const struct open_page *o;

	if (line < ASIDE_FIRST || i >= SLOTS || !s->file || at >= s->places[s->n_pages].line)
		return NULL;
	if (at < head_lines(s->n_pages))
		return (const struct arena_line *)s->head + at;
	page = bisect(k, 0, s->n_pages, s->places[k + 1].line <= at);
	o = page_open(s, page);
	return o ? &o->lines[at - s->places[page].line] : NULL;
}

u64 aside_bytes(void)
{
	return bytes + opened_bytes;
}

void aside_close(void)
{
	for (u32 i = 0; i < SLOTS; i++)
		if (slots[i].file)
			slot_free(&slots[i]);
}
