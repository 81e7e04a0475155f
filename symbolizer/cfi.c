// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cfi.c: parses the entries of .eh_frame and .debug_frame (DWARF 5, 6.4.1) into rows: one for each
 * address at which the rule for finding the caller's frame changes. cfi_program.c runs the
 * programs.
 */
#include <errno.h>
#include <stdlib.h>

#include "symbolizer/cfi_parts.h"

/* DW_EH_PE_* of the LSB, 10.5 */
enum {
	PE_ABSPTR = 0x00, PE_ULEB128 = 0x01, PE_UDATA2 = 0x02, PE_UDATA4 = 0x03, PE_UDATA8 = 0x04,
	PE_SLEB128 = 0x09, PE_SDATA2 = 0x0a, PE_SDATA4 = 0x0b, PE_SDATA8 = 0x0c,
	PE_PCREL = 0x10, PE_TEXTREL = 0x20, PE_DATAREL = 0x30, PE_ALIGNED = 0x50, PE_OMIT = 0xff,
};

/* ---- pointers ---- */

static u64 read_value(struct bytes *b, u8 format)
{
	switch (format & 0x0f) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		return bytes_uint(b, 8);
	case PE_ULEB128:
		return bytes_uleb(b);
	case PE_SLEB128:
		return (u64)bytes_sleb(b);
	case PE_UDATA2:
		return bytes_uint(b, 2);
	case PE_UDATA4:
		return bytes_uint(b, 4);
	case PE_SDATA2:
		return (u64)bytes_sint(b, 2);
	case PE_SDATA4:
		return (u64)bytes_sint(b, 4);
	}
	b->failed = true;
	return 0;
}

u64 cfi_pointer(const struct cfi_section *s, struct bytes *b, u8 enc)
{
	u64 here = s->addr + (u64)(b->at - s->data), v;

	if (enc == PE_OMIT)
		return 0;
	v = read_value(b, enc);
	switch (enc & 0x70) {
	case PE_PCREL:
		return v + here;
	case PE_TEXTREL:
		return v + s->text_addr;
	case PE_DATAREL:
		return v + s->data_addr;
	}
	return v;
}

/* ---- common information entries ---- */

static void read_augmentation(const struct cfi_section *s, struct bytes *b, const char *aug,
			      struct cie *c)
{
	u64 len;
	const u8 *end;

	if (aug[0] != 'z')
		return;
	c->has_aug = true;
	len = bytes_uleb(b);
	end = len > bytes_left(b) ? b->end : b->at + len;
	for (aug++; *aug && b->at < end; aug++) {
		if (*aug == 'R') {
			c->enc = (u8)bytes_uint(b, 1);
		} else if (*aug == 'P') {
			u8 enc = (u8)bytes_uint(b, 1);

			cfi_pointer(s, b, enc);
		} else if (*aug == 'L') {
			bytes_uint(b, 1);
		} else if (*aug != 'S' && *aug != 'B') {
			break;
		}
	}
	b->at = end;
}

/* b is the entry's body after its id. */
static struct cie read_cie(const struct cfi_section *s, struct bytes b)
{
	struct cie c = { .enc = PE_ABSPTR };
	const char *aug;
	u8 version;

	version = (u8)bytes_uint(&b, 1);
	aug = (const char *)b.at;
	if (!memchr(b.at, 0, bytes_left(&b)) || version < 1 || version > 4)
		return c;
	bytes_skip(&b, strlen(aug) + 1);
	if (version == 4)
		bytes_skip(&b, 2);	/* address size, segment selector size */
	c.code_align = bytes_uleb(&b);
	c.data_align = bytes_sleb(&b);
	if (version == 1)
		bytes_uint(&b, 1);
	else
		bytes_uleb(&b);		/* return address column */
	if (aug[0] && aug[0] != 'z' && !(aug[0] == 'e' && aug[1] == 'h'))
		return c;
	c.signal = strchr(aug, 'S') != NULL;
	read_augmentation(s, &b, aug, &c);
	c.program = b;
	c.valid = !b.failed;
	return c;
}

/* ---- frame description entries ---- */

static void add_run(struct cfi_rows *r, u64 pc, u32 first)
{
	r->runs = grow(r->runs, r->n_runs, &r->cap_runs, sizeof(*r->runs));
	r->runs[r->n_runs++] = (struct cfi_run){ .pc = pc, .first = first, .n = r->n - first };
}

static bool is_wanted(const struct cfi_section *s, u64 begin, u64 size)
{
	u64 page, last;

	if (!s->pages)
		return true;
	if (begin + size <= s->pages->base)
		return false;
	page = (max(begin, s->pages->base) - s->pages->base) >> UNW_PAGE_BITS;
	last = (begin + size - s->pages->base) >> UNW_PAGE_BITS;	/* its end is a row, too */
	while (page <= last && page < s->pages->n && !unwind_page_wanted(s->pages, page))
		page++;
	return page <= last && page < s->pages->n;
}

/* Address and position of an FDE. FDEs are listed in file order, then read in address order. */
struct fde {
	u64 begin;
	u64 at;		/* offset of its length field in the section */
};

struct fdes {
	struct fde *of;
	u32 n, cap;
};

static int by_begin(const void *a, const void *b)
{
	const struct fde *x = a, *y = b;

	return cmp(x->begin, y->begin) ?: cmp(x->at, y->at);
}

