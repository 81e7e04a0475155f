/* SPDX-License-Identifier: GPL-2.0-or-later */
/* paths.h: a path's endpoint: numbers, UUIDs, hashes and long random words become {id}. */
#pragma once

#include "bpf/model/base.h"

/* Writes at most cap - 1 bytes and a NUL. */
void path_fold(char *buf, size_t cap, const char *path);
