/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paths.h: the name of an endpoint from the path of a request. What differs from
 * request to request (numbers, UUIDs, hashes, long random words) becomes {id}.
 */
#ifndef OTTOP_PATHS_H
#define OTTOP_PATHS_H

#include "bpf/model/base.h"

/* Writes at most cap - 1 bytes and a NUL. */
void path_fold(char *buf, size_t cap, const char *path);

#endif
