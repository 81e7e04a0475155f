/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_totals.h: sums by endpoint with their rows, and the latest requests. Each tick
 * http_totals_report()
 * for each report, then http_totals_rows(), http_requests_rows(). Sampler thread only.
 */
#pragma once

#include "bpf/collectors/collector.h"
#include "bpf/protocols/report.h"

/* Resets all counters. */
void http_totals_begin(u64 now_ns);
void http_totals_report(const struct report *r);
void http_totals_rows(const struct tick *t);
/* left_out: requests that the reports only count. */
void http_requests_rows(const struct tick *t, u64 left_out);
/* Number of unlisted requests so far. */
u32 http_requests_more(void);
/* The listed requests of this tick; the caller may add to them before the snapshot is sealed. */
struct requests_row **http_requests_new(u32 *ret_n);
void http_totals_clear(void);
/* "10.0.0.7:80", "[::1]:80"; the caller owns the string (str_put). */
const char *http_address_text(const u8 addr[16], u16 port, bool v6);
