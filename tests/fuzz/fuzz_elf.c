// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_elf.c: bytes as an ELF file, read in all the ways the symbolizer does.
 *
 * sources: symbolizer/elf.c symbolizer/symtab.c symbolizer/cfi.c symbolizer/unwind_table.c
 * sources: symbolizer/ehframe.c bpf/log.c
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbolizer/ehframe.h"
#include "symbolizer/symtab.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void read_symbols(struct elf_file *f)
{
	struct symtab *t = symtab_read(f);

	for (u64 addr = 0; addr < 0x5000; addr += 0x333) {
		const char *name = symtab_find(t, addr);

		if (name)
			free(symbol_demangle(name));
	}
	symtab_free(t);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct symbolizer_segment segments[4];
	u8 build_id[BUILD_ID_MAX];
	struct elf_file *f;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	f = elf_open(fd);
	if (f) {
		elf_build_id(f, build_id, sizeof(build_id));
		elf_exec_segments(f, segments, 4);
		read_symbols(f);
		elf_close(f);
		unwind_table_free(unwind_table_read(fd));
	}
	close(fd);
	return 0;
}
