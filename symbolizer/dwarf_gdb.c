// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dwarf_gdb.c: reads the addresses of units from .gdb_index, written by linkers and gdb (gdb
 * manual, "Index Section Format", versions 7 to 9), so that .debug_info need not be read. Used only
 * if its list of units matches .debug_info, header by header. Its successor in DWARF 5,
 * .debug_names, has no addresses.
 */
#include <stdlib.h>

#include "symbolizer/bytes.h"
#include "symbolizer/dwarf_parts.h"

#define HEADER_BYTES 24
#define UNIT_BYTES 16		/* offset and length of a unit */
#define AREA_BYTES 20		/* two addresses, number of a unit */

/* DWARF 5, 7.5.1 */
enum { UT_TYPE = 2, UT_SKELETON = 4, UT_SPLIT_COMPILE, UT_SPLIT_TYPE };

/* A unit's header: 7.5.1 of DWARF 5 and of DWARF 4. */
struct header {
	u64 length;		/* of the whole unit */
	u32 bytes;		/* of the header, after which comes the DIE */
	bool is_type;
};

/* Handles 32-bit DWARF only, as emitted by compilers. */
static bool header_at(const struct elf_section *info, u64 offset, struct header *ret)
{
	struct bytes b = bytes_of(info->data, info->size);
	u64 length, version, kind;

	bytes_skip(&b, offset);
	length = bytes_uint(&b, 4);
	version = bytes_uint(&b, 2);
	kind = bytes_uint(&b, 1);
	if (b.failed || length >= 0xfffffff0 || version < 2 || version > 5 || length + 4 > info->size - offset)
		return false;
	ret->length = length + 4;
	ret->is_type = version == 5 && (kind == UT_TYPE || kind == UT_SPLIT_TYPE);
	ret->bytes = version < 5 ? 11 : ret->is_type ? 24 : kind == UT_SKELETON || kind == UT_SPLIT_COMPILE ? 20 : 12;
	return ret->length > ret->bytes;
}

struct gdb_index {
	struct bytes units, areas;
};

/* Finds the index's parts; false: another version, or damaged. */
static bool parts_of(const struct elf_section *s, struct gdb_index *ret)
{
	struct bytes b = bytes_of(s->data, s->size);
	u64 version = bytes_uint(&b, 4), units = bytes_uint(&b, 4), types = bytes_uint(&b, 4);
	u64 areas = bytes_uint(&b, 4), symbols = bytes_uint(&b, 4);

	if (b.failed || version < 7 || version > 9 || units < HEADER_BYTES || types < units || areas < types ||
	    symbols < areas || symbols > s->size || (types - units) % UNIT_BYTES || (symbols - areas) % AREA_BYTES)
		return false;
	ret->units = bytes_of(s->data + units, types - units);
	ret->areas = bytes_of(s->data + areas, symbols - areas);
	return true;
}

/* Offset of each unit's DIE, in index order. NULL: the list does not match .debug_info. */
static u64 *units_of(struct bytes b, const struct elf_section *info, u32 *ret_n)
{
	u32 n = (u32)(bytes_left(&b) / UNIT_BYTES);
	u64 at = 0, *dies;
	struct header h;

	if (!n || n > MAX_UNITS)
		return NULL;
	dies = xcalloc(n, sizeof(*dies));
	for (u32 i = 0; at < info->size; at += h.length) {
		u64 offset, length;

		if (!header_at(info, at, &h))
			break;
		if (h.is_type)
			continue;
		offset = bytes_uint(&b, 8);
		length = bytes_uint(&b, 8);
		if (b.failed || offset != at || length != h.length)
			break;
		dies[i++] = at + h.bytes;
	}
	if (at == info->size && !bytes_left(&b)) {
		*ret_n = n;
		return dies;
	}
	free(dies);
	return NULL;
}

bool dwarf_gdb_read(struct dwarf *d)
{
	const struct elf_section *info = &d->sections[1].data;
	struct elf_section section;
	struct gdb_index index;
	u32 n = 0, *units;
	u64 *dies;

	if (!elf_section(d->elf, ".gdb_index", &section) || !parts_of(&section, &index))
		return false;
	dies = units_of(index.units, info, &n);
	if (!dies)
		return false;
	units = xcalloc(n, sizeof(*units));	/* 1 + index in d->units */
	while (bytes_left(&index.areas) && d->ranges.n < MAX_RANGES) {
		u64 low = bytes_uint(&index.areas, 8), high = bytes_uint(&index.areas, 8);
		u64 of = bytes_uint(&index.areas, 4);

		if (of >= n)
			continue;
		if (!units[of]) {
			d->units = grow(d->units, d->n_units, &d->cap_units, sizeof(*d->units));
			d->units[d->n_units++] = (struct unit){ .offset = dies[of] };
			units[of] = d->n_units;
		}
		die_range_add(&d->ranges, low, high, units[of] - 1);
	}
	free(units);
	free(dies);
	die_ranges_sort(&d->ranges, die_range_by_low);
	return d->ranges.n;
}
