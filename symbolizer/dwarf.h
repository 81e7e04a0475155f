/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dwarf.h: the one door to libdwarf: the source line of an address and the
 * functions that were inlined there. For the process without privileges only:
 * libdwarf is not made for files that want to harm, so limits of time and
 * memory, and the death of that process, are what the rest of ottop relies on.
 */
#ifndef OTTOP_DWARF_H
#define OTTOP_DWARF_H

#include "bpf/model/base.h"

#define DWARF_MAX_DEPTH 32	/* frames of one address: what is deeper is left out */

struct dwarf;

/* One function at an address. Texts are good until the next call for the same file. */
struct dwarf_frame {
	const char *name;	/* mangled where it is; NULL: unknown */
	const char *file;	/* where `line` is; NULL: unknown */
	u32 line;		/* 0: unknown */
	u32 start;		/* line that the function is declared at; 0: unknown */
};

/*
 * Opens by descriptor (which stays the caller's). NULL with errno: ENOEXEC no ELF
 * file of this machine, ENODATA it has no DWARF, EFBIG decompressed it would be too much, or EBADMSG. sup_fd: the file
 * that dwz moved parts of it to (elf_altlink()), or -1; it is used when it has
 * the right build-id.
 */
struct dwarf *dwarf_open(int fd, int sup_fd);
void dwarf_close(struct dwarf *d);	/* NULL-safe */
/* Keeps the file and where its units are, which took longest, and gives back what was read of them. */
void dwarf_rest(struct dwarf *d);
/* Goes on with the list of compilation units until then. False: there is more to do. */
bool dwarf_index(struct dwarf *d, u64 until_ns);
/*
 * The functions at an address of the file, the innermost first; the last one is
 * not inlined. Their number, 0 where nothing is known. After dwarf_index().
 */
u32 dwarf_find(struct dwarf *d, u64 addr, struct dwarf_frame ret[DWARF_MAX_DEPTH]);
/* Bytes that it holds of its own (not what libdwarf does). */
size_t dwarf_bytes(const struct dwarf *d);
/* Those and the file's sections that were compressed; the others are mapped. */
size_t dwarf_file_bytes(const struct dwarf *d);
/* Gives back what is resident of the sections that are mapped. */
void dwarf_untouch(const struct dwarf *d);
/* Whether something is unknown because libdwarf got no memory for it. */
bool dwarf_out_of_memory(const struct dwarf *d);
/* CPU time of this process, which is what limits are in. */
static inline u64 dwarf_clock_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

#endif
