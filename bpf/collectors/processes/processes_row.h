/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes_row.h: fills a row of the table processes. For processes.c. */
#pragma once

#include "bpf/host/proctab.h"

/* Everything except the sums of other collectors. Advances the process's counters, so only once a tick. */
void processes_row_fill(struct processes_row *r, struct proc *p, u64 interval_ns);
/* The sums that other collectors made in the process this tick. */
void processes_row_join(struct processes_row *r, const struct proc *p, u64 interval_ns);
