/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jit.h: frames outside of any file: JIT code, named by /tmp/perf-PID.map.
 *
 * JIT addresses are reused, so a frame is (process, its start, its exec, address,
 * state of the map). It gets its name when first sampled and keeps it; when the
 * map gives a known address a new name, later samples get a new frame. The map
 * has no times, so samples between the creation of code and our reading of the
 * map, at most a tick, may be attributed to the previous code at that address,
 * or, if the address was unknown, to the new code. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"

struct symbolizer_answer;
struct opener_job;

/* The number of the frame at an address of a process, as frames_intern(). */
u32 jit_frame(u32 pid, u64 start_ns, u64 exec_id, u64 addr);
void jit_opened(const struct opener_job *job);
void jit_answer(const struct symbolizer_answer *a);
/* Asks for missing names. Each drain. */
void jit_drain(void);
/* Checks maps for growth, drops ended processes. Once a tick. */
void jit_tick(void);
void jit_close(void);
