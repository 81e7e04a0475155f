/* SPDX-License-Identifier: GPL-2.0-or-later */
/* series.h: last values sent, for delta temporality, by hash of resource, name and attributes. */
#pragma once

#include "bpf/model/snapshot.h"

struct otlp_series;

struct otlp_series *otlp_series_new(void);
/* Growth since the last call, at first `value`; *start_unix_ns: time of the last call. */
u64 otlp_series_advance(struct otlp_series *s, u64 key, u64 value, u64 now_unix_ns,
			u64 *start_unix_ns);
/* Call after each export: forgets series without points in the last few. */
void otlp_series_end(struct otlp_series *s);
u32 otlp_series_count(const struct otlp_series *s);
void otlp_series_free(struct otlp_series *s);	/* NULL-safe */

/* FNV-1a of n bytes, seeded with `hash` (0 at first). */
u64 otlp_hash(u64 hash, const void *data, size_t n);
