/* SPDX-License-Identifier: GPL-2.0-or-later */
/* split.h: splits an export into requests that receivers accept by their length. */
#pragma once

#include "bpf/model/base.h"

/* The default limit of gRPC receivers, which applies after decompression. */
#define OTLP_PART_MAX (4u << 20)

/* Receives `data` (free() it), a request with `items` points, spans or log records. */
typedef void otlp_part_fn(void *arg, u8 *data, size_t n, u32 items);

/*
 * Splits an Export...ServiceRequest of metrics, traces or logs into parts of at most `max` bytes,
 * in order. It is split between resources, and within one that is too long between its metrics,
 * spans or log records; one that is longer than max makes a part of its own. `metrics`: items are
 * points. Takes `data`.
 */
void otlp_split(u8 *data, size_t n, size_t max, bool metrics, otlp_part_fn *put, void *arg);
