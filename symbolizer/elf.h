/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf.h: the only user of libelf: bounds-checked sections and symbols of a file. */
#pragma once

#include "symbolizer/source.h"
#include "symbolizer/symbolizer.h"

struct elf_file;

/* Opens by descriptor, the caller's. NULL: errno; ENOEXEC: not an ELF file for this machine. */
struct elf_file *elf_file_open(int fd);
/* From bytes in memory (the vDSO), which must stay valid until elf_file_close(). */
struct elf_file *elf_file_open_memory(const void *data, size_t n);
void elf_file_close(struct elf_file *f);	/* NULL-safe */

struct elf_section {
	const u8 *data;		/* NULL if it has no bytes; valid until elf_file_close() */
	size_t size;
	u64 addr;
};

/* A section, mapped or decompressed. False: none, or errno EFBIG: too large when decompressed. */
bool elf_section(struct elf_file *f, const char *name, struct elf_section *ret);
/* Drops the resident pages of mapped sections; they are read again on demand. */
void elf_rest(const struct elf_file *f);
/* Bytes of decompressed sections, which stay in memory. */
size_t elf_bytes(const struct elf_file *f);
/* Address of the entry point; 0: none. */
u64 elf_entry(struct elf_file *f);
/* GNU build-id; its length, 0 if there is none. */
size_t elf_build_id(struct elf_file *f, u8 *buf, size_t cap);
/* The executable segments, at most cap; their number. */
u32 elf_exec_segments(struct elf_file *f, struct symbolizer_segment *ret, u32 cap);

/* The same as an unread range of the descriptor, which must stay open; false: compressed. */
bool elf_section_source(struct elf_file *f, const char *name, struct source *ret, u64 *ret_addr);
/* End address of section number `number`; 0: unknown. */
u64 elf_section_end(struct elf_file *f, u32 number);
/* Reads up to n bytes of the file at an offset; returns how many. */
size_t elf_read(const struct elf_file *f, u64 offset, void *buf, size_t n);
u64 elf_size(const struct elf_file *f);
/* The symbols (an array of Elf64_Sym) and their names. */
struct elf_symbols {
	struct source symbols, names;
};

/* .symtab, or .dynsym. False: there is none. */
bool elf_symbols(struct elf_file *f, bool dynamic, struct elf_symbols *ret);
/* .gnu_debuglink: name and CRC of the debug file. False: absent. */
bool elf_debuglink(struct elf_file *f, char *name, size_t cap, u32 *ret_crc);

/* .gnu_debugaltlink: name of dwz's file; the length of its build-id, 0: absent. */
size_t elf_altlink(struct elf_file *f, char *name, size_t cap, u8 *id, size_t id_cap);
