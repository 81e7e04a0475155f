/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace.h: limits the CPU time of names and lines to a quarter of the budget, smoothed. The
 * cost of a request is known only when it is answered, and may exceed what is saved: then
 * nothing is requested until the debt is paid off. Names may be requested in debt, lines may
 * not; and however large the debt, names are requested once in 5 s, so that one expensive
 * file does not leave all others without names. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"

enum pace { PACE_NAMES, PACE_LINES };

/* budget_pct: of the machine, which has `cpus` CPUs. */
void pace_open(float budget_pct, u32 cpus);
/* A consumer waits for everything: no limit meanwhile. */
void pace_hurry(bool on);
bool pace_hurries(void);
/* May a request be sent now? CLOCK_BOOTTIME. */
bool pace_may(enum pace what, u64 now_ns);
/* A request was sent; was answered, with its CPU time. */
void pace_asked(enum pace what, u64 now_ns);
void pace_answered(u64 cpu_ns);
