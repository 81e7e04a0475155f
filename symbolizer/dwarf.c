// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dwarf.c: see dwarf.h. A file is indexed by the addresses of its compilation
 * units (their own attributes: .debug_aranges is often missing and sometimes
 * wrong). A unit is read when an address is in it: its line table, and the
 * ranges of its functions and of what was inlined into them. DWARF 5: 2.17
 * addresses, 3.3.8 inlining, 6.2 lines; libdwarf 20210528 and later.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>

/* The same interface has other names from libdwarf 0.3 on (Debian 13 has 0.11). */
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

#include "symbolizer/bytes.h"
#include "symbolizer/dwarf.h"
#include "symbolizer/elf.h"

#define UNIT_CACHE_BYTES (16u << 20)
#define UNITS_PER_HANDLE 256	/* libdwarf keeps what it read of each: then it begins anew */
#define MAX_UNITS (1u << 18)
#define MAX_RANGES (1u << 22)
#define MAX_NEST 200		/* of DIEs */
#define MAX_HOPS 16		/* from a function to where its name is */
#define UNIT_NS (3 * NSEC_PER_SEC)	/* for one unit: what is not read by then is unknown */
#define NONE UINT32_MAX

struct range {
	u64 low, high;
	u32 of;		/* unit or scope */
};

struct ranges {
	struct range *all;
	u32 n, cap;
};

/* Rows of the line table that follow each other. */
struct sequence {
	u64 low, high;
	u32 first, n;
};

struct line {
	u32 offset;	/* from the start of its sequence */
	u32 line, file;
};

/* A function or an inlined copy of one. */
struct scope {
	u64 origin;		/* offset of the DIE that leads to its name */
	u32 parent;		/* the scope it was inlined into; NONE: none */
	u32 func;		/* the scope that is not inlined */
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
	struct section *sections;
	u32 n_sections;
	Dwarf_Obj_Access_Interface object;
	Dwarf_Debug dbg;
	Dwarf_Error err;
	struct unit *units;
	struct ranges ranges;	/* of units, sorted */
	u32 n_units, cap_units;
	u32 n_read;		/* units read with this handle */
	bool indexed;
	u64 use_count, deadline_ns;
	size_t unit_bytes;	/* of the units in memory */
	int fd;
};

/* Whether a call of libdwarf went well; its error is let go of. */
static bool good(struct dwarf *d, int result)
{
	if (result == DW_DLV_ERROR && d->err)
		dwarf_dealloc_error(d->dbg, d->err);
	d->err = NULL;
	return result == DW_DLV_OK;
}

static void put_die(struct dwarf *d, Dwarf_Die die)
{
	dwarf_dealloc(d->dbg, die, DW_DLA_DIE);
}

/* ---- what libdwarf sees of the file: sections that elf.c has checked ---- */

static int section_info(void *obj, section_number i, Dwarf_Obj_Access_Section *ret, int *err)
{
	const struct dwarf *d = obj;

	(void)err;
	memset(ret, 0, sizeof(*ret));
	if (i >= d->n_sections)
		return DW_DLV_NO_ENTRY;
	ret->OBJ_SECTION(name) = d->sections[i].name;
	ret->OBJ_SECTION(type) = 1;	/* SHT_PROGBITS */
	ret->OBJ_SECTION(size) = d->sections[i].data.size;
	return DW_DLV_OK;
}

static int load_section(void *obj, section_number i, Dwarf_Small **ret, int *err)
{
	const struct dwarf *d = obj;

	(void)err;
	if (i >= d->n_sections || !d->sections[i].data.data)
		return DW_DLV_NO_ENTRY;
	*ret = (Dwarf_Small *)d->sections[i].data.data;
	return DW_DLV_OK;
}

static Dwarf_Endianness byte_order(void *obj)
{
	(void)obj;
	return DW_OBJECT_LSB;
}

static Dwarf_Small length_size(void *obj)
{
	(void)obj;
	return 4;
}

static Dwarf_Small pointer_size(void *obj)
{
	(void)obj;
	return 8;
}

