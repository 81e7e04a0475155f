/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * stack_wire.h: structures shared by profiler.bpf.c and user space.
 *
 * Mappings of processes and unwind tables of files are in one array of 32-byte lines,
 * the arena, which user space writes through mmap, without system calls. It is
 * allocated in chunks, so that a quiet machine does not pay for a large one.
 */
#pragma once

#ifndef __bpf__
#include <linux/types.h>
#endif

#define MAX_FRAMES 127		/* of each half, kernel and user */
#define MAX_PENDING_FRAMES 48	/* kernel part of a wait */

/* ---- the arena ---- */

#define ARENA_CHUNK_BITS 14	/* lines of a chunk: 512 KiB */
#define ARENA_CHUNK_LINES (1u << ARENA_CHUNK_BITS)
#define ARENA_CHUNKS 24		/* 12 MiB */

struct arena_line {
	__u64 w[4];
};

/*
 * The line of an executable mapping: start, end, bias, file | table << 32. The address in the file,
 * relative to its table's base, is pc - bias. The table is the number of its first line, or one of
 * these. For a file that could not be opened only the bias is set.
 */
#define MAPPING_FILE(m) ((__u32)(m)->w[3] & 0xffff)
#define MAPPING_TABLE(m) ((__u32)((m)->w[3] >> 32))
#define MAPPING_LOST(m) (!(m)->w[3] && (m)->w[2])	/* of a file, not of code made at run time */
#define TABLE_ABSENT 0u		/* no frame information: frame pointers */
#define TABLE_PENDING 1u	/* being made */
#define TABLE_NO_ROOM 2u	/* there is one, but no room for any of it */
#define TABLE_FIRST 3u		/* number of the first real line */

struct unw_process {
	__u64 start_ns, exec_id;	/* if they differ the entry is stale: exec, or the pid was reused */
	__u64 asked_ns, wait_ns;	/* last report of a missing mapping; minimum time to the next */
	__u32 first, n;			/* lines of its mappings, sorted by start */
};

#define MAX_MAPPINGS 65536		/* executable ones of one process */
#define MAX_MAPPING_STEPS 17

/* ---- samples ---- */

enum walk_end {
	WALK_WHOLE,		/* reached the outermost frame */
	WALK_NONE,		/* a kernel thread: there is no user stack */
	WALK_NEW_PROCESS,	/* not known yet: reported to user space */
	WALK_NEW_FILE,		/* its table is being made */
	WALK_NO_MAPPING,	/* an address outside of every known mapping */
	WALK_NO_CFI,		/* no frame information at this address, no frame pointer either */
	WALK_BAD_READ,		/* the stack could not be read */
	WALK_STUCK,		/* the stack pointer did not move up */
	WALK_TOO_DEEP,		/* more than MAX_FRAMES */
	WALK_32BIT,		/* a 32-bit program */
	WALK_SHORT_COPY,	/* deeper than the part of the stack that was copied */
	WALK_ENDED,		/* the process was gone before its mappings could be read */
	WALK_NO_ROOM,		/* in a part of a file's table that had no room */
	WALK_NEW_CODE,		/* JIT code that a JVM made since its code was read: reported to user space */
	WALK_NOT_READ,		/* still waiting, and its stack could not be read from outside (yet) */
	WALK_LOST,		/* made in user space: the ring was full, only the time is known: struct lost_time */
	WALK_ENDS
};

#define FRAME_ADDR_BITS 48
#define FRAME_FILE(f) ((__u32)((f) >> FRAME_ADDR_BITS))
#define FRAME_ADDR(f) ((f) & ((1ull << FRAME_ADDR_BITS) - 1))

enum sample_kind {
	SAMPLE_CPU = 1, SAMPLE_OFFCPU,
	SAMPLE_WAIT,	/* made in user space: value is since_ns of a wait that has not ended */
};

/*
 * Not lock holders: stopped by that signal or tracer (pid), or frozen. No pid has these bits
 * (include/linux/threads.h, PID_MAX_LIMIT).
 */
#define OWNER_SIGNAL 0x80000000u
#define OWNER_TRACER 0x40000000u
#define OWNER_FREEZER 0x20000000u
#define OWNER_OUTSIDE (OWNER_SIGNAL | OWNER_TRACER | OWNER_FREEZER)
#define OWNER_TID 0x3fffffu

