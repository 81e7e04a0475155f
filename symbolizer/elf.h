/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf.h: the one door to libelf: sections and symbols of a file, bounds checked. */
#ifndef OTTOP_ELF_H
#define OTTOP_ELF_H

#include "symbolizer/symbolizer.h"

struct elf_file;

/* Opens by descriptor (which stays the caller's). NULL with errno: ENOEXEC not an ELF file of this machine. */
struct elf_file *elf_open(int fd);
/* From bytes in memory (the vDSO); they must stay until elf_close(). */
struct elf_file *elf_open_memory(const void *data, size_t n);
void elf_close(struct elf_file *f);	/* NULL-safe */

struct elf_section {
	const u8 *data;		/* NULL where it has no bytes; valid until elf_close() */
	size_t size;
	u64 addr;
};

/* The section of that name, decompressed where it was compressed. False: there is none. */
bool elf_section(struct elf_file *f, const char *name, struct elf_section *ret);
/* Where the kernel begins to run it; 0: nowhere. */
u64 elf_entry(struct elf_file *f);
/* GNU build-id; its length, 0 when there is none. */
size_t elf_build_id(struct elf_file *f, u8 *buf, size_t cap);
/* The executable segments, at most cap; their number. */
u32 elf_exec_segments(struct elf_file *f, struct symbolizer_segment *ret, u32 cap);

/* Calls fn for each function symbol of .symtab, or of .dynsym where there is no .symtab. */
void elf_symbols(struct elf_file *f, void (*fn)(void *arg, const char *name, u64 addr, u64 size),
		 void *arg);

#endif