#ifdef NEW_LIBDWARF
static Dwarf_Unsigned file_size(void *obj)
{
	const struct dwarf *d = obj;
	Dwarf_Unsigned n = 0;

	for (u32 i = 0; i < d->n_sections; i++)
		n += d->sections[i].data.size;
	return n;
}
#endif

static Dwarf_Unsigned section_count(void *obj)
{
	return ((const struct dwarf *)obj)->n_sections;
}

static const Dwarf_Obj_Access_Methods methods = {
	.OBJ_METHOD(get_section_info) = section_info, .OBJ_METHOD(get_byte_order) = byte_order,
	.OBJ_METHOD(get_length_size) = length_size, .OBJ_METHOD(get_pointer_size) = pointer_size,
	.OBJ_METHOD(get_section_count) = section_count, .OBJ_METHOD(load_section) = load_section,
#ifdef NEW_LIBDWARF
	.om_get_filesize = file_size,
#endif
};

/*
 * Headers of range lists, DWARF 5, 7.28: libdwarf 20210528 frees twice, or runs in
 * circles, when one of them is wrong.
 */
static bool good_rnglists(const struct elf_section *s)
{
	struct bytes b = bytes_of(s->data, s->size);

	while (bytes_left(&b)) {
		u64 length = bytes_uint(&b, 4), version = bytes_uint(&b, 2), address = bytes_uint(&b, 1);
		u64 segment = bytes_uint(&b, 1), offsets = bytes_uint(&b, 4);

		if (b.failed || version != 5 || address != 8 || segment || length < 8 ||
		    offsets * 4 > length - 8)
			return false;
		bytes_skip(&b, length - 8);
		if (b.failed)
			return false;
	}
	return true;
}

static bool find_sections(struct dwarf *d)
{
	static const char *const names[] = {
		".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_ranges",
		".debug_line_str", ".debug_rnglists", ".debug_addr", ".debug_str_offsets",
	};

	d->sections = xcalloc(ARRAY_SIZE(names) + 1, sizeof(*d->sections));
	d->sections[d->n_sections++].name = "";	/* as in ELF, the first one is none */
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		struct section *s = &d->sections[d->n_sections];

		if (!elf_section(d->elf, names[i], &s->data) ||
		    (!strcmp(names[i], ".debug_rnglists") && !good_rnglists(&s->data)))
			continue;
		s->name = names[i];
		d->n_sections++;
	}
	return d->n_sections > 1 && !strcmp(d->sections[1].name, ".debug_info");
}

static bool open_handle(struct dwarf *d)
{
	d->object = (Dwarf_Obj_Access_Interface){ d, &methods };
	d->n_read = 0;
	if (good(d, dwarf_object_init_b(&d->object, NULL, NULL, DW_GROUPNUMBER_ANY, &d->dbg, &d->err)))
		return true;
	d->dbg = NULL;
	return false;
}

static void close_handle(struct dwarf *d)
{
	if (d->dbg)
		good(d, dwarf_object_finish(d->dbg, &d->err));
	d->dbg = NULL;
}

struct dwarf *dwarf_open(int fd)
{
	struct elf_file *elf;
	struct dwarf *d;
	int own = dup(fd);

	elf = own >= 0 ? elf_open(own) : NULL;
	if (!elf) {
		int err = errno;

		close(own);
		errno = err;
		return NULL;
	}
	d = xcalloc(1, sizeof(*d));
	d->elf = elf;
	d->fd = own;
	dwarf_set_de_alloc_flag(0);	/* we give back what we take: half the time */
	if (find_sections(d) && open_handle(d))
		return d;
	errno = d->n_sections > 1 ? EBADMSG : ENODATA;
	own = errno;
	dwarf_close(d);
	errno = own;
	return NULL;
}

/* ---- addresses of a DIE ---- */

static void add_range(struct ranges *to, u64 low, u64 high, u32 of)
{
	/* code that the linker threw away is at 0, 1 or the very end */
	if (low < 2 || high <= low || to->n >= MAX_RANGES)
		return;
	to->all = grow(to->all, to->n, &to->cap, sizeof(*to->all));
	to->all[to->n++] = (struct range){ low, high, of };
}

static u64 unit_base(struct dwarf *d, Dwarf_Die cu)
{
	Dwarf_Addr base = 0;

	return good(d, dwarf_lowpc(cu, &base, &d->err)) ? base : 0;
}