/* Reads what precedes the program. False: the FDE is of no use. */
static bool read_range(const struct cfi_section *s, const struct cie *c, struct bytes *b, u64 *ret_begin, u64 *ret_size)
{
	*ret_begin = cfi_pointer(s, b, c->enc);
	*ret_size = read_value(b, c->enc & 0x0f);
	if (c->has_aug)
		bytes_skip(b, bytes_uleb(b));
	/* linkers leave FDEs of dropped functions behind, at address 0 */
	return !b->failed && *ret_begin && *ret_size && *ret_begin + *ret_size >= *ret_begin &&
	       is_wanted(s, *ret_begin, *ret_size);
}

static void read_fde(const struct cfi_section *s, const struct cie *c, struct bytes b,
		     struct cfi_rows *rows)
{
	struct cfi_machine m = { .cie = c, .now.info.bx = UNW_BX_SAME };
	struct unw_info none = {};
	u64 begin, size;
	u32 first;

	if (!read_range(s, c, &b, &begin, &size))
		return;
	m.pc = begin;
	cfi_run(&m, s, c->program, ~0ull, NULL);
	m.pc = begin;
	m.initial = m.now;
	first = rows->n;
	cfi_run(&m, s, b, begin + size, rows);
	cfi_add_row(rows, begin + size, &none);
	add_run(rows, begin, first);
}

/* FDEs refer to their CIE by offset; the one read last is nearly always the next FDE's too. */
static const struct cie *cie_at(const struct cfi_section *s, u64 offset, struct cie *cache,
				u64 *cached_at)
{
	struct bytes b;
	u64 len, id_size = 4;

	if (*cached_at == offset && cache->valid)
		return cache;
	if (offset >= s->size)
		return NULL;
	b = bytes_of(s->data + offset, s->size - offset);
	len = bytes_uint(&b, 4);
	if (len == 0xffffffff) {
		len = bytes_uint(&b, 8);
		id_size = s->debug_frame ? 8 : 4;
	}
	if (len > bytes_left(&b))
		return NULL;
	b.end = b.at + len;
	bytes_skip(&b, id_size);
	*cache = read_cie(s, b);
	*cached_at = offset;
	return cache->valid ? cache : NULL;
}

/* The next entry; false: end. *ret_cie NULL: no valid FDE; *ret: its body. */
static bool next_entry(const struct cfi_section *s, struct bytes *b, struct cie *cache, u64 *cached_at,
		       const struct cie **ret_cie, struct bytes *ret)
{
	u64 len = bytes_uint(b, 4), id_size = 4, id_at, id;

	*ret_cie = NULL;
	if (len == 0xffffffff) {
		len = bytes_uint(b, 8);
		id_size = s->debug_frame ? 8 : 4;
	}
	if (!len || b->failed || len > bytes_left(b))
		return false;
	*ret = bytes_of(b->at, len);
	b->at += len;
	id_at = (u64)(ret->at - s->data);
	id = bytes_uint(ret, (u32)id_size);
	if (s->debug_frame ? id == (id_size == 8 ? ~0ull : 0xffffffff) : !id)
		return true;	/* a CIE is read when an FDE refers to it */
	*ret_cie = cie_at(s, s->debug_frame ? id : id_at - id, cache, cached_at);
	return true;
}

static void note_fdes(const struct cfi_section *s, struct fdes *fdes)
{
	struct bytes b = bytes_of(s->data, s->size), body, after;
	struct cie cache = {};
	const struct cie *c;
	u64 cached_at = ~0ull, at = 0, begin, size;

	while (bytes_left(&b) >= 4 && next_entry(s, &b, &cache, &cached_at, &c, &body)) {
		after = body;
		if (c && read_range(s, c, &after, &begin, &size)) {
			fdes->of = grow(fdes->of, fdes->n, &fdes->cap, sizeof(*fdes->of));
			fdes->of[fdes->n++] = (struct fde){ begin, at };
		}
		at = (u64)(b.at - s->data);
	}
	if (fdes->n)
		qsort(fdes->of, fdes->n, sizeof(*fdes->of), by_begin);
}

/* In address order: rows, most of the memory, need no sorted copy. */
static void read_fdes(const struct cfi_section *s, const struct fdes *fdes, struct cfi_rows *rows)
{
	struct cie cache = {};
	const struct cie *c;
	u64 cached_at = ~0ull;

	for (u32 i = 0; i < fdes->n && !rows->too_many; i++) {
		struct bytes b = bytes_of(s->data + fdes->of[i].at, s->size - fdes->of[i].at), body;

		if (next_entry(s, &b, &cache, &cached_at, &c, &body) && c)
			read_fde(s, c, body, rows);
	}
}

struct cfi_row *cfi_rows(const struct cfi_section *s, u32 *ret_n)
{
	struct cfi_rows rows = {};
	struct fdes fdes = {};
	struct cfi_row *all;

	note_fdes(s, &fdes);
	read_fdes(s, &fdes, &rows);
	free(fdes.of);
	if (!rows.n || rows.too_many) {
		free(rows.rows);
		free(rows.runs);
		errno = rows.too_many ? EFBIG : EBADMSG;
		return NULL;
	}
	*ret_n = rows.n;
	all = cfi_order(rows.rows, ret_n, rows.runs, rows.n_runs);
	free(rows.runs);
	return all;
}
