/* SPDX-License-Identifier: GPL-2.0-or-later */
/* merge.h: two neighbouring ticks as one, for old history. Private to bpf/. */
#ifndef OTTOP_MERGE_H
#define OTTOP_MERGE_H

#include "bpf/model/snapshot.h"

/*
 * One snapshot (one reference) that covers the intervals of a and of b, the
 * later one: later values, rates averaged over the time, histograms of the
 * interval added up, rows that are only in a kept (they ended).
 */
const struct snapshot *snapshot_merge(const struct snapshot *a, const struct snapshot *b);

#endif
