// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dwarf.c: see dwarf.h. A file is indexed by the addresses of its compilation units, from
 * .gdb_index or else from their attributes (.debug_aranges is often missing and sometimes wrong). A
 * unit is read on the first lookup of an address in it: its line table, and the ranges of its
 * functions and inlined functions. DWARF 5: 2.17 addresses, 3.3.8 inlining, 6.2 lines; libdwarf
 * 20210528 and later.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbolizer/dwarf_parts.h"

#define UNIT_CACHE_BYTES (4u << 20)
#define UNITS_PER_HANDLE 256	/* libdwarf caches every unit it read: limit before reopening */
#define UNIT_NS (3 * NSEC_PER_SEC)	/* for one unit; what is not read by then is unknown */

/* Opens dwz's supplementary file, shared by several. NULL: another file. */
static struct dwarf *open_sup(struct elf_file *elf, int fd)
{
	u8 wanted[BUILD_ID_MAX], id[BUILD_ID_MAX];
	char name[DEBUGLINK_MAX];
	size_t n = elf_altlink(elf, name, sizeof(name), wanted, sizeof(wanted));
	struct dwarf *d = NULL;
	struct elf_file *sup;

	if (!n || fd < 0 || (fd = dup(fd)) < 0)
		return NULL;
	sup = elf_file_open(fd);
	if (sup && elf_build_id(sup, id, sizeof(id)) == n && !memcmp(id, wanted, n)) {
		d = xcalloc(1, sizeof(*d));
		d->elf = sup;
		d->fd = fd;
		if (object_find_sections(d))
			return d;
		free(d->sections);
	}
	free(d);
	elf_file_close(sup);
	close(fd);
	return NULL;
}

struct dwarf *dwarf_open(int fd, int sup_fd)
{
	struct elf_file *elf;
	struct dwarf *d;
	int own = dup(fd);

	elf = own >= 0 ? elf_file_open(own) : NULL;
	if (!elf) {
		int err = errno;

		close(own);
		errno = err;
		return NULL;
	}
	d = xcalloc(1, sizeof(*d));
	d->elf = elf;
	d->fd = own;
	dwarf_set_de_alloc_flag(0);	/* we free what libdwarf returns: halves the time */
	d->sup = open_sup(elf, sup_fd);
	if (object_find_sections(d) && object_open(d))
		return d;
	own = d->too_big ? EFBIG : d->n_sections > 1 ? EBADMSG : ENODATA;
	dwarf_close(d);
	errno = own;
	return NULL;
}

/* ---- the list of units ---- */

static void add_unit(struct dwarf *d, Dwarf_Die cu)
{
	Dwarf_Off offset;
	Dwarf_Half tag;

	if (!good(d, dwarf_tag(cu, &tag, &d->err)) ||
	    (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit) ||
	    !good(d, dwarf_dieoffset(cu, &offset, &d->err)) ||
	    !die_ranges(d, cu, die_unit_base(d, cu), &d->ranges, d->n_units))
		return;
	d->units = grow(d->units, d->n_units, &d->cap_units, sizeof(*d->units));
	d->units[d->n_units++] = (struct unit){ .offset = offset };
}

/* False: no more units. */
static bool next_unit(struct dwarf *d)
{
	Dwarf_Unsigned length, type_offset, next;
	Dwarf_Half version, address, offset, extension, kind;
	Dwarf_Off abbrev;
	Dwarf_Sig8 sig;
	Dwarf_Die cu;

	if (d->n_units >= MAX_UNITS ||
	    !good(d, dwarf_next_cu_header_d(d->dbg, true, &length, &version, &abbrev, &address, &offset,
					    &extension, &sig, &type_offset, &next, &kind, &d->err)))
		return false;
	if (good(d, dwarf_siblingof_b(d->dbg, NULL, true, &cu, &d->err))) {
		add_unit(d, cu);
		put_die(d, cu);
	}
	return true;
}

bool dwarf_index(struct dwarf *d, u64 until_ns)
{
	if (!d->indexed && !d->index_sought)
		d->indexed = d->has_index = dwarf_gdb_read(d);
	d->index_sought = true;
	for (u32 i = 1; !d->indexed; i++) {
		if (!next_unit(d)) {
			d->indexed = true;
			die_ranges_sort(&d->ranges, die_range_by_low);
		} else if (i % 16 == 0) {
			dwarf_untouch(d);
			if (dwarf_clock_ns() > until_ns)
				return false;
		}
	}
	return true;
}

/* ---- units in memory ---- */

static size_t unit_bytes(const struct unit *u)
{
	return u->cap_lines * sizeof(*u->lines) + u->cap_scopes * sizeof(*u->scopes) +
	       (u->funcs.cap + u->inlined.cap) * sizeof(struct range) +
	       u->cap_sequences * sizeof(*u->sequences) + u->n_files * 64;
}