/* DWARF 4, 2.17.3 */
static void old_ranges(struct dwarf *d, Dwarf_Die die, u64 offset, u64 base, struct ranges *to, u32 of)
{
	Dwarf_Ranges *list;
	Dwarf_Signed count;
	Dwarf_Unsigned bytes;
	Dwarf_Off real;

	if (!good(d, dwarf_get_ranges_b(d->dbg, offset, die, &real, &list, &count, &bytes, &d->err)))
		return;
	for (Dwarf_Signed i = 0; i < count && list[i].dwr_type != DW_RANGES_END; i++) {
		if (list[i].dwr_type == DW_RANGES_ADDRESS_SELECTION)
			base = list[i].dwr_addr2;
		else
			add_range(to, base + list[i].dwr_addr1, base + list[i].dwr_addr2, of);
	}
	dwarf_ranges_dealloc(d->dbg, list, count);
}

/* DWARF 5, 2.17.3 */
static void new_ranges(struct dwarf *d, Dwarf_Attribute attr, Dwarf_Half form, u64 value,
		       struct ranges *to, u32 of)
{
	Dwarf_Rnglists_Head head;
	Dwarf_Unsigned count, at;

	if (!good(d, dwarf_rnglists_get_rle_head(attr, form, value, &head, &count, &at, &d->err)))
		return;
	for (Dwarf_Unsigned i = 0; i < count; i++) {
		Dwarf_Unsigned raw1, raw2, low, high;
		unsigned len, kind;
		Dwarf_Bool missing;

		if (!good(d, dwarf_get_rnglists_entry_fields_a(head, i, &len, &kind, &raw1, &raw2,
							       &missing, &low, &high, &d->err)) ||
		    kind == DW_RLE_end_of_list)
			break;
		if (kind != DW_RLE_base_address && kind != DW_RLE_base_addressx && !missing)
			add_range(to, low, high, of);
	}
	dwarf_dealloc_rnglists_head(head);
}

static bool attr_uint(struct dwarf *d, Dwarf_Attribute attr, u64 *ret)
{
	Dwarf_Signed s;
	Dwarf_Unsigned u;
	Dwarf_Off off;

	if (good(d, dwarf_formudata(attr, &u, &d->err)))
		*ret = u;
	else if (good(d, dwarf_formsdata(attr, &s, &d->err)))
		*ret = (u64)s;
	else if (good(d, dwarf_global_formref(attr, &off, &d->err)))
		*ret = off;
	else
		return false;
	return true;
}

static const char *die_text(struct dwarf *d, Dwarf_Die die, Dwarf_Half at)
{
	Dwarf_Attribute attr;
	char *s = NULL;

	if (!good(d, dwarf_attr(die, at, &attr, &d->err)))
		return NULL;
	/* a text in another file (dwz) is an error, or a text that says so */
	if (!good(d, dwarf_formstring(attr, &s, &d->err)) || !strncmp(s, "<DW_FORM", 8))
		s = NULL;
	dwarf_dealloc_attribute(attr);
	return s && *s ? s : NULL;
}

/* All addresses of a DIE; false: it has none. `base` is its unit's. */
static bool die_ranges(struct dwarf *d, Dwarf_Die die, u64 base, struct ranges *to, u32 of)
{
	enum Dwarf_Form_Class class;
	Dwarf_Attribute attr;
	Dwarf_Addr low, high;
	Dwarf_Half form, version, size;
	u64 value;
	u32 before = to->n;

	if (good(d, dwarf_highpc_b(die, &high, &form, &class, &d->err)) &&
	    good(d, dwarf_lowpc(die, &low, &d->err))) {
		add_range(to, low, class == DW_FORM_CLASS_CONSTANT ? low + high : high, of);
		return to->n > before;
	}
	if (!good(d, dwarf_attr(die, DW_AT_ranges, &attr, &d->err)))
		return false;
	if (good(d, dwarf_whatform(attr, &form, &d->err)) && attr_uint(d, attr, &value) &&
	    !dwarf_get_version_of_die(die, &version, &size)) {
		if (version >= 5)
			new_ranges(d, attr, form, value, to, of);
		else
			old_ranges(d, die, value, base, to, of);
	}
	dwarf_dealloc_attribute(attr);
	return to->n > before;
}

