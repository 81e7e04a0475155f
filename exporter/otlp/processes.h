/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * processes.h: which processes have series of their own. A machine has thousands in an hour;
 * the busiest have a resource each, and all others add up in one that says so. Counters of
 * the others are the growth that was seen while a process was among them, so that what all
 * series say together is what the machine did.
 */
#ifndef OTTOP_OTLP_PROCESSES_H
#define OTTOP_OTLP_PROCESSES_H

#include "exporter/otlp/message.h"

#define PROCESS_METRICS_MAX 16

struct otlp_processes;

/* At most `max` processes have series of their own. */
struct otlp_processes *otlp_processes_new(u32 max);
/* Takes in every tick; rows that ended are kept until they were exported. */
void otlp_processes_take(struct otlp_processes *p, const struct snapshot *s);
/* Adds the points of this tick: one resource a process, one for the rest. */
void otlp_processes_export(struct otlp_processes *p, const struct snapshot *s,
			   const struct otlp_config *config, struct metrics *m);
void otlp_processes_free(struct otlp_processes *p);	/* NULL-safe */

#endif
