/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf.h: the only user of libdwarf: the source line of an address and the functions inlined
 * there. For the unprivileged process only: libdwarf is not hardened against hostile files, so
 * ottop relies on limits of time and memory and on the process being expendable.
 */
#pragma once

#include "bpf/model/base.h"

#define DWARF_MAX_DEPTH 32	/* frames at one address; deeper ones are left out */

struct dwarf;

/* A function at an address. Strings are valid until the next call for the same file. */
struct dwarf_frame {
	const char *name;	/* as in the file, possibly mangled; NULL: unknown */
	const char *file;	/* source file of `line`; NULL: unknown */
	u32 line;		/* 0: unknown */
	u32 start;		/* line of the function's declaration; 0: unknown */
};

/*
 * Opens by descriptor (kept by the caller). NULL with errno: ENOEXEC not an ELF file for this
 * machine, ENODATA no DWARF, EFBIG too large when decompressed, EBADMSG. sup_fd: dwz's
 * supplementary file (elf_altlink()), or -1; ignored if its build-id does not match.
 */
struct dwarf *dwarf_open(int fd, int sup_fd);
void dwarf_close(struct dwarf *d);	/* NULL-safe */
/* Frees the units read, but keeps the file open and its list of units, which took longest. */
void dwarf_rest(struct dwarf *d);
/* Continues listing the compilation units, until until_ns. False: not finished. */
bool dwarf_index(struct dwarf *d, u64 until_ns);
/* Functions at an address, innermost first, the last not inlined; their number. Indexed only. */
u32 dwarf_find(struct dwarf *d, u64 addr, struct dwarf_frame ret[DWARF_MAX_DEPTH]);
/* Bytes allocated, without libdwarf's own. */
size_t dwarf_bytes(const struct dwarf *d);
/* As dwarf_bytes(), plus the file's decompressed sections; the others are mapped. */
size_t dwarf_file_bytes(const struct dwarf *d);
/* Drops the resident pages of mapped sections. */
void dwarf_untouch(const struct dwarf *d);
/* Whether results are missing because libdwarf ran out of memory. */
bool dwarf_out_of_memory(const struct dwarf *d);
/* CPU time of this process, in which limits are expressed. */
static inline u64 dwarf_clock_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}
