/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * series.h: what was sent last of each series, for delta temporality: a point is then what
 * came since the point before. A series is known by a number made of its resource, name and
 * attributes.
 */
#ifndef OTTOP_OTLP_SERIES_H
#define OTTOP_OTLP_SERIES_H

#include "bpf/model/snapshot.h"

struct otlp_series;

struct otlp_series *otlp_series_new(void);
/*
 * The growth since the last call for that series, or all of `value` at first; *start_unix_ns
 * (of the series) becomes the time of the last call.
 */
u64 otlp_series_advance(struct otlp_series *s, u64 key, u64 value, u64 now_unix_ns,
			u64 *start_unix_ns);
/* After each export: forgets what had no point in the last few. */
void otlp_series_end(struct otlp_series *s);
u32 otlp_series_count(const struct otlp_series *s);
void otlp_series_free(struct otlp_series *s);	/* NULL-safe */

/* FNV-1a, to make keys: of n bytes, after `hash` (0 at first). */
u64 otlp_hash(u64 hash, const void *data, size_t n);

#endif
