/* SPDX-License-Identifier: GPL-2.0-or-later */
/* durations.h: duration histograms by OTel's HTTP and RPC conventions, until the next report. */
#pragma once

#include "bpf/protocols/follow.h"
#include "bpf/protocols/report.h"

struct durations;

struct durations *durations_new(void);
/* Adds a request that was answered after ns. */
void durations_add(struct durations *d, const struct exchange *x, u64 ns);
/* All since durations_clear(); owned by d. */
const struct report_duration *durations_all(const struct durations *d, u32 *ret_n);
/* Requests for which there was no room, since then. */
u64 durations_lost(const struct durations *d);
void durations_clear(struct durations *d);
void durations_free(struct durations *d);	/* NULL-safe */
