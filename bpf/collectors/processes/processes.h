/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* processes.h: records of processes.bpf.c for processes.c. Times in ns, CLOCK_BOOTTIME. */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#include "bpf/host/syscall_id.h"

#define ARGS_MAX 2048

/* One task, from the iterator; a wire_process follows when `leader` is set. */
struct wire_thread {
	__u32 tid, tgid;
	__u64 start_ns, process_start_ns;
	__u64 runtime_ns, runq_ns, blocked_ns;
	__u64 utime_ns, stime_ns;
	__u64 read_bytes, write_bytes;
	__u64 calls;
	__u64 call_age_ns;
	__u64 arrived_ns;	/* when it last got a CPU, on the scheduler's clock: distinguishes waits */
	__u32 call;		/* ABI << 16 | number, or CALL_NONE */
	__u32 cpu;
	__u32 call_exact;	/* 0: call_age_ns is a lower bound */
	char state;
	__u8 leader, kthread;
	__u8 frozen;		/* by the cgroup v1 freezer or system suspend; not by cgroup v2 */
	char comm[16];
};

/* The process of a leader: sums over its exited threads, and what is per process. */
struct wire_process {
	__u64 dead_runtime_ns, dead_runq_ns, dead_blocked_ns;
	__u64 dead_utime_ns, dead_stime_ns;
	__u64 dead_read_bytes, dead_write_bytes;
	__u64 dead_calls;
	__u64 rss_pages;
	__u64 css_set;		/* kernel address: only to detect a change of cgroup */
	__u32 ppid, uid, ns_pid, threads;
	__s32 exit_code;	/* wait(2) status, once it is a zombie */
	__u32 living;		/* a thread that has not ended: the main thread if possible */
};

enum wire_event_kind { WIRE_FORK = 1, WIRE_EXEC, WIRE_EXIT, WIRE_OOM, WIRE_DEAD };

struct wire_event {
	__u32 kind, pid, ppid, uid;
	__u64 time_ns, start_ns;
	char comm[16];
	/* exit: of the process. dead: only runtime_ns of its main thread, after its last switch. */
	__u64 runtime_ns, runq_ns, blocked_ns, utime_ns, stime_ns;
	__u64 read_bytes, write_bytes, calls;
	__u64 rss_peak_pages;
	__u64 main_runtime_ns;	/* exit: of the main thread, as accounted by then */
	__s32 exit_code;
	/* exec: what the command line has, NULs between; may be cut at ARGS_MAX */
	__u32 args_len;
	char args[];
};
