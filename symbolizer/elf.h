/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf.h: the one door to libelf: sections and symbols of a file, bounds checked. */
#ifndef OTTOP_ELF_H
#define OTTOP_ELF_H

#include "symbolizer/source.h"
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

/*
 * The section of that name: mapped, or decompressed where it was compressed. False: there is none, or
 * with errno EFBIG: decompressed it would be more than this process may take.
 */
bool elf_section(struct elf_file *f, const char *name, struct elf_section *ret);
/* Gives back the pages of sections that were touched; they are read again from the file when needed. */
void elf_rest(const struct elf_file *f);
/* Bytes of the sections that were decompressed: those that stay in memory. */
size_t elf_bytes(const struct elf_file *f);
/* Where the kernel begins to run it; 0: nowhere. */
u64 elf_entry(struct elf_file *f);
/* GNU build-id; its length, 0 when there is none. */
size_t elf_build_id(struct elf_file *f, u8 *buf, size_t cap);
/* The executable segments, at most cap; their number. */
u32 elf_exec_segments(struct elf_file *f, struct symbolizer_segment *ret, u32 cap);

/*
 * The same as a range of the file, without reading it; false where it is
 * compressed. It reads from the descriptor of elf_open().
 */
bool elf_section_source(struct elf_file *f, const char *name, struct source *ret, u64 *ret_addr);
/* Where the section of that number ends, as an address; 0: unknown. */
u64 elf_section_end(struct elf_file *f, u32 number);
/* At most n bytes of the file from that offset on; how many there were. */
size_t elf_read(const struct elf_file *f, u64 offset, void *buf, size_t n);
/* Bytes of the file. */
u64 elf_size(const struct elf_file *f);
/* The symbols (Elf64_Sym, one after the other) and their names. */
struct elf_symbols {
	struct source symbols, names;
};

/* .symtab, or .dynsym. False: there is none. */
bool elf_symbols(struct elf_file *f, bool dynamic, struct elf_symbols *ret);
/* .gnu_debuglink: name of the file with the debug information, and its CRC. False: there is none. */
bool elf_debuglink(struct elf_file *f, char *name, size_t cap, u32 *ret_crc);

/*
 * .gnu_debugaltlink: name of the file that dwz moved parts of the debug information to;
 * the length of its build-id, 0: there is none.
 */
size_t elf_altlink(struct elf_file *f, char *name, size_t cap, u8 *id, size_t id_cap);

#endif
