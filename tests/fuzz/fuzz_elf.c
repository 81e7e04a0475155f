// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_elf.c: bytes as an ELF file, read in all the ways the symbolizer does, the
 * placement of probes too; and as its own debug file.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbolizer/ehframe.h"
#include "symbolizer/names.h"
#include "symbolizer/placement.h"
#include "symbolizer/symbols.h"
#include "symbolizer/symtab.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void read_names(int fd)
{
	struct names *n = names_read(fd, debugfile_matches(fd, fd) ? fd : -1);
	char name[SYMBOL_NAME_MAX];
	u32 line;

	for (u64 addr = 0; n && addr < 0x5000; addr += 0x333) {
		if (names_find(n, addr, name, sizeof(name)))
			free(symbol_demangle(name));
		names_line(n, addr, name, sizeof(name), &line);
	}
	names_free(n);
}

/* Names found in seeds; and any offset, of which only some have symbols. */
static void place_probes(struct elf_file *f, size_t size)
{
	static const char *const names[] = { "f", "_init", "_fini", "f>_init", "_init>f", "f>f",
						"go:runtime.memmove", "go:runtime.main>runtime.memmove" };
	u64 offsets[ARRAY_SIZE(names)];

	symbols_find(f, names, ARRAY_SIZE(names), offsets);
	for (u64 at = 1; at < size + 8; at += 61) {
		placement_of(f, at);
		placement_inner(f, at, at / 2 + 1);
		placement_go(f, at);
		placement_call(f, at, at * 7, at + at / 2);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct symbolizer_segment segments[4];
	char link[DEBUGLINK_MAX];
	u8 build_id[BUILD_ID_MAX];
	struct elf_file *f;
	u32 crc;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	f = elf_file_open(fd);
	if (f) {
		elf_build_id(f, build_id, sizeof(build_id));
		elf_debuglink(f, link, sizeof(link), &crc);
		elf_exec_segments(f, segments, 4);
		place_probes(f, min(size, (size_t)65536));
		elf_file_close(f);
		read_names(fd);
		unwind_table_free(unwind_table_read(fd, NULL));
	}
	close(fd);
	return 0;
}
