/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profiler_stacks.h: sums the equal stacks of an interval. Sampler thread only. */
#pragma once

#include "bpf/collectors/collector.h"
#include "bpf/stacks/stack_wire.h"

/* sample_ns: the CPU time that a sample stands for; ksym: the program that names functions of the kernel (ksym.h). */
void stacks_open(u64 sample_ns, int ksym);
void stacks_close(void);
/* Adds a sample. keep: to a row; waits go to the spans in any case. */
void stacks_add(const struct wire_sample *s, bool keep);
/* Adds the time of samples of a process that were lost, as a stack without frames. */
void stacks_add_lost(const struct lost_time *l);
/* The rows of the interval, which ends. */
void stacks_rows(const struct tick *t);
/* Waits that ended since the start, including those that sampled short ones stand for. */
u64 stacks_waits_ended(void);
