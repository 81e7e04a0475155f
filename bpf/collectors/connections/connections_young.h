/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_young.h: moves connections older than a second from the places for young
 * ones (struct conn_slot) to the map `conns`, while programs use both. Sampler thread
 * only.
 *
 * A vacated place is not free yet: a program that found the entry there may still be
 * writing to it. Such a write is detected one grace period later and applied in `conns`.
 */
#pragma once

#include "bpf/kernel/map_ops.h"
#include "bpf/collectors/connections/connections.h"
#include "bpf/model/snapshot_build.h"

/* YOUNG_SLOTS slots and spilled, shared with programs; the caller keeps all until young_close(). */
void young_open(struct conn_slot *slots, u32 *spilled, struct map_ops conns);
void young_close(void);
/* True when a grace period has to pass before the next young_sweep(). */
bool young_moving(void);
/* Once a tick, after its grace period. */
void young_sweep(u64 now_ns);
/* Removes the entry of an ended connection that the programs still keep. */
void young_forget(u64 cookie, u32 generation);
/* True when the programs know of a connection that has not ended. */
bool young_tracked(u64 cookie, u32 generation);