/* The system call of a wait, and the object it waited for. */
struct wire_call {
	__u32 call;		/* ABI << 16 | number, or CALL_NONE; args and ino for native calls only */
	__u32 owner;		/* tid in the lock when the wait began, or OWNER_...; 0: none or unknown */
	__u64 since_ns, end_ns;	/* CLOCK_MONOTONIC; end 0: not over */
	__u64 ino;		/* of the file of descriptor args[0]; 0: it is no descriptor */
	__u64 args[4];
	__u32 mode;		/* of that file */
	__u32 ready_fd;		/* if that file is an epoll set: its descriptor that ended the wait */
	__u64 ready_ino;	/* inode of that one; 0: unknown */
};

/*
 * Woken from an interrupt during that thread's call, e.g. loopback receive: the waker only if it is
 * the peer waited for.
 */
#define WAKER_MAYBE 0x80000000u

struct wire_sample {
	__u16 kind;
	__u16 copied;		/* 1: a struct wire_copy, whose user stack is still to be walked */
	__u32 tgid, tid;
	__u32 waker;		/* off-CPU: tid that woke it, also with WAKER_MAYBE; or 0 */
	__u64 time_ns, start_ns;	/* CLOCK_BOOTTIME; start of the process */
	__u64 exec_id;
	__u64 value;		/* off-CPU: ns; CPU: 1 */
	__u64 miss;		/* address without a mapping, with WALK_NO_MAPPING */
	char comm[16];
	__u16 n_kernel, n_user;
	__u16 end;		/* enum walk_end */
	__u16 kernel_only;	/* off-CPU: there is no user part */
	struct wire_call in;	/* off-CPU */
	/* user frames: file << 48 | address (file 0: the address itself); then kernel addresses */
	__u64 frames[];
};

/* Registers of user code. regs: DWARF numbers of x86-64; 6 and 7 are in fp and sp. */
#define WALK_REGS 16
struct walk_regs {
	__u64 pc, sp, fp;
	__u64 regs[WALK_REGS];
};

/* A sample of a process not fully known yet, with what user space needs to walk its stack later. */
#define COPY_BYTES 28672	/* libuv has 12 KiB in one function; see wire_copy_fits */
#define COPY_PAGES (COPY_BYTES / 4096 + 1)
#define COPY_MAX_HOLE 6	/* consecutive missing pages at which the stack has ended */
#define COPY_BELOW 128	/* bytes below sp: popped values, and the red zone of leaf functions */
#define CODE_BYTES 24	/* code from the byte before pc on, which walk.h looks at */
struct wire_copy {
	struct wire_sample s;	/* n_user is 0 */
	__u8 code[CODE_BYTES];
	__u32 code_bytes, pad;	/* 0: not copied */
	__u64 kernel[MAX_FRAMES];
	struct walk_regs regs;
	__u64 from;		/* address of stack[0] */
	__u32 bytes;
	__u32 holes;		/* bit mask of missing pages, from that of `from` on */
	__u8 stack[COPY_BYTES];
};

_Static_assert(COPY_PAGES <= 32, "holes has a bit for each");
/* PCPU_MIN_UNIT_SIZE of the kernel: no element of a per-CPU map is larger */
_Static_assert(sizeof(struct wire_copy) <= 32768, "wire_copy_fits");

/* ---- samples that could not be sent ---- */

#define LOST_BITS 9
#define LOST_PROCESSES (1u << LOST_BITS)
#define LOST_KINDS 4	/* a power of two above those of enum sample_kind that are sent */

/* What one process has lost since the sets were last swapped; 64 bytes. */
struct lost_time {
	__u64 key;		/* of process and kind; 0: free */
	__u64 start_ns;
	__u64 value, samples;	/* sums; value as in struct wire_sample */
	__u32 tgid;		/* 0: all processes for which there was no room */
	__u32 kind;
	char comm[16];		/* of the process */
	__u64 unused;
};

/* ---- waits that have not ended ---- */

/* Parameters of the next pass over all threads. Times: CLOCK_MONOTONIC. */
struct wire_look {
	__u64 until_ns;		/* only waits that began before this */
	__u64 adopt_ns;		/* assumed beginning of waits whose beginning was not seen */
	__u64 report_described;	/* report those that the last pass described; else the others */
};

/* A further part of a wait, or the start of a struct wire_new_wait. */
struct wire_wait {
	__u32 tgid, tid;
	__u64 since_ns;		/* identifies the wait, with tid */
	__u64 ns;		/* length of the part; 0: a new one, the rest of struct wire_new_wait follows */
};

struct wire_new_wait {
	struct wire_wait wait;
	__u64 start_ns, exec_id;
	char comm[16];
	__u32 n_kernel, end;	/* enum walk_end: WALK_WHOLE, or why there is no user stack to read */
	struct wire_call in;
	__u64 kernel[MAX_PENDING_FRAMES];
	struct walk_regs regs;
};
