/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proctab.h: the processes that are known, by (pid, start time). Filled by the
 * processes collector; the others look up who a pid is. Sampler thread only.
 */
#ifndef OTTOP_PROCTAB_H
#define OTTOP_PROCTAB_H

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
	u32 long_bytes;		/* of cmdline, beyond what is usual: see identity.c */
	u64 first_seen_ns;
	u64 css_set;		/* changes when the cgroup does; never a key */
	bool born_here;		/* its whole life was observed */
	bool identified;	/* cmdline and cgroup were read */
	bool titled;		/* an exec event told the whole command line */
	bool reread;		/* they changed: exec, another cgroup */
	u8 unread;		/* so many times in a row /proc did not tell who it is */
	int unread_err, cwd_err;	/* errno; 0: it could be read */
	bool retitle;		/* its command line may have changed: nothing says when it does */
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
	 * What collectors add up for its row, which the processes collector fills once
	 * all have read. Unknown at the beginning of a tick: who counts sets it to 0.
	 */
	struct processes_row *row;	/* of this tick; NULL: not observed */
	float rx_rate, tx_rate;	/* of its sockets in this interval */
	u64 http_requests;	/* in this interval: served, or made where it serves none */
	const struct hist *http_hist;	/* a reference; their durations */
	bool http_serves;
	bool reading_hangs;	/* its memory or files: it is not asked again what it waits on */
	u32 n_labels, labels_looked;	/* frames that say what its waits were for (profiler_labels.c) */
	const struct wire_thread *longest;	/* longest in a call that is no wait by design; of this tick */
	struct counter cpu, utime, stime, runq, blocked, read, written, calls, rss;
};

/* The process, or NULL. */
struct proc *proctab_find(u32 pid, u64 start_ns);
/* The youngest process of that pid that is not closed, or NULL. */
struct proc *proctab_current(u32 pid);
/* The process; made when it is new (*ret_new). */
struct proc *proctab_get(u32 pid, u64 start_ns, bool *ret_new);
void proctab_each(void (*fn)(struct proc *p, void *arg), void *arg);
u32 proctab_count(void);
/* Forgets the closed ones; for some sweeps more proctab_ended() finds them. After every collector has read. */
void proctab_sweep(void);
/* One that the last sweeps took out, or NULL: for what is told of it some ticks late. */
struct proc *proctab_ended(u32 pid, u64 start_ns);
/* The process, also one that has ended, or NULL. */
static inline struct proc *proctab_find_any(u32 pid, u64 start_ns)
{
	return proctab_find(pid, start_ns) ?: proctab_ended(pid, start_ns);
}

void proctab_clear(void);

/* Which processes are observed at all; kept by reference. NULL: all. */
void proctab_scope(const struct scope *scope);
bool proc_in_scope(const struct proc *p);

/*
 * Percent of an interval that n_threads waited for a CPU. Unknown where it is more than they can have
 * waited: what the kernel counts wrongly (run_delay_ns() in bpf/kernel/tasks.bpf.h) is not known
 * of those that were moved before ottop was there.
 */
float proc_runq_pct(u64 waited_ns, u64 interval_ns, u32 n_threads);

#endif
