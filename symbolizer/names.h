/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h: function names of one file, from all its sources: .symtab, its separate debug file,
 * .dynsym, .gnu_debugdata, Go's own table. Each is opened when the previous ones have no name for
 * an address.
 */
#pragma once

#include "symbolizer/symbolizer.h"

struct names;

/* Names of fd and its checked debug file (or -1), both the caller's. NULL: errno (ENOEXEC). */
struct names *names_read(int fd, int debug_fd);
/* As names_read(), for a file with Go's own table; else NULL with errno ENODATA. */
struct names *names_of_go(int fd);
/* Name of the function that contains addr, as in the file. False: none. */
bool names_find(struct names *n, u64 addr, char *buf, size_t cap);
/* Source file and line from the table itself (Go only). False: unknown. */
bool names_line(struct names *n, u64 addr, char *file, size_t cap, u32 *ret_line);
/* Why an address has no name. */
enum symbolizer_missing names_missing(const struct names *n);
/* False: the file was modified since names_read(). */
bool names_unchanged(const struct names *n);
bool names_has_debug(const struct names *n);
/* Number of functions indexed so far, and their memory. */
u32 names_count(const struct names *n);
size_t names_bytes(const struct names *n);
void names_free(struct names *n);	/* NULL-safe */

/* By build-id or, if one lacks it, the CRC (.gnu_debuglink) of the whole debug file. */
bool debugfile_matches(int fd, int debug_fd);
