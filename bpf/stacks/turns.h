/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turns.h: schedules requests for names: the file with the most samples in unnamed frames is
 * next, but every fourth turn goes to the one that has waited longest. A file whose names are
 * expensive pauses accordingly, so that it does not delay the others. Files are numbered from
 * 1. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"

/* An unnamed frame of this file was sampled. */
void turns_heat(u32 file);
/* Of files 1 to `last` the next that is ready (to be asked for names); 0: none. CLOCK_BOOTTIME. */
u32 turns_next(u32 last, bool (*is_ready)(u32 file), u64 now_ns);
/* A request was sent; was answered, at a cost of cpu_ns. */
void turns_asked(u32 file);
void turns_answered(u32 file, u64 cpu_ns, u64 now_ns);
void turns_close(void);
