/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * syscalls.h: the two sets of counters that syscalls.bpf.c fills in turn.
 *
 * A set is two open-addressing hash tables in shared memory: slots, one per
 * process x call, and cells, one per slot x latency bucket (or slot x errno).
 * An entry is claimed with compare-and-swap and never moves or goes away while
 * its set is in use. Two CPUs that claim at the same time may make two slots
 * for one key: the reader adds them up.
 */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#include "bpf/host/syscall_id.h"

#define SLOT_BITS 14
#define N_SLOTS (1 << SLOT_BITS)
#define CELL_BITS 16
#define N_CELLS (1 << CELL_BITS)
#define MAX_PROBES 32
#define MAX_CELL_PROBES 64
#define OTHER_SLOT 0	/* what found no slot */

struct sc_slot {
	__u64 start_ns;		/* of the process */
	__u32 tgid;
	__u32 call;		/* valid once `ready` */
	__u32 claimed, ready;
	__u32 count;		/* calls that returned */
	__u32 died;		/* calls that never will: their thread is gone, or seccomp let them not in */
	__u32 errors;
	__u32 zero;		/* latencies of at most 2^-30 s */
	__u64 total_ns;
	__u64 max_ns;
	__u64 inv_min_ns;	/* ~minimum, so that 0 is "none yet" */
};

/* what: latency bucket, or 512 + errno */
#define CELL_KEY(slot, what) (((__u32)(slot) << 13 | (what)) + 1)
#define CELL_SLOT(key) (((key) - 1) >> 13)
#define CELL_WHAT(key) (((key) - 1) & 0x1fff)
#define CELL_ERRNO 512
/* an octave of a slot is one cache line; octaves are spread */
#define CELL_AT(slot, what) \
	((CELL_KEY(slot, (what) & ~7u) * 0x9e3779b1u >> (32 - CELL_BITS) & ~7u) + ((what) & 7))

struct sc_cell {
	__u32 key;	/* 0: free */
	__u32 n;
};

struct sc_set {
	struct sc_slot slots[N_SLOTS];
	struct sc_cell cells[N_CELLS];
	__u32 used_slots, used_cells;
} __attribute__((aligned(64)));
