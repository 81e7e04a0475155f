/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h: the names of one file's functions, from whatever it has: .symtab,
 * its separate debug file, .dynsym, .gnu_debugdata, Go's own table. Each is
 * opened when those before it had no name for an address.
 */
#ifndef OTTOP_NAMES_H
#define OTTOP_NAMES_H

#include "symbolizer/symbolizer.h"

struct names;

/*
 * Names of the file behind fd; debug_fd is its debug file (already found to be
 * its own by debugfile_matches()), or -1. Both stay the caller's. NULL with
 * errno: ENOEXEC.
 */
struct names *names_read(int fd, int debug_fd);
/* The same, if it has Go's own table; else NULL with errno ENODATA. */
struct names *names_of_go(int fd);
/* Name of the function that has addr, as the file has it. False: none. */
bool names_find(struct names *n, u64 addr, char *buf, size_t cap);
/* Source file and line where the names' own table says it (Go). False: not known. */
bool names_line(struct names *n, u64 addr, char *file, size_t cap, u32 *ret_line);
/* Why an address has no name. */
enum symbolizer_missing names_missing(const struct names *n);
/* False: the file was written to since names_read(). */
bool names_unchanged(const struct names *n);
/* It was read together with a debug file. */
bool names_has_debug(const struct names *n);
/* Functions that were indexed so far, and the memory of that. */
u32 names_count(const struct names *n);
size_t names_bytes(const struct names *n);
void names_free(struct names *n);	/* NULL-safe */

/*
 * Whether the file behind debug_fd holds the debug information of that behind
 * fd: by build-id, or where one of them has none, by the CRC (of .gnu_debuglink)
 * of the whole debug file.
 */
bool debugfile_matches(int fd, int debug_fd);

#endif
