/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files.h: files in stacks. A file is (device, inode, size, change time); its unwind table is made
 * when a stack first needs it, is shared by all processes, and may be evicted when room is needed.
 * Files are numbered from 1; numbers are never reused. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"

struct symbolizer_answer;

/* The map of rules that all tables share; the caller keeps its descriptor. 0 or -errno. */
int files_open(int infos_fd);
void files_close(void);

/* The file with that line in /proc/PID/maps ("fe:01", 1234, path), if it is known; else 0. */
u32 files_known(const char *dev, u64 ino, const char *path);
/* The file behind a mapping, also if deleted or replaced. 0: cannot be opened, or too many. */
u32 files_of_mapping(u32 pid, u64 start, u64 end);
/* The kernel's own, the same for all processes; 0: there is none. */
u32 files_vdso(void);

/* Requests the table if it is missing, small files first. True: an answer will come. */
bool files_want_table(u32 file);
void files_ask_waiting(void);
/* Number of answers so far. */
u64 files_answers(void);
/* Takes a table, or the reason why there is none. True: the result of files_table() changed. */
bool files_table_answer(const struct symbolizer_answer *a);
/* Number of the first line of its table in the arena, TABLE_PENDING, TABLE_NO_ROOM or TABLE_ABSENT. */
u32 files_table(u32 file);
/* A stack used it at that time; addr: relative to the table's base. */
void files_used(u32 file, u64 addr, u64 time_ns);
/* Converts a file offset to an address relative to the table's base; false: it is in no segment. */
bool files_addr_of_offset(u32 file, u64 offset, u64 *ret);

/* Path and build-id in hex (NULL and "" if unknown), of the file's own strings. */
const char *file_path(u32 file);
const char *file_build_id(u32 file);
/* An open descriptor of the file, or -1. */
int file_fd(u32 file);
/* Address in the file, from one that BPF programs report (relative to the table's base). */
u64 file_addr(u32 file, u64 reported);
bool file_is_bad(u32 file);
/* Files beyond the limit, or whose table did not fit under the cap. */
u64 files_refused(void);
/* Tables in part that lack pages which stacks need; tables in use that were evicted for others used more. */
u64 files_squeezed(void);
u64 files_evicted(void);
