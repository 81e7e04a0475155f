/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes_life.h: handles the ring's events between two passes. Sampler thread only. */
#pragma once

#include "bpf/host/proctab.h"

/* From now on births are observed. CLOCK_BOOTTIME. */
void life_open(u64 now_ns);
/* True for a process observed since its birth. */
bool life_saw_birth(u64 start_ns);
/* Before the ring is drained: resets the limit on /proc reads for exec events. */
void life_begin_drain(void);
/* Handles one struct wire_event; a ring_buffer_sample_fn. Always 0. */
int life_event(void *ctx, void *data, size_t size);
/* Sets the owner's name. */
void life_owner(struct proc *p, u32 uid);
