/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes_row.h: a row of the table processes, from what is known of a process. For processes.c. */
#ifndef OTTOP_PROCESSES_ROW_H
#define OTTOP_PROCESSES_ROW_H

#include "bpf/host/proctab.h"

/* All but what other collectors know; advances the process's counters by the interval, so once a tick. */
void processes_row_fill(struct processes_row *r, struct proc *p, u64 interval_ns);
/* What other collectors added up in the process this tick. */
void processes_row_join(struct processes_row *r, const struct proc *p, u64 interval_ns);

#endif
