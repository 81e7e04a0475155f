/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * opener.h: opens files that processes have in their own mount namespaces, and reads
 * the stacks of threads that wait, in threads of its own: a file system that does not
 * answer (NFS, or FUSE of a hostile user), or memory that is locked for as long as
 * somebody hangs, holds up one of them, and nothing else. No file is read here.
 */
#ifndef OTTOP_OPENER_H
#define OTTOP_OPENER_H

#include "bpf/helpers/hotspot.h"

#define OPENER_LINK_MAX 128

enum opener_kind {
	OPEN_DEBUG,	/* separate debug file of `path` */
	OPEN_SUP,	/* what dwz moved out of debug files, by its `link` or build_id */
	OPEN_PERF_MAP,	/* /tmp/perf-PID.map */
	READ_STACK,	/* memory of a thread */
	READ_HOTSPOT,	/* the code that a JVM has made */
};

struct opener_job {
	struct opener_job *next;
	enum opener_kind kind;
	u32 id;			/* the caller's */
	u32 pid;		/* of the initial namespace; 0: only our own files are looked at */
	u32 thread;		/* one of it that has not ended: by it the process's root is reached; 0: the first */
	u64 start_ns;		/* when it started: another process of that pid is not it */
	/* OPEN_DEBUG */
	u32 from;		/* the first place to look at; set to the one after that of fd */
	char build_id[2 * 20 + 1], link[OPENER_LINK_MAX], path[512];
	/* READ_STACK: from `below` bytes under addr on, `bytes` of them; set to what there is */
	u64 addr;
	u32 below, bytes;
	/* READ_HOTSPOT: addr: where libjvm.so is loaded; layout: of the last time, or zeros */
	struct hotspot_layout layout;
	struct hotspot *code;	/* the result, the caller's to free(), or NULL */
	u64 cpu_ns;		/* what it took */
	/* the result */
	int fd;			/* open for reading, a regular file (READ_STACK, READ_HOTSPOT: 0); or -errno */
	u8 *stack;		/* READ_STACK: the caller's to free(), or NULL */
};

/* Takes a copy. 0, or -EAGAIN when too much waits. */
int opener_ask(const struct opener_job *job);
/* A finished job, or NULL; the caller frees it, and owns its fd. */
struct opener_job *opener_take(void);
/* Readable when a job is finished; -1 before the first question. */
int opener_fd(void);

/*
 * The regular file that a process (or thread) has mapped under that path and inode number, open
 * for reading; or -errno. In the caller's thread: only for where map_files/ is not to be had.
 */
int opener_mapped(u32 pid, const char *path, u64 ino);

/* ---- the work itself, in the caller's thread; for tests ---- */

/* How many places a debug file is looked for in; their names, relative to the process's root. */
#define DEBUG_PLACES 5
#define SUP_PLACES 4
/* False: there is no such place for this job. own: in our own root, not the process's. */
bool opener_debug_place(const struct opener_job *job, u32 place, char *buf, size_t cap, bool *ret_own);
void opener_work(struct opener_job *job);

#endif
