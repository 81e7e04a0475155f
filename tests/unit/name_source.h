/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * name_source.h: bytes in memory as a source of names, and random bytes, for tests of name readers.
 */
#pragma once

#include "symbolizer/source.h"

static u64 random_state = 88172645463325252ull;

static inline u32 random_below(u32 n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (u32)(random_state >> 32) % n;
}

static inline struct source in_memory(const void *data, size_t n)
{
	return (struct source){ .mem = data, .fd = -1, .size = n };
}
