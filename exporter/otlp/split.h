/* SPDX-License-Identifier: GPL-2.0-or-later */
/* split.h: one export as several requests, none of them longer than what receivers take. */
#ifndef OTTOP_OTLP_SPLIT_H
#define OTTOP_OTLP_SPLIT_H

#include "bpf/model/base.h"

/* gRPC's receivers refuse longer ones unless told otherwise, also where it was compressed to less. */
#define OTLP_PART_MAX (4u << 20)

/* Takes `data` (free() it): a request with that many points, spans or log records. */
typedef void otlp_part_fn(void *arg, u8 *data, size_t n, u32 items);

/*
 * Gives an Export...ServiceRequest of metrics, traces or logs to `put` in parts of at most `max` bytes, in
 * its order. It is cut between resources, and where one is too long between its metrics, spans or log
 * records; one of these that is longer than max alone is a part alone. `metrics`: items are points. Takes `data`.
 */
void otlp_split(u8 *data, size_t n, size_t max, bool metrics, otlp_part_fn *put, void *arg);

#endif
