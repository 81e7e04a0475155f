/* SPDX-License-Identifier: GPL-2.0-or-later */
/* events.h: the table events: what happened recently. Sampler thread only. */
#pragma once

#include "bpf/model/snapshot_build.h"

#define EVENTS_KEPT 1000	/* rows of each: processes, connections, failures */

/* A new row, numbered; fill it at once. Belongs to the table. */
struct events_row *events_new(const char *kind, u64 time_ns);
/* Counts n events that are not listed, because they would be too many and are counted elsewhere. */
void events_not_listed(u64 n);
/* Adds the rows and says whether some were not listed. */
void events_rows(struct builder *b, u64 interval_ns);
void events_clear(void);
