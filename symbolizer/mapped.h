/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapped.h: parts of a file as memory, without reading them: of the debug information of a large
 * program, hundreds of MB, a question needs some pages. A file that is cut off meanwhile reads
 * as zeros from there on, where the kernel would send SIGBUS. For one thread.
 */
#ifndef OTTOP_MAPPED_H
#define OTTOP_MAPPED_H

#include "bpf/model/base.h"

struct mapped;

/* The bytes at..at+n of a file, in front of those of *list; NULL with errno. */
const u8 *mapped_add(struct mapped **list, int fd, u64 at, size_t n);
/* Gives back the pages that were touched: they are read from the file again when they are needed. */
void mapped_rest(const struct mapped *list);
void mapped_free(struct mapped **list);

#endif
