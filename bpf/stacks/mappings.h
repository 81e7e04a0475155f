/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mappings.h: executable mappings for BPF; opens files on first need. Sampler thread only. */
#pragma once

#include "bpf/model/base.h"
#include "bpf/kernel/map_ops.h"

struct opener_job;

struct process_mappings {
	u32 first, n;	/* lines of the arena */
	bool ended;	/* it ended before they could be read */
};

/* The BPF map of processes; the caller keeps its descriptor. */
void mappings_open(struct map_ops processes);
void mappings_close(void);
/*
 * A sample needs this process updated: new (miss 0) or `miss` in no known mapping. Reads
 * /proc/PID/maps unless just read.
 */
void mappings_process_changed(u32 pid, u64 start_ns, u64 exec_id, u64 miss);
/* A stack has this address, whose file has no table yet: requests one. True: an answer will come. */
bool mappings_want_table(u32 pid, u64 pc);
/* A stack of this process has JIT code. */
void mappings_code_used(u32 pid);
/* Asks for the code of JVMs. Each drain. */
void mappings_drain(void);
void mappings_code_read(struct opener_job *job);
/* Number of times that JVM code was read. */
u64 mappings_answers(void);
/* The result of files_table() for this file changed. */
void mappings_file_changed(u32 file);
/* Publishes all changes since the last call to the BPF programs. */
void mappings_install(void);
/* The published mappings of this process and program; false: none. */
bool mappings_find(u32 pid, u64 start_ns, u64 exec_id, struct process_mappings *ret);
/* A process that maps the file (0: none any more), and its start time. */
u32 mappings_user(u32 file, u64 *ret_start_ns);
/* Does the process map a file, used by its stacks, whose path satisfies is_one()? */
bool mappings_has_file(u32 pid, bool (*is_one)(const char *path));
/* Removes ended processes. Once a tick. */
void mappings_forget_ended(void);
/* Processes for which the BPF map had no room. */
u64 mappings_refused(void);
