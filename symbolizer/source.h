/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source.h: a range of an untrusted file, or bytes in memory, read piece by
 * piece. Files are never mapped: one that is cut off while it is read gives
 * fewer bytes, not SIGBUS, and what is only looked at now and then (names)
 * needs no memory of ours.
 */
#ifndef OTTOP_SOURCE_H
#define OTTOP_SOURCE_H

#include "bpf/model/base.h"

struct source {
	const u8 *mem;	/* else fd */
	int fd;		/* the caller's; it must stay open */
	u64 start, size;	/* of the file */
};

/* At most n bytes from `at` on; how many there were (0: past the end, or the file cannot be read). */
size_t source_read(const struct source *s, u64 at, void *buf, size_t n);
/* Exactly n bytes, or false. */
bool source_get(const struct source *s, u64 at, void *buf, size_t n);
/* A little-endian number of 1, 2, 4 or 8 bytes; 0 past the end. */
u64 source_uint(const struct source *s, u64 at, u32 size);
/*
 * The text at `at` up to NUL or to `end`, at most cap - 1 bytes; what is longer
 * ends in "...". False: there is none.
 */
bool source_text(const struct source *s, u64 at, char end, char *buf, size_t cap);
/* A part of it; empty where it is out of range. */
struct source source_part(const struct source *s, u64 at, u64 size);

#endif
