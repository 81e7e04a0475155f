// SPDX-License-Identifier: GPL-2.0-or-later
/* ehframe.c: finds the frame information of an ELF file and has it compiled. */
#include <errno.h>
#include <stdlib.h>

#include "symbolizer/ehframe.h"
#include "symbolizer/elf.h"

static struct cfi_row *rows_of(struct elf_file *f, const char *name, bool debug_frame, u32 *ret_n)
{
	struct elf_section s, text = {}, got = {};
	struct cfi_section cfi;

	if (!elf_section(f, name, &s)) {
		errno = ENODATA;
		return NULL;
	}
	elf_section(f, ".text", &text);
	elf_section(f, ".got", &got);
	cfi = (struct cfi_section){
		.data = s.data, .size = s.size, .addr = s.addr, .debug_frame = debug_frame,
		.text_addr = text.addr, .data_addr = got.addr,
	};
	return cfi_rows(&cfi, ret_n);
}

static struct unwind_table *read_table(struct elf_file *f)
{
	struct unwind_table *t = NULL;
	struct cfi_row *rows;
	int err;
	u32 n;

	rows = rows_of(f, ".eh_frame", false, &n);
	if (!rows)
		rows = rows_of(f, ".debug_frame", true, &n);
	if (rows)
		t = unwind_table_pack(rows, n);
	err = errno;
	free(rows);
	errno = err;
	return t;
}

struct unwind_table *unwind_table_read(int fd)
{
	struct elf_file *f = elf_open(fd);
	struct unwind_table *t;
	int err;

	if (!f)
		return NULL;
	t = read_table(f);
	err = errno;
	elf_close(f);
	errno = err;
	return t;
}
