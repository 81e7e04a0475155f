/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perfmap.h: /tmp/perf-PID.map, where programs that make code at run time say
 * what they put where: "START SIZE name" in hex, a line each, appended as they
 * go (Linux tools/perf/Documentation/jit-interface.txt). What is written later
 * is newer: a range that overlaps an older one has taken its place.
 */
#ifndef OTTOP_PERFMAP_H
#define OTTOP_PERFMAP_H

#include "symbolizer/source.h"

#define PERFMAP_MAX (1u << 20)	/* ranges; what comes later is left out */

struct perfmap;

struct perfmap *perfmap_new(void);
/*
 * Reads what was appended since the last call; from the start again when the
 * file became shorter. Incomplete last lines wait for their end.
 */
void perfmap_update(struct perfmap *m, const struct source *file);
/* Name of the code at addr. False: none. `file` as of the last update. */
bool perfmap_find(const struct perfmap *m, const struct source *file, u64 addr, char *buf,
		  size_t cap);
/* Counts up whenever addresses that were known got a new meaning: old answers are history. */
u32 perfmap_generation(const struct perfmap *m);
u32 perfmap_count(const struct perfmap *m);
/* Lines that were none, or made no sense. */
u64 perfmap_bad_lines(const struct perfmap *m);
/* PERFMAP_MAX was reached. */
bool perfmap_is_full(const struct perfmap *m);
size_t perfmap_bytes(const struct perfmap *m);
void perfmap_free(struct perfmap *m);	/* NULL-safe */

#endif
