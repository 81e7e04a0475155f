/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * opener.h: opens files in the mount namespaces of other processes, and reads the stacks
 * of waiting threads, in threads of its own: a file system that does not answer (NFS, or
 * a hostile user's FUSE), or an mmap lock that a hanging process holds, blocks one of
 * these threads and nothing else. File contents are not read here.
 */
#pragma once

#include "bpf/helpers/hotspot.h"

#define OPENER_LINK_MAX 128

enum opener_kind {
	OPEN_DEBUG,	/* separate debug file of `path` */
	OPEN_SUP,	/* supplementary debug file made by dwz, by its `link` or build_id */
	OPEN_PERF_MAP,	/* /tmp/perf-PID.map */
	READ_STACK,	/* memory of a thread */
	READ_HOTSPOT,	/* the compiled code of a JVM */
};

struct opener_job {
	struct opener_job *next;
	enum opener_kind kind;
	u32 id;			/* the caller's */
	u32 pid;		/* in the initial namespace; 0: only our own root is searched */
	u32 thread;		/* a living thread of it, to reach the process's root; 0: the main thread */
	u64 start_ns;		/* start time of the process, to detect a reused pid */
	/* OPEN_DEBUG */
	u32 from;		/* the first place to look at; set to the one after that of fd */
	char build_id[2 * 20 + 1], link[OPENER_LINK_MAX], path[512];
	/* READ_STACK: `bytes` from addr - below on; set to what could be read */
	u64 addr;
	u32 below, bytes;
	/* READ_HOTSPOT: addr: load address of libjvm.so; layout: from the last time, or zeros */
	struct hotspot_layout layout;
	struct hotspot *code;	/* the result, to be freed by the caller, or NULL */
	u64 cpu_ns;		/* CPU time used */
	/* the result */
	int fd;			/* open for reading, a regular file (READ_STACK, READ_HOTSPOT: 0); or -errno */
	u8 *stack;		/* READ_STACK: to be freed by the caller, or NULL */
};

/* Queues a copy. 0, or -EAGAIN when the queue is full. */
int opener_ask(const struct opener_job *job);
/* A finished job, or NULL; the caller frees it, and owns its fd. */
struct opener_job *opener_take(void);
/* Readable when a job is finished; -1 before the first question. */
int opener_fd(void);

/*
 * The regular file mapped under that path and inode, open for reading, or -errno. In the caller's
 * thread, where map_files/ is not accessible.
 */
int opener_mapped(u32 pid, const char *path, u64 ino);

/* ---- the work itself, in the caller's thread; for tests ---- */

/* Number of places where debug files are searched. */
#define DEBUG_PLACES 5
#define SUP_PLACES 4
/* Path of a place, relative to the process's root, or ours (*ret_own). False: not applicable to this job. */
bool opener_debug_place(const struct opener_job *job, u32 place, char *buf, size_t cap, bool *ret_own);
void opener_work(struct opener_job *job);
