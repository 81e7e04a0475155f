/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapped.h: the file behind a mapping of a process, wherever its path leads by now. */
#ifndef OTTOP_MAPPED_H
#define OTTOP_MAPPED_H

#include "bpf/model/base.h"

/*
 * Opens what a process has mapped from start to end: also what was deleted, replaced, or is in
 * another mount namespace. Its path as the process has it goes to `path`. A descriptor for
 * reading (of any kind of file: look before reading), or -errno.
 */
int mapped_open(u32 pid, u64 start, u64 end, char *path, size_t cap);

#endif
