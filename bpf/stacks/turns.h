/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turns.h: whose names are asked for next. Those of the file whose frames without a name
 * were sampled most, but each fourth time those of the file that has waited longest; and a
 * file whose names cost much waits itself, so that it holds up no other. Files are numbered
 * from 1. Sampler thread only.
 */
#ifndef OTTOP_STACKS_TURNS_H
#define OTTOP_STACKS_TURNS_H

#include "bpf/model/base.h"

/* A frame of this file that has no name was in a sample. */
void turns_heat(u32 file);
/*
 * The next of the files 1 to last that is ready (has frames without a name and can be asked
 * for them); 0: none. Times are CLOCK_BOOTTIME.
 */
u32 turns_next(u32 last, bool (*is_ready)(u32 file), u64 now_ns);
/* It was asked; it was answered for so much CPU time. */
void turns_asked(u32 file);
void turns_answered(u32 file, u64 cpu_ns, u64 now_ns);
void turns_close(void);

#endif
