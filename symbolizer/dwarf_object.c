// SPDX-License-Identifier: GPL-2.0-or-later
/* dwarf_object.c: presents a file to libdwarf: sections checked by elf.c. */
#include <errno.h>
#include <string.h>

#include "symbolizer/bytes.h"
#include "symbolizer/dwarf_parts.h"

static int section_info(void *obj, section_number i, Dwarf_Obj_Access_Section *ret, int *err)
{
	const struct dwarf *d = obj;

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

	if (i >= d->n_sections || !d->sections[i].data.data)
		return DW_DLV_NO_ENTRY;
	*ret = (Dwarf_Small *)d->sections[i].data.data;
	return DW_DLV_OK;
}

static Dwarf_Endianness byte_order(void *obj)
{
	return DW_OBJECT_LSB;
}

static Dwarf_Small length_size(void *obj)
{
	return 4;
}

static Dwarf_Small pointer_size(void *obj)
{
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

/* Checks range list headers (DWARF 5, 7.28), on which libdwarf 20210528 may free twice or loop. */
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

bool object_find_sections(struct dwarf *d)
{
	static const char *const names[] = {
		".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_ranges",
		".debug_line_str", ".debug_rnglists", ".debug_addr", ".debug_str_offsets",
	};

	d->sections = xcalloc(ARRAY_SIZE(names) + 1, sizeof(*d->sections));
	d->sections[d->n_sections++].name = "";	/* the first one is empty, as in ELF */
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		struct section *s = &d->sections[d->n_sections];

		if (!elf_section(d->elf, names[i], &s->data)) {
			d->too_big |= errno == EFBIG;
			continue;
		}
		if (!strcmp(names[i], ".debug_rnglists") && !good_rnglists(&s->data))
			continue;
		s->name = names[i];
		d->n_sections++;
	}
	return !d->too_big && d->n_sections > 1 && !strcmp(d->sections[1].name, ".debug_info");
}

bool object_open(struct dwarf *d)
{
	d->object = (Dwarf_Obj_Access_Interface){ d, &methods };
	d->n_read = 0;
	if (!good(d, dwarf_object_init_b(&d->object, NULL, NULL, DW_GROUPNUMBER_ANY, &d->dbg, &d->err))) {
		d->dbg = NULL;
		return false;
	}
	/* libdwarf reads strings of the other file through this; we follow references ourselves */
	if (d->sup && object_open(d->sup))
		good(d, dwarf_set_tied_dbg(d->dbg, d->sup->dbg, &d->err));
	return true;
}

void object_close(struct dwarf *d)
{
	if (d->dbg)
		good(d, dwarf_object_finish(d->dbg, &d->err));
	d->dbg = NULL;
	if (d->sup)
		object_close(d->sup);
}
