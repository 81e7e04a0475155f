/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf_parts.h: private to the files around libdwarf: dwarf.c (units and lookups), dwarf_object.c
 * (the file), dwarf_gdb.c (its index), dwarf_die.c (single entries), dwarf_lines.c and
 * dwarf_functions.c (contents of a unit).
 */
#pragma once

#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>

/* libdwarf 0.3 renamed this interface (Debian 13 has 0.11). */
#ifdef DW_LIBDWARF_VERSION_MAJOR
#define NEW_LIBDWARF 1
#define Dwarf_Obj_Access_Interface Dwarf_Obj_Access_Interface_a
#define Dwarf_Obj_Access_Methods Dwarf_Obj_Access_Methods_a
#define Dwarf_Obj_Access_Section Dwarf_Obj_Access_Section_a
#define Dwarf_Endianness Dwarf_Small
#define DW_OBJECT_LSB DW_END_little
#define OBJ_METHOD(name) om_##name
#define OBJ_SECTION(name) as_##name
#define dwarf_object_finish(dbg, err) dwarf_object_finish(dbg)
#define dwarf_ranges_dealloc dwarf_dealloc_ranges
typedef Dwarf_Unsigned section_number;
#else
#define OBJ_METHOD(name) name
#define OBJ_SECTION(name) name
typedef Dwarf_Half section_number;
#endif

#include "symbolizer/dwarf.h"
#include "symbolizer/elf.h"

#define MAX_UNITS (1u << 18)
#define MAX_RANGES (1u << 22)	/* also of line rows */
#define NONE UINT32_MAX
#define IN_SUP (1ull << 63)	/* flag: the offset is one in the supplementary file */

struct range {
	u64 low, high;
	u32 of;		/* unit or scope */
};

struct ranges {
	struct range *all;
	u32 n, cap;
};

/* Consecutive rows of the line table. */
struct sequence {
	u64 low, high;
	u32 first, n;
};

struct line {
	u32 offset;	/* from the start of its sequence */
	u32 line, file;
};

/* A function or an inlined copy. */
struct scope {
	u64 origin;		/* offset of the DIE that leads to its name, possibly IN_SUP */
	u32 parent;		/* the scope it was inlined into; NONE: none */
	u32 func;		/* the enclosing scope that is not inlined */
	u32 depth;
	u32 call_file, call_line;
};

struct unit {
	u64 offset;		/* of its DIE */
	u64 used;
	bool loaded;
	struct sequence *sequences;
	struct line *lines;
	struct scope *scopes;
	struct ranges funcs;	/* of functions, sorted by address */
	struct ranges inlined;	/* sorted by function */
	char **files;
	u32 n_sequences, n_lines, n_scopes, n_files, first_file;
	u32 cap_sequences, cap_lines, cap_scopes;
};

struct section {
	const char *name;
	struct elf_section data;
};

struct dwarf {
	struct elf_file *elf;
	struct dwarf *sup;	/* the supplementary file; only its handle is used */
	struct section *sections;
	u32 n_sections;
	Dwarf_Obj_Access_Interface object;
	Dwarf_Debug dbg;
	Dwarf_Error err;
	struct unit *units;
	struct ranges ranges;	/* of units, sorted */
	u32 n_units, cap_units;
	u32 n_read;		/* units read through this handle */
	bool indexed;
	bool index_sought, has_index;	/* .gdb_index */
	bool too_big, no_memory;	/* too_big: a section when decompressed */
	u64 use_count, deadline_ns;
	size_t unit_bytes;	/* of the units in memory */
	int fd;
};

/* Whether a libdwarf call succeeded; frees its error. */
static inline bool good(struct dwarf *d, int result)
{
	if (result == DW_DLV_ERROR && d->err) {
		d->no_memory |= dwarf_errno(d->err) == DW_DLE_ALLOC_FAIL;
		dwarf_dealloc_error(d->dbg, d->err);
	}
	d->err = NULL;
	return result == DW_DLV_OK;
}

static inline void put_die(struct dwarf *d, Dwarf_Die die)
{
	dwarf_dealloc(d->dbg, die, DW_DLA_DIE);
}

/* ---- dwarf_object.c ---- */

/* Selects the sections shown to libdwarf. False: no .debug_info. */
bool object_find_sections(struct dwarf *d);
bool object_open(struct dwarf *d);
void object_close(struct dwarf *d);

/* ---- dwarf_die.c ---- */

/* Adds all address ranges of a DIE; false: it has none. `base` is its unit's. */
bool die_ranges(struct dwarf *d, Dwarf_Die die, u64 base, struct ranges *to, u32 of);
/* An attribute; NULL or 0: absent. Strings belong to libdwarf. */
const char *die_text(struct dwarf *d, Dwarf_Die die, Dwarf_Half at);
u64 die_uint(struct dwarf *d, Dwarf_Die die, Dwarf_Half at);
/* Offset of the DIE to which an attribute refers, possibly IN_SUP; 0: none. */
u64 die_reference(struct dwarf *d, Dwarf_Die die, Dwarf_Half at);
/* Base address for the DIEs of a unit. */
u64 die_unit_base(struct dwarf *d, Dwarf_Die cu);
/* Name and first line of the function with a DIE at this offset. */
void die_name(struct dwarf *d, u64 origin, struct dwarf_frame *f);

/* Adds low to high - 1, if it is a valid range. */
void die_range_add(struct ranges *to, u64 low, u64 high, u32 of);
int die_range_by_low(const void *a, const void *b);
void die_ranges_sort(struct ranges *r, int (*order)(const void *, const void *));
/* The range that contains addr, in sorted ranges that hardly overlap; NULL: none. */
const struct range *die_ranges_find(const struct ranges *r, u64 addr);

/* ---- dwarf_gdb.c ---- */

/* Reads units and addresses from the index. False: absent, or it does not match. */
bool dwarf_gdb_read(struct dwarf *d);

/* ---- dwarf_lines.c ---- */

void dwarf_lines_read(struct dwarf *d, struct unit *u, Dwarf_Die cu);
/* The row for addr: the last one not after it, in the sequence that contains it; NULL: none. */
const struct line *dwarf_lines_row(const struct unit *u, u64 addr);
/* Path of a file of the line table, or NULL. */
const char *dwarf_lines_file(const struct unit *u, u32 file);

/* ---- dwarf_functions.c ---- */

void dwarf_functions_read(struct dwarf *d, struct unit *u, Dwarf_Die cu);
/* The innermost scope that contains addr; NONE: no function does. */
u32 dwarf_functions_scope(const struct unit *u, u64 addr);
