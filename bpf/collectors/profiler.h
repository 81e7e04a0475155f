/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* profiler.h: what profiler.bpf.c and profiler.c tell each other. */
#ifndef OTTOP_PROFILER_H
#define OTTOP_PROFILER_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define MAX_FRAMES 127		/* of each half, kernel and user */
#define MAX_MAPPINGS 128	/* executable mappings of one process that are unwound */

/* One executable mapping. Address in the file, counted from its table's base, = pc - bias. */
struct unw_mapping {
	__u64 start, end;
	__u64 bias;
	__u32 file;		/* key of unw_files; 0: nothing to look up (JIT) */
	__u32 pad;
};

struct unw_process {
	__u64 start_ns, exec_id;	/* another program since then: unknown again */
	__u64 asked_ns;			/* when user space was last told of a missing mapping */
	__u32 n, pad;
	struct unw_mapping m[MAX_MAPPINGS];	/* sorted by start */
};

/* How the walk of the user stack ended. */
enum walk_end {
	WALK_WHOLE,		/* reached the outermost frame */
	WALK_NONE,		/* a kernel thread: there is no user stack */
	WALK_NEW_PROCESS,	/* not known yet: user space is told */
	WALK_NO_MAPPING,	/* an address outside of every known mapping */
	WALK_NO_CFI,		/* no frame information at this address, no frame pointer either */
	WALK_BAD_READ,		/* the stack could not be read */
	WALK_STUCK,		/* the stack pointer did not move up */
	WALK_TOO_DEEP,		/* more than MAX_FRAMES */
	WALK_ENDS
};

#define FRAME_ADDR_BITS 48
#define FRAME_FILE(f) ((__u32)((f) >> FRAME_ADDR_BITS))
#define FRAME_ADDR(f) ((f) & ((1ull << FRAME_ADDR_BITS) - 1))

enum sample_kind { SAMPLE_CPU = 1, SAMPLE_OFFCPU, SAMPLE_MISS };

struct wire_sample {
	__u32 kind;
	__u32 tgid, tid;
	__u32 waker;		/* off-CPU: tid that woke it, or 0 */
	__u64 time_ns, start_ns;	/* CLOCK_BOOTTIME; start of the process */
	__u64 exec_id;
	__u64 value;		/* off-CPU: ns; CPU: 1 */
	__u64 miss;		/* address that had no mapping, with WALK_NO_MAPPING */
	char comm[16];
	__u16 n_kernel, n_user;
	__u16 end;		/* enum walk_end */
	__u16 kernel_only;	/* off-CPU: why there is no user part, if so */
	/* user frames: file << 48 | address (file 0: the address itself); then kernel addresses */
	__u64 frames[];
};

#endif
