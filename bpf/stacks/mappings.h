/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mappings.h: which process has mapped which file where, as the kernel
 * side reads it. A file behind a mapping is opened when a stack first goes
 * through it. Sampler thread only.
 */
#ifndef OTTOP_PROFILER_MAPPINGS_H
#define OTTOP_PROFILER_MAPPINGS_H

#include "bpf/model/base.h"
#include "bpf/kernel/map_ops.h"

struct opener_job;

struct process_mappings {
	u32 first, n;	/* lines of the arena */
	bool ended;	/* it was gone before they could be read */
};

/* The kernel's map of processes; its descriptor stays the caller's. */
void mappings_open(struct map_ops processes);
void mappings_close(void);
/*
 * A sample said that user space must look at this process: it is new (miss: 0),
 * or this address was in no mapping. Reads /proc/PID/maps, unless that was done
 * a moment ago.
 */
void mappings_process_changed(u32 pid, u64 start_ns, u64 exec_id, u64 miss);
/* A stack went through this address, whose file has no table yet: has one made. True: it will be answered. */
bool mappings_want_table(u32 pid, u64 pc);
/* A stack went through this address, in code that was made at run time. */
void mappings_code_used(u32 pid);
/* Asks for the code of JVMs. Each drain. */
void mappings_drain(void);
void mappings_code_read(struct opener_job *job);
/* How often code was read so far. */
u64 mappings_answers(void);
/* What files_table() says of a file changed. */
void mappings_file_changed(u32 file);
/* Tells the kernel side what became known since the last call. */
void mappings_install(void);
/* What the kernel side knows of this process and program; false: nothing. */
bool mappings_find(u32 pid, u64 start_ns, u64 exec_id, struct process_mappings *ret);
/* A process that has the file mapped (0: none any more), and when that started. */
u32 mappings_user(u32 file, u64 *ret_start_ns);
/* Whether a process has a file mapped, and stacks went through it, whose path is one of those. */
bool mappings_has_file(u32 pid, bool (*is_one)(const char *path));
/* Forgets processes that have ended. Once a tick. */
void mappings_forget_ended(void);
/* Processes the kernel side found no room for. */
u64 mappings_refused(void);

#endif
