/* SPDX-License-Identifier: GPL-2.0-or-later */
/* merge.h: merges two neighbouring ticks, for old history. Private to bpf/. */
#pragma once

#include "bpf/model/snapshot.h"

/*
 * A snapshot (one reference) of the intervals of a and b (the later): later values, averaged rates,
 * summed histograms, and rows that are only in a (ended).
 */
const struct snapshot *snapshot_merge(const struct snapshot *a, const struct snapshot *b);