/* ---- the list of units ---- */

static int by_low(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	return x->of < y->of ? -1 : x->of > y->of;
}

static void sort_ranges(struct ranges *r, int (*order)(const void *, const void *))
{
	if (r->n)
		qsort(r->all, r->n, sizeof(*r->all), order);
}

/* The range that has addr, where they hardly overlap; NULL: none. */
static const struct range *find_range(const struct ranges *r, u64 addr)
{
	u32 after = bisect(i, 0, r->n, r->all[i].low <= addr);

	for (u32 i = after; i > 0 && after - i < 8; i--)
		if (addr < r->all[i - 1].high)
			return &r->all[i - 1];
	return NULL;
}

static void add_unit(struct dwarf *d, Dwarf_Die cu)
{
	Dwarf_Off offset;
	Dwarf_Half tag;

	if (!good(d, dwarf_tag(cu, &tag, &d->err)) ||
	    (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit) ||
	    !good(d, dwarf_dieoffset(cu, &offset, &d->err)) ||
	    !die_ranges(d, cu, unit_base(d, cu), &d->ranges, d->n_units))
		return;
	d->units = grow(d->units, d->n_units, &d->cap_units, sizeof(*d->units));
	d->units[d->n_units++] = (struct unit){ .offset = offset };
}

/* False: that was the last one. */
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
	for (u32 i = 1; !d->indexed; i++) {
		if (!next_unit(d)) {
			d->indexed = true;
			sort_ranges(&d->ranges, by_low);
		} else if (i % 16 == 0 && dwarf_clock_ns() > until_ns) {
			return false;
		}
	}
	return true;
}

/* ---- lines of a unit ---- */