size_t dwarf_bytes(const struct dwarf *d)
{
	return d->cap_units * sizeof(*d->units) + d->ranges.cap * sizeof(struct range) + d->unit_bytes;
}

size_t dwarf_file_bytes(const struct dwarf *d)
{
	return dwarf_bytes(d) + elf_bytes(d->elf) + (d->sup ? dwarf_file_bytes(d->sup) : 0);
}

void dwarf_untouch(const struct dwarf *d)
{
	for (; d; d = d->sup)
		elf_rest(d->elf);
}

bool dwarf_out_of_memory(const struct dwarf *d)
{
	return d->no_memory;
}

/* Returns unused capacity. */
static void *shrink(void *items, u32 n, u32 *cap, size_t size)
{
	if (*cap == n || !items)
		return items;
	*cap = max(n, 1u);
	return xrealloc(items, *cap * size);
}

static void shrink_unit(struct unit *u)
{
	u->lines = shrink(u->lines, u->n_lines, &u->cap_lines, sizeof(*u->lines));
	u->sequences = shrink(u->sequences, u->n_sequences, &u->cap_sequences, sizeof(*u->sequences));
	u->scopes = shrink(u->scopes, u->n_scopes, &u->cap_scopes, sizeof(*u->scopes));
	u->funcs.all = shrink(u->funcs.all, u->funcs.n, &u->funcs.cap, sizeof(struct range));
	u->inlined.all = shrink(u->inlined.all, u->inlined.n, &u->inlined.cap, sizeof(struct range));
}

static void unload(struct dwarf *d, struct unit *u)
{
	d->unit_bytes -= unit_bytes(u);
	for (u32 i = 0; i < u->n_files; i++)
		free(u->files[i]);
	free(u->files);
	free(u->sequences);
	free(u->lines);
	free(u->scopes);
	free(u->funcs.all);
	free(u->inlined.all);
	*u = (struct unit){ .offset = u->offset };
}

static void make_room(struct dwarf *d, const struct unit *keep)
{
	while (dwarf_bytes(d) > UNIT_CACHE_BYTES) {
		struct unit *old = NULL;

		for (u32 i = 0; i < d->n_units; i++)
			if (d->units[i].loaded && &d->units[i] != keep &&
			    (!old || d->units[i].used < old->used))
				old = &d->units[i];
		if (!old)
			return;
		unload(d, old);
	}
}

static void load(struct dwarf *d, struct unit *u)
{
	Dwarf_Die cu;

	u->loaded = true;	/* even if it fails: no second try */
	if (d->n_read++ >= UNITS_PER_HANDLE)
		object_close(d);
	if (!d->dbg && !object_open(d))
		return;
	if (!good(d, dwarf_offdie_b(d->dbg, u->offset, true, &cu, &d->err)))
		return;
	d->deadline_ns = dwarf_clock_ns() + UNIT_NS;
	dwarf_lines_read(d, u, cu);
	dwarf_functions_read(d, u, cu);
	put_die(d, cu);
	shrink_unit(u);
	d->unit_bytes += unit_bytes(u);
	make_room(d, u);
}

void dwarf_rest(struct dwarf *d)
{
	if (!d->indexed)
		return;
	for (u32 i = 0; i < d->n_units; i++)
		if (d->units[i].loaded)
			unload(d, &d->units[i]);
	object_close(d);
}

void dwarf_close(struct dwarf *d)
{
	if (!d)
		return;
	for (u32 i = 0; i < d->n_units; i++)
		unload(d, &d->units[i]);
	object_close(d);
	dwarf_close(d->sup);
	elf_file_close(d->elf);
	close(d->fd);
	free(d->units);
	free(d->ranges.all);
	free(d->sections);
	free(d);
}

/* ---- lookups ---- */

u32 dwarf_find(struct dwarf *d, u64 addr, struct dwarf_frame ret[DWARF_MAX_DEPTH])
{
	const struct range *r = die_ranges_find(&d->ranges, addr);
	const struct line *line;
	u32 n = 0, file, scope;
	struct unit *u;

	if (!r)
		return 0;
	u = &d->units[r->of];
	if (!u->loaded)
		load(d, u);
	u->used = ++d->use_count;
	line = dwarf_lines_row(u, addr);
	file = line ? line->file : NONE;
	scope = dwarf_functions_scope(u, addr);
	if (scope == NONE && line)	/* assembly: lines without functions */
		ret[n++] = (struct dwarf_frame){ .file = dwarf_lines_file(u, file), .line = line->line };
	for (u32 at = line ? line->line : 0; scope != NONE && n < DWARF_MAX_DEPTH; n++) {
		const struct scope *s = &u->scopes[scope];

		ret[n] = (struct dwarf_frame){ .file = dwarf_lines_file(u, file), .line = at };
		if (d->dbg)
			die_name(d, s->origin, &ret[n]);
		file = s->call_file;
		at = s->call_line;
		scope = s->parent;
	}
	return n;
}
