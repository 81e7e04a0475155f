/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * durations.h: how long requests took, by what the semantic conventions for HTTP and RPC tell
 * apart, in the buckets that they advise; until the next report.
 */
#ifndef OTTOP_DURATIONS_H
#define OTTOP_DURATIONS_H

#include "bpf/protocols/follow.h"
#include "bpf/protocols/report.h"

struct durations;

struct durations *durations_new(void);
/* One that was answered after ns. */
void durations_add(struct durations *d, const struct exchange *x, u64 ns);
/* What there is since durations_clear(); belongs to d. */
const struct report_duration *durations_all(const struct durations *d, u32 *ret_n);
/* How many requests found no room, since then. */
u64 durations_lost(const struct durations *d);
void durations_clear(struct durations *d);
void durations_free(struct durations *d);	/* NULL-safe */

#endif
