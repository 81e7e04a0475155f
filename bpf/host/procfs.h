/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procfs.h: reads small files of /proc; processes may vanish at any time. */
#pragma once

#include <stdio.h>

#include "bpf/model/base.h"

/* Reads at most cap-1 bytes of /proc/PATH, and a NUL. Bytes, or -errno (-ESRCH, -ENOENT: gone). */
int procfs_read(const char *path, char *buf, size_t cap);
/*
 * The id under which /proc has the memory, files and namespaces of a process: its pid or, if
 * the main thread has ended (pthread_exit() in main), as /proc/PID is then empty, the tid of a
 * living thread. /proc/TID exists for each thread, and unlike /proc/PID/task/TID it has
 * map_files/. The pid if there is none.
 */
u32 procfs_living(u32 pid);
/* As procfs_read(), of /proc/PID/FILE; through a living thread where that is empty. */
int procfs_read_pid(u32 pid, const char *file, char *buf, size_t cap);
/* Target of the link /proc/PID/FILE, in the same way. Returns its length or -errno. */
int procfs_link_pid(u32 pid, const char *file, char *buf, size_t cap);
/* The number after "NAME:" or "NAME " at a line's start, or U64_UNKNOWN. */
u64 procfs_value(const char *text, const char *name);
/*
 * Searches /proc/kallsyms in steps: all of it takes 40 ms or more. True: done; addr 0: not found.
 */
struct symbol_search {
	FILE *f;
	u64 addr;
};
bool procfs_seek_symbol(struct symbol_search *s, const char *name, u32 lines);
void procfs_seek_end(struct symbol_search *s);
/* True when /proc is of the initial pid namespace, so that kernel pids may be joined with it. */
bool procfs_is_initial(void);

/* Number of online CPUs, cached for a second: the C library reads a file each time. Sampler thread only. */
u32 procfs_cpus(void);
