/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * threads.h: the task iterator's threads of this tick, for threads and syscalls. Sampler thread
 * only.
 */
#pragma once

#include "bpf/model/base.h"
#include "bpf/collectors/processes/processes.h"

/* All threads of the last pass; valid until the next one. */
const struct wire_thread *threads_all(u32 *ret_n);

/* System calls of all processes since ottop started, whether they are in scope or not. */
u64 processes_calls(void);

/*
 * Since when all system calls are counted, CLOCK_BOOTTIME; U64_UNKNOWN: they are not (syscalls.c).
 */
u64 syscalls_counted_since_ns(void);

/* The task storage map of the processes collector, or -1. */
int tasks_map_fd(void);
/* The map of counted.bpf.h, likewise. */
int counted_map_fd(void);
/* Tells the iterator which latency measurement entry times belong to; 0: none. */
void tasks_set_generation(u32 generation);
