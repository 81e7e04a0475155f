/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapped.h: maps parts of a file: a lookup in hundreds of MB of debug information touches only some
 * pages. If the file is truncated meanwhile, the missing part reads as zeros instead of raising
 * SIGBUS. Single-threaded.
 */
#pragma once

#include "bpf/model/base.h"

struct mapped;

/* Maps bytes at..at+n of a file and prepends them to *list; NULL with errno. */
const u8 *mapped_add(struct mapped **list, int fd, u64 at, size_t n);
/* Drops the resident pages; they are read from the file again on demand. */
void mapped_rest(const struct mapped *list);
void mapped_free(struct mapped **list);
