/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * processes.h: chooses the processes with series of their own. A machine may run thousands in an
 * hour: the busiest have a resource each, all others are summed in one marked as the rest. The rest
 * counts the growth seen while a process had no series, so that all series together add up to the
 * machine's total.
 */
#pragma once

#include "exporter/otlp/message.h"

#define PROCESS_METRICS_MAX 16

struct otlp_processes;

/* At most `max` processes have series of their own. */
struct otlp_processes *otlp_processes_new(u32 max);
/* Takes in every tick; rows of ended processes are kept until exported. */
void otlp_processes_take(struct otlp_processes *p, const struct snapshot *s);
/* Adds this tick's points: a resource for each chosen process and one for the rest. */
void otlp_processes_export(struct otlp_processes *p, const struct snapshot *s,
			   const struct otlp_config *config, struct metrics *m);
void otlp_processes_free(struct otlp_processes *p);	/* NULL-safe */
