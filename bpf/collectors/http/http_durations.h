/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_durations.h: the table http_durations. Each tick http_durations_report() for each report,
 * then http_durations_rows(). Sampler thread only.
 */
#pragma once

#include "bpf/collectors/collector.h"
#include "bpf/protocols/report.h"

/* Resets all counters. */
void http_durations_begin(u64 now_ns);
void http_durations_report(const struct report *r);
/* Requests since ottop started whose duration is in no row, because there were too many rows. */
u64 http_durations_lost(void);
void http_durations_rows(const struct tick *t);
void http_durations_clear(void);
