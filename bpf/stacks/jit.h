/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jit.h: frames outside of any file: code that a program made at run
 * time, named by its /tmp/perf-PID.map.
 *
 * Such addresses are used again, so what a frame is called belongs to (process,
 * its start, its exec, address, state of the map): it gets its name when it is
 * first sampled, keeps it for good, and when the map says that known addresses
 * got a new meaning, samples from then on are of new frames. What is sampled in
 * the moment between new code and our reading of the map, at most a tick, may be
 * counted for the code that was there before, or, when the address was not known
 * yet, for the new one: the map has no times. Sampler thread only.
 */
#ifndef OTTOP_PROFILER_JIT_H
#define OTTOP_PROFILER_JIT_H

#include "bpf/model/base.h"

struct symbolizer_answer;
struct opener_job;

/* The number of the frame at an address of a process, as frames_intern(). */
u32 jit_frame(u32 pid, u64 start_ns, u64 exec_id, u64 addr);
void jit_opened(const struct opener_job *job);
void jit_answer(const struct symbolizer_answer *a);
/* Asks for names that are missing. Each drain. */
void jit_drain(void);
/* Sees what grew, forgets processes that have ended. Once a tick. */
void jit_tick(void);
void jit_close(void);

#endif
