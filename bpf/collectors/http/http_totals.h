/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_totals.h: endpoints of processes: what the reports of the protocol reader
 * add up to, and the rows made of it; and the requests that were told of lately.
 * Order of a tick: http_totals_report() for each report, http_totals_rows(),
 * http_requests_rows(). Sampler thread only.
 */
#ifndef OTTOP_HTTP_TOTALS_H
#define OTTOP_HTTP_TOTALS_H

#include "bpf/collectors/collector.h"
#include "bpf/protocols/report.h"

/* Counting starts anew. */
void http_totals_begin(u64 now_ns);
void http_totals_report(const struct report *r);
void http_totals_rows(const struct tick *t);
/* left_out: requests of which the reports only told the number. */
void http_requests_rows(const struct tick *t, u64 left_out);
/* Those that will not be listed, so far. */
u32 http_requests_more(void);
/* The listed requests of this tick; the caller may fill in what it knows of them, before the snapshot is sealed. */
struct requests_row **http_requests_new(u32 *ret_n);
void http_totals_clear(void);
/* "10.0.0.7:80", "[::1]:80"; the caller owns the string (str_put). */
const char *http_address_text(const u8 addr[16], u16 port, bool v6);

#endif
