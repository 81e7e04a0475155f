/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proctab.h: known processes by (pid, start time), filled by processes. Sampler thread only. */
#pragma once

#include "bpf/model/hash.h"
#include "bpf/host/scope.h"
#include "bpf/model/rate.h"
#include "bpf/model/snapshot_build.h"

/* Cumulative values as the kernel has them now: live threads and ended ones. */
struct proc_usage {
	u64 cpu_ns, utime_ns, stime_ns, runq_ns, blocked_ns;
	u64 read_bytes, write_bytes, calls;
};

struct wire_thread;

#define UNREAD_TWICE 2	/* once: it may have been about to end */

struct proc {
	struct hash_node node;	/* by pid */
	u64 start_ns;
	u32 pid, ppid, uid, ns_pid, threads;
	u32 living;		/* a thread by which /proc has it: see procfs_living() */
	u32 user_version;	/* users_version() when `user` was looked up */
	const char *comm, *cmdline, *user, *container, *cgroup, *unit, *cwd;	/* references */
	const char *service;	/* the same; NULL: none, or not asked for (identity_want_services()) */
	u32 long_bytes;		/* bytes of cmdline beyond the usual length: see identity.c */
	u64 first_seen_ns;
	u64 css_set;		/* changes when the cgroup does; never a key */
	bool born_here;		/* its whole life was observed */
	bool identified;	/* cmdline and cgroup were read */
	bool titled;		/* the exec event had the whole command line */
	bool reread;		/* these have changed: exec, another cgroup */
	u8 unread;		/* consecutive failures to read them from /proc */
	int unread_err, cwd_err;	/* errno; 0: it could be read */
	bool retitle;		/* its command line may have changed, for which there is no event */
	bool kthread;
	bool seen;		/* by the iterator of this tick */
	bool exited;		/* its exit was reported */
	bool closed;		/* gone; this tick's row is the last */
	u32 swept;		/* closed: which sweep took it out */
	char state;
	s32 wait_status;	/* as wait(2) has it; valid once exited or a zombie */
	bool rss_rough;		/* rss_bytes lags behind; /proc has it exactly */
	u64 exit_ns, rss_pages, rss_bytes, rss_peak_bytes;
	struct proc_usage now;
	u64 main_runtime_ns;	/* of the main thread, in now.cpu_ns; once exited */
	u64 calls_delta;	/* system calls of this interval */
	u32 netns;		/* inode of its network namespace, or 0: not asked yet */
	bool netns_hidden;	/* or it may not be asked */
	/*
	 * Sums of other collectors for its row, filled in last. Unknown at the beginning of a tick.
	 */
	struct processes_row *row;	/* of this tick; NULL: not observed */
	float rx_rate, tx_rate;	/* of its sockets in this interval */
	u64 http_requests;	/* in this interval: served or, if it serves none, made */
	const struct hist *http_hist;	/* a reference; their durations */
	bool http_serves;
	bool reading_hangs;	/* reading its memory or files hangs: no more questions about its waits */
	u32 n_labels, labels_looked;	/* frames for the objects of its waits (profiler_labels.c) */
	const struct wire_thread *longest;	/* this tick's thread with the longest call that is not meant to wait */
	struct counter cpu, utime, stime, runq, blocked, read, written, calls, rss;
};

/* The process, or NULL. */
struct proc *proctab_find(u32 pid, u64 start_ns);
/* The youngest process of that pid that is not closed, or NULL. */
struct proc *proctab_current(u32 pid);
/* The process; created if it is new (*ret_new). */
struct proc *proctab_get(u32 pid, u64 start_ns, bool *ret_new);
void proctab_each(void (*fn)(struct proc *p, void *arg), void *arg);
u32 proctab_count(void);
/* Removes the closed ones; proctab_ended() finds them for some more sweeps. After every collector has read. */
void proctab_sweep(void);
/* One removed by the last sweeps, or NULL: for reports that arrive some ticks late. */
struct proc *proctab_ended(u32 pid, u64 start_ns);
/* The process, living or recently ended, or NULL. */
static inline struct proc *proctab_find_any(u32 pid, u64 start_ns)
{
	return proctab_find(pid, start_ns) ?: proctab_ended(pid, start_ns);
}

void proctab_clear(void);

/* Sets which processes are observed; keeps the pointer. NULL: all. */
void proctab_scope(const struct scope *scope);
bool proc_in_scope(const struct proc *p);

/*
 * Percent of an interval that n_threads waited for a CPU. Unknown if that is more than possible: the
 * kernel's error (run_delay_ns() in bpf/kernel/tasks.bpf.h) is not known for threads that were migrated
 * before ottop ran.
 */
float proc_runq_pct(u64 waited_ns, u64 interval_ns, u32 n_threads);
