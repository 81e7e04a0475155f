/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace.h: how much CPU time names and lines may take: a quarter of the budget, smoothed.
 * What one question costs is known only when it is answered, and may be more than there is:
 * then nothing is asked until it is paid off. Names may run into debt for lines, and not
 * the other way round; and however large the debt, names are asked once in 5 s, so that one
 * file that cost very much does not leave all others without names. Sampler thread only.
 */
#ifndef OTTOP_STACKS_PACE_H
#define OTTOP_STACKS_PACE_H

#include "bpf/model/base.h"

enum pace { PACE_NAMES, PACE_LINES };

/* budget_pct: of the machine, which has so many CPUs. */
void pace_open(float budget_pct, u32 cpus);
/* Somebody waits for all of it: no limit meanwhile. */
void pace_hurry(bool on);
bool pace_hurries(void);
/* Whether a question may be asked now; CLOCK_BOOTTIME. */
bool pace_may(enum pace what, u64 now_ns);
/* One was asked; one was answered, for so much CPU time. */
void pace_asked(enum pace what, u64 now_ns);
void pace_answered(u64 cpu_ns);

#endif
