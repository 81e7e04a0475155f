/* SPDX-License-Identifier: GPL-2.0-or-later */
/* per_process.h: a number for each process. hash_free(table, free) removes all. */
#pragma once

#include "bpf/model/hash.h"

/* The number of that process, 0 at first; valid until the table is freed. */
u32 *per_process(struct hash_table *t, u32 pid, u64 start_ns);
