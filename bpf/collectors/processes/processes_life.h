/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes_life.h: what processes.c takes from the ring between two passes. Sampler thread only. */
#ifndef OTTOP_PROCESSES_LIFE_H
#define OTTOP_PROCESSES_LIFE_H

#include "bpf/host/proctab.h"

/* From now on births are observed. CLOCK_BOOTTIME. */
void life_open(u64 now_ns);
/* True for a process whose whole life was observed so far. */
bool life_saw_birth(u64 start_ns);
/* Before a ring is emptied: only so many /proc files are read meanwhile. */
void life_begin_drain(void);
/* One struct wire_event; what ring_buffer__new() wants. Always 0. */
int life_event(void *ctx, void *data, size_t size);
/* Sets the owner's name. */
void life_owner(struct proc *p, u32 uid);

#endif
