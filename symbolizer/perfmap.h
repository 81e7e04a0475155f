/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perfmap.h: /tmp/perf-PID.map, in which programs report code generated at run time: lines of
 * "START SIZE name" in hex, appended (Linux tools/perf/Documentation/jit-interface.txt). Later
 * lines are newer: a range replaces older ones that it overlaps.
 */
#pragma once

#include "symbolizer/source.h"

#define PERFMAP_MAX (1u << 20)	/* limit of ranges; later ones are left out */

struct perfmap;

struct perfmap *perfmap_new(void);
/* Reads what was appended (all, if the file shrank), whole lines only. */
void perfmap_update(struct perfmap *m, const struct source *file);
/* Name of the code at addr. False: none. `file` must be that of the last update. */
bool perfmap_find(const struct perfmap *m, const struct source *file, u64 addr, char *buf,
		  size_t cap);
/* Increases whenever known addresses get a new meaning and old answers become invalid. */
u32 perfmap_generation(const struct perfmap *m);
u32 perfmap_count(const struct perfmap *m);
/* Number of malformed lines. */
u64 perfmap_bad_lines(const struct perfmap *m);
/* PERFMAP_MAX was reached. */
bool perfmap_is_full(const struct perfmap *m);
size_t perfmap_bytes(const struct perfmap *m);
void perfmap_free(struct perfmap *m);	/* NULL-safe */
