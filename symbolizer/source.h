/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source.h: reads parts of an untrusted file, or of bytes in memory. Files are not mapped: one that
 * is truncated while being read yields fewer bytes instead of SIGBUS, and rarely read parts (names)
 * take no memory.
 */
#pragma once

#include "bpf/model/base.h"

struct source {
	const u8 *mem;	/* NULL: read fd */
	int fd;		/* kept open by the caller */
	u64 start, size;	/* range of the file */
};

/* Reads up to n bytes at `at`; returns how many (0: past the end, or unreadable). */
size_t source_read(const struct source *s, u64 at, void *buf, size_t n);
/* Reads exactly n bytes; false otherwise. */
bool source_get(const struct source *s, u64 at, void *buf, size_t n);
/* A little-endian number of 1, 2, 4 or 8 bytes; 0 past the end. */
u64 source_uint(const struct source *s, u64 at, u32 size);
/* The text up to a NUL or `end`, cut to cap - 1 bytes with "...". False: unreadable. */
bool source_text(const struct source *s, u64 at, char end, char *buf, size_t cap);
/* A subrange; empty if out of range. */
struct source source_part(const struct source *s, u64 at, u64 size);
