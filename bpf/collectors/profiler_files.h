/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * profiler_files.h: files that stacks go through, and which process has mapped
 * them where. A file is (device, inode, size, change time); its unwind table is
 * loaded once for all processes.
 */
#ifndef OTTOP_PROFILER_FILES_H
#define OTTOP_PROFILER_FILES_H

#include "bpf/base.h"

struct bpf_map;
struct symbolizer_answer;

struct profiler_maps {
	struct bpf_map *files, *infos, *processes;
};

/* What the kernel side reads. 0 or -errno. */
int files_open(const struct profiler_maps *m);
void files_close(void);
/* A sample said that user space must look at this process (again). */
void files_process_changed(u32 pid, u64 start_ns, u64 exec_id);
/* Tells the kernel side what became known since the last call. */
void files_install(void);
/* Forgets processes that have ended. Once a tick. */
void files_forget_ended(void);
/* Takes an unwind table. */
void files_table_answer(const struct symbolizer_answer *a);

/* Base name, path, build-id in hex, and whether it is a library; NULL for an unknown number. */
const char *file_path(u32 file);
const char *file_build_id(u32 file);
/* An open descriptor of the file, or -1. */
int file_fd(u32 file);
/* Address in the file of what the kernel side reports (that counts from the table's base). */
u64 file_addr(u32 file, u64 reported);
bool file_is_bad(u32 file);
/* A process that has it mapped (0: none any more), and when that started. */
u32 file_user(u32 file, u64 *ret_start_ns);
/*
 * The file that has an address of a process, by what is known now, and the
 * address as the kernel side would report it; 0: none; FILE_PENDING: there is
 * one, but its layout has not been read yet. For samples that the kernel side
 * took before it knew.
 */
#define FILE_PENDING 0xffffffffu
u32 files_resolve(u32 pid, u64 start_ns, u64 exec_id, u64 addr, u64 *ret_addr);
/* Files whose table found no room under the cap. */
u64 files_refused(void);
/* Bytes of kernel memory of all tables. */
u64 files_table_bytes(void);

#endif
