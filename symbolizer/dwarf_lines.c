// SPDX-License-Identifier: GPL-2.0-or-later
/* dwarf_lines.c: the line table of a unit. DWARF 5: 6.2. */
#include <stdlib.h>
#include <string.h>

#include "symbolizer/dwarf_parts.h"

static int by_sequence(const void *a, const void *b)
{
	const struct sequence *x = a, *y = b;

	return cmp(x->low, y->low);
}

/* Takes the rows since the end of the previous sequence as one sequence, if they are sorted. */
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

/* libdwarf 20210528 also reports an end of sequence at the first row of an epilogue. */
static bool ends_sequence(struct dwarf *d, Dwarf_Line line)
{
	Dwarf_Bool end, prologue, epilogue;
	Dwarf_Unsigned isa, discriminator;

	if (!good(d, dwarf_lineendsequence(line, &end, &d->err)) || !end)
		return false;
	return !good(d, dwarf_prologue_end_etc(line, &prologue, &epilogue, &isa, &discriminator, &d->err)) ||
	       !epilogue;
}

/* In version 5 no file means file 1 (6.2.2), but libdwarf 20210528 returns 0, used only by LLVM. */
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

/* A file's path: its directory entry, relative to the unit's directory. DWARF 5, 6.2.4. */
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
	/* version 5 counts directories from 0, older ones from 1, where 0 is the unit's */
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

void dwarf_lines_read(struct dwarf *d, struct unit *u, Dwarf_Die cu)
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

const char *dwarf_lines_file(const struct unit *u, u32 file)
{
	return file - u->first_file < u->n_files ? u->files[file - u->first_file] : NULL;
}

const struct line *dwarf_lines_row(const struct unit *u, u64 addr)
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