static int by_sequence(const void *a, const void *b)
{
	const struct sequence *x = a, *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

/* Takes the rows since the last end of a sequence as one, if they are in order. */
static void end_sequence(struct unit *u, u32 first, u64 low, u64 high)
{
	u32 n = u->n_lines - first;

	for (u32 i = first + 1; i < u->n_lines; i++)
		if (u->lines[i].offset < u->lines[i - 1].offset)
			n = 0;
	if (!n || low < 2 || high <= low || high - low > UINT32_MAX) {
		u->n_lines = first;
		return;
	}
	u->sequences = grow(u->sequences, u->n_sequences, &u->cap_sequences, sizeof(*u->sequences));
	u->sequences[u->n_sequences++] = (struct sequence){ .low = low, .high = high, .first = first, .n = n };
}

/* libdwarf 20210528 says of the first row of an epilogue too that it ends the sequence. */
static bool ends_sequence(struct dwarf *d, Dwarf_Line line)
{
	Dwarf_Bool end, prologue, epilogue;
	Dwarf_Unsigned isa, discriminator;

	if (!good(d, dwarf_lineendsequence(line, &end, &d->err)) || !end)
		return false;
	return !good(d, dwarf_prologue_end_etc(line, &prologue, &epilogue, &isa, &discriminator, &d->err)) ||
	       !epilogue;
}

/*
 * A row of version 5 that names no file is of file 1 (6.2.2); libdwarf 20210528
 * says 0. Of the compilers only those of LLVM ever name file 0.
 */
static bool zero_is_one(struct dwarf *d, Dwarf_Die cu, u64 version)
{
	const char *producer = die_text(d, cu, DW_AT_producer);

	return version >= 5 && !(producer && (strstr(producer, "LLVM") || strstr(producer, "clang")));
}

static void take_lines(struct dwarf *d, struct unit *u, Dwarf_Line *lines, Dwarf_Signed n, bool add)
{
	u32 first = 0;
	u64 low = 0;

	for (Dwarf_Signed i = 0; i < n && u->n_lines < MAX_RANGES; i++) {
		Dwarf_Unsigned line, file;
		Dwarf_Addr addr;

		if (!good(d, dwarf_lineaddr(lines[i], &addr, &d->err)) ||
		    !good(d, dwarf_lineno(lines[i], &line, &d->err)) ||
		    !good(d, dwarf_line_srcfileno(lines[i], &file, &d->err)))
			continue;
		if (ends_sequence(d, lines[i])) {
			end_sequence(u, first, low, addr);
			first = u->n_lines;
			continue;
		}
		u->lines = grow(u->lines, u->n_lines, &u->cap_lines, sizeof(*u->lines));
		if (u->n_lines == first)
			low = addr;
		u->lines[u->n_lines++] = (struct line){ (u32)(addr - low), (u32)line, (u32)file + (add && !file) };
	}
	u->n_lines = first;
	if (u->n_sequences)
		qsort(u->sequences, u->n_sequences, sizeof(*u->sequences), by_sequence);
}

/* A file's path: the directory of its entry, below that of the unit. DWARF 5, 6.2.4. */
static char *file_path(struct dwarf *d, Dwarf_Line_Context ctx, Dwarf_Signed i, u64 version)
{
	Dwarf_Unsigned dir_index, time, length;
	const char *name, *dir = NULL, *comp = NULL;
	Dwarf_Form_Data16 *md5;

	if (!good(d, dwarf_srclines_files_data_b(ctx, i, &name, &dir_index, &time, &length, &md5, &d->err)) ||
	    !name)
		return NULL;
	if (name[0] == '/')
		return xstrdup(name);
	if (!good(d, dwarf_srclines_comp_dir(ctx, &comp, &d->err)))
		comp = NULL;
	/* version 5 counts directories from 0, the older ones from 1: 0 is the unit's */
	if ((version >= 5 || dir_index) &&
	    !good(d, dwarf_srclines_include_dir_data(ctx, (Dwarf_Signed)dir_index, &dir, &d->err)))
		dir = NULL;
	if (dir && dir[0] == '/')
		comp = NULL;
	return xasprintf("%s%s%s%s%s", comp ? comp : "", comp ? "/" : "", dir ? dir : "", dir ? "/" : "", name);
}

static void take_files(struct dwarf *d, struct unit *u, Dwarf_Line_Context ctx, u64 version)
{
	Dwarf_Signed first, count, end;

	if (!good(d, dwarf_srclines_files_indexes(ctx, &first, &count, &end, &d->err)) ||
	    first < 0 || count <= 0 || count > 1 << 20)
		return;
	u->first_file = (u32)first;
	u->n_files = (u32)count;
	u->files = xcalloc(u->n_files, sizeof(*u->files));
	for (u32 i = 0; i < u->n_files; i++)
		u->files[i] = file_path(d, ctx, first + i, version);
}

static void read_lines(struct dwarf *d, struct unit *u, Dwarf_Die cu)
{
	Dwarf_Line_Context ctx;
	Dwarf_Unsigned version;
	Dwarf_Signed n;
	Dwarf_Small tables;
	Dwarf_Line *lines;

	if (!good(d, dwarf_srclines_b(cu, &version, &tables, &ctx, &d->err)))
		return;
	if (tables == 1 && good(d, dwarf_srclines_from_linecontext(ctx, &lines, &n, &d->err))) {
		take_files(d, u, ctx, version);
		take_lines(d, u, lines, n, zero_is_one(d, cu, version) && u->n_files > 1);
	}
	dwarf_srclines_dealloc_b(ctx);
}

/* ---- functions of a unit ---- */

struct walk {
	struct unit *unit;
	u64 base;
	u32 nest, in_function, n;
	bool late;
};

static u64 die_uint(struct dwarf *d, Dwarf_Die die, Dwarf_Half at)
{
	Dwarf_Attribute attr;
	u64 v = 0;

	if (!good(d, dwarf_attr(die, at, &attr, &d->err)))
		return 0;
	if (!attr_uint(d, attr, &v))
		v = 0;
	dwarf_dealloc_attribute(attr);
	return v;
}

/* Makes a scope of a function that has code; NONE where it has not. */
static u32 add_function(struct dwarf *d, struct walk *w, Dwarf_Die die)
{
	struct unit *u = w->unit;
	Dwarf_Off offset;

	if (!die_ranges(d, die, w->base, &u->funcs, u->n_scopes) ||
	    !good(d, dwarf_dieoffset(die, &offset, &d->err)))
		return NONE;
	u->scopes = grow(u->scopes, u->n_scopes, &u->cap_scopes, sizeof(*u->scopes));
	u->scopes[u->n_scopes] = (struct scope){ .origin = offset, .parent = NONE, .func = u->n_scopes };
	return u->n_scopes++;
}

static u32 add_inlined(struct dwarf *d, struct walk *w, Dwarf_Die die, u32 parent)
{
	struct unit *u = w->unit;

	if (parent == NONE || u->scopes[parent].depth + 1 >= DWARF_MAX_DEPTH ||
	    !die_ranges(d, die, w->base, &u->inlined, u->n_scopes))
		return parent;
	u->scopes = grow(u->scopes, u->n_scopes, &u->cap_scopes, sizeof(*u->scopes));
	u->scopes[u->n_scopes] = (struct scope){
		.origin = die_uint(d, die, DW_AT_abstract_origin), .parent = parent,
		.func = u->scopes[parent].func, .depth = u->scopes[parent].depth + 1,
		.call_file = (u32)die_uint(d, die, DW_AT_call_file),
		.call_line = (u32)die_uint(d, die, DW_AT_call_line),
	};
	return u->n_scopes++;
}

static void walk_children(struct dwarf *d, struct walk *w, Dwarf_Die parent, u32 scope);

static void walk_die(struct dwarf *d, struct walk *w, Dwarf_Die die, u32 scope)
{
	Dwarf_Half tag;

	if (!good(d, dwarf_tag(die, &tag, &d->err)))
		return;
	switch (tag) {
	case DW_TAG_subprogram:
		w->in_function++;
		walk_children(d, w, die, add_function(d, w, die));
		w->in_function--;
		break;
	case DW_TAG_inlined_subroutine:
		walk_children(d, w, die, add_inlined(d, w, die, scope));
		break;
	case DW_TAG_namespace: case DW_TAG_module: case DW_TAG_lexical_block:
	case DW_TAG_try_block: case DW_TAG_catch_block: case DW_TAG_with_stmt:
		walk_children(d, w, die, scope);
		break;
	case DW_TAG_structure_type: case DW_TAG_class_type: case DW_TAG_union_type:
		if (w->in_function)	/* lambdas and other local classes: methods are defined within */
			walk_children(d, w, die, NONE);
		break;
	}
}

static void walk_children(struct dwarf *d, struct walk *w, Dwarf_Die parent, u32 scope)
{
	Dwarf_Die die, next;

	if (w->nest >= MAX_NEST || !good(d, dwarf_child(parent, &die, &d->err)))
		return;
	w->nest++;
	for (;;) {
		bool more;

		if (++w->n % 256 == 0 && dwarf_clock_ns() > d->deadline_ns)
			w->late = true;
		if (!w->late)
			walk_die(d, w, die, scope);
		more = !w->late && good(d, dwarf_siblingof_b(d->dbg, die, true, &next, &d->err));
		put_die(d, die);
		if (!more)
			break;
		die = next;
	}
	w->nest--;
}

static const struct scope *sort_scopes;	/* qsort() has no argument for it, qsort_r() no place in C11 */

static int by_function(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	u32 f = sort_scopes[x->of].func, g = sort_scopes[y->of].func;

	if (f != g)
		return f < g ? -1 : 1;
	return x->of < y->of ? -1 : x->of > y->of;
}

static void read_functions(struct dwarf *d, struct unit *u, Dwarf_Die cu)
{
	struct walk w = { .unit = u, .base = unit_base(d, cu) };

	walk_children(d, &w, cu, NONE);
	sort_ranges(&u->funcs, by_low);
	sort_scopes = u->scopes;
	sort_ranges(&u->inlined, by_function);
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

/* Gives back what growing took too much. */
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

	u->loaded = true;	/* whatever comes: not again */
	if (d->n_read++ >= UNITS_PER_HANDLE) {
		close_handle(d);
		if (!open_handle(d))
			return;
	}
	if (!d->dbg || !good(d, dwarf_offdie_b(d->dbg, u->offset, true, &cu, &d->err)))
		return;
	d->deadline_ns = dwarf_clock_ns() + UNIT_NS;
	read_lines(d, u, cu);
	read_functions(d, u, cu);
	put_die(d, cu);
	shrink_unit(u);
	d->unit_bytes += unit_bytes(u);
	make_room(d, u);
}

void dwarf_close(struct dwarf *d)
{
	if (!d)
		return;
	for (u32 i = 0; i < d->n_units; i++)
		unload(d, &d->units[i]);
	close_handle(d);
	elf_close(d->elf);
	close(d->fd);
	free(d->units);
	free(d->ranges.all);
	free(d->sections);
	free(d);
}

/* ---- names ---- */

/* Follows a function to its abstract instance and its declaration: DWARF 5, 3.3.8.3. */
static void find_name(struct dwarf *d, u64 origin, struct dwarf_frame *f)
{
	for (u32 hop = 0; origin && hop < MAX_HOPS; hop++) {
		const char *linkage;
		Dwarf_Die die;
		u64 next;

		if (!good(d, dwarf_offdie_b(d->dbg, origin, true, &die, &d->err)))
			return;
		linkage = die_text(d, die, DW_AT_linkage_name) ?: die_text(d, die, DW_AT_MIPS_linkage_name);
		if (!f->name || linkage)
			f->name = linkage ?: die_text(d, die, DW_AT_name);
		if (!f->start)
			f->start = (u32)die_uint(d, die, DW_AT_decl_line);
		next = die_uint(d, die, DW_AT_abstract_origin) ?: die_uint(d, die, DW_AT_specification);
		put_die(d, die);
		if (linkage || next == origin)
			return;
		origin = next;
	}
}

/* ---- questions ---- */

static const char *file_name(const struct unit *u, u32 file)
{
	return file - u->first_file < u->n_files ? u->files[file - u->first_file] : NULL;
}

/* The last row that is not behind addr, of the sequence that has it. */
static const struct line *find_line(const struct unit *u, u64 addr)
{
	const struct sequence *s = NULL;
	u32 after = bisect(i, 0, u->n_sequences, u->sequences[i].low <= addr);

	for (u32 i = after; i > 0 && after - i < 8 && !s; i--)
		if (addr < u->sequences[i - 1].high)
			s = &u->sequences[i - 1];
	if (!s)
		return NULL;
	after = bisect(i, s->first, s->first + s->n, u->lines[i].offset <= addr - s->low);
	return &u->lines[after - 1];
}

/* The innermost scope that has addr; NONE: it is in no function. */
static u32 find_scope(const struct unit *u, u64 addr)
{
	const struct range *r = find_range(&u->funcs, addr);
	const struct ranges *inlined = &u->inlined;
	u32 k, best;

	if (!r)
		return NONE;
	best = r->of;
	k = bisect(i, 0, inlined->n, u->scopes[inlined->all[i].of].func < r->of);
	for (; k < inlined->n && u->scopes[inlined->all[k].of].func == r->of; k++) {
		const struct range *i = &inlined->all[k];

		if (addr >= i->low && addr < i->high && u->scopes[i->of].depth > u->scopes[best].depth)
			best = i->of;
	}
	return best;
}

u32 dwarf_find(struct dwarf *d, u64 addr, struct dwarf_frame ret[DWARF_MAX_DEPTH])
{
	const struct range *r = find_range(&d->ranges, addr);
	const struct line *line;
	u32 n = 0, file, scope;
	struct unit *u;

	if (!r)
		return 0;
	u = &d->units[r->of];
	if (!u->loaded)
		load(d, u);
	u->used = ++d->use_count;
	line = find_line(u, addr);
	file = line ? line->file : NONE;
	scope = find_scope(u, addr);
	if (scope == NONE && line)	/* assembler: lines, but no functions */
		ret[n++] = (struct dwarf_frame){ .file = file_name(u, file), .line = line->line };
	for (u32 at = line ? line->line : 0; scope != NONE && n < DWARF_MAX_DEPTH; n++) {
		const struct scope *s = &u->scopes[scope];

		ret[n] = (struct dwarf_frame){ .file = file_name(u, file), .line = at };
		if (d->dbg)
			find_name(d, s->origin, &ret[n]);
		file = s->call_file;
		at = s->call_line;
		scope = s->parent;
	}
	return n;
}
