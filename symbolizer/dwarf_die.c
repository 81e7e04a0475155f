// SPDX-License-Identifier: GPL-2.0-or-later
/* dwarf_die.c: addresses, attributes and the name of a DIE. DWARF 5: 2.17, 3.3.8. */
#include <stdlib.h>
#include <string.h>

#include "symbolizer/dwarf_parts.h"

#define MAX_HOPS 16		/* references from a function to its name */
/* DWARF 5, 7.5.6, and the older GNU form */
#define REF_SUP4 0x1c
#define REF_SUP8 0x24
#define GNU_REF_ALT 0x1f20

/* ---- addresses ---- */

int die_range_by_low(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return cmp(x->low, y->low) ?: cmp(x->of, y->of);
}

void die_ranges_sort(struct ranges *r, int (*order)(const void *, const void *))
{
	if (r->n)
		qsort(r->all, r->n, sizeof(*r->all), order);
}

/* The range that contains addr, in sorted ranges that hardly overlap; NULL: none. */
const struct range *die_ranges_find(const struct ranges *r, u64 addr)
{
	u32 after = bisect(i, 0, r->n, r->all[i].low <= addr);

	for (u32 i = after; i > 0 && after - i < 8; i--)
		if (addr < r->all[i - 1].high)
			return &r->all[i - 1];
	return NULL;
}

void die_range_add(struct ranges *to, u64 low, u64 high, u32 of)
{
	/* code discarded by the linker is at 0, 1 or the very end */
	if (low < 2 || high <= low || to->n >= MAX_RANGES)
		return;
	to->all = grow(to->all, to->n, &to->cap, sizeof(*to->all));
	to->all[to->n++] = (struct range){ low, high, of };
}

u64 die_unit_base(struct dwarf *d, Dwarf_Die cu)
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
			die_range_add(to, base + list[i].dwr_addr1, base + list[i].dwr_addr2, of);
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
			die_range_add(to, low, high, of);
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

const char *die_text(struct dwarf *d, Dwarf_Die die, Dwarf_Half at)
{
	Dwarf_Attribute attr;
	char *s = NULL;

	if (!good(d, dwarf_attr(die, at, &attr, &d->err)))
		return NULL;
	/* a missing supplementary file gives an error or a text that says so */
	if (!good(d, dwarf_formstring(attr, &s, &d->err)) || !strncmp(s, "<DW_FORM", 8))
		s = NULL;
	dwarf_dealloc_attribute(attr);
	return s && *s ? s : NULL;
}

bool die_ranges(struct dwarf *d, Dwarf_Die die, u64 base, struct ranges *to, u32 of)
{
	enum Dwarf_Form_Class class;
	Dwarf_Attribute attr;
	Dwarf_Addr low, high;
	Dwarf_Half form, version, size;
	u64 value;
	u32 before = to->n;

	if (good(d, dwarf_highpc_b(die, &high, &form, &class, &d->err)) &&
	    good(d, dwarf_lowpc(die, &low, &d->err))) {
		die_range_add(to, low, class == DW_FORM_CLASS_CONSTANT ? low + high : high, of);
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

u64 die_uint(struct dwarf *d, Dwarf_Die die, Dwarf_Half at)
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

static bool is_of_sup(Dwarf_Half form)
{
	return form == GNU_REF_ALT || form == REF_SUP4 || form == REF_SUP8;
}

u64 die_reference(struct dwarf *d, Dwarf_Die die, Dwarf_Half at)
{
	Dwarf_Attribute attr;
	Dwarf_Half form = 0;
	u64 v = 0;

	if (!good(d, dwarf_attr(die, at, &attr, &d->err)))
		return 0;
	if (!good(d, dwarf_whatform(attr, &form, &d->err)) || !attr_uint(d, attr, &v) || v & IN_SUP)
		v = 0;		/* the form decides which file it refers to, whatever the value */
	dwarf_dealloc_attribute(attr);
	return v && is_of_sup(form) ? v | IN_SUP : v;
}

/* ---- the name of a function ---- */

/* Follows a function to its abstract instance and declaration: DWARF 5, 3.3.8.3. */
void die_name(struct dwarf *d, u64 origin, struct dwarf_frame *f)
{
	for (u32 hop = 0; origin && hop < MAX_HOPS; hop++) {
		const char *linkage;
		Dwarf_Die die;
		u64 next;

		if (origin & IN_SUP)
			d = d->sup;	/* which has no `sup` itself: this happens once */
		origin &= ~IN_SUP;
		if (!d || !d->dbg || !good(d, dwarf_offdie_b(d->dbg, origin, true, &die, &d->err)))
			return;
		linkage = die_text(d, die, DW_AT_linkage_name) ?: die_text(d, die, DW_AT_MIPS_linkage_name);
		if (!f->name || linkage)
			f->name = linkage ?: die_text(d, die, DW_AT_name);
		if (!f->start)
			f->start = (u32)die_uint(d, die, DW_AT_decl_line);
		next = die_reference(d, die, DW_AT_abstract_origin) ?:
		       die_reference(d, die, DW_AT_specification);
		put_die(d, die);
		if (linkage || next == origin)
			return;
		origin = next;
	}
}
