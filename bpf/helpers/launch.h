/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * launch.h: the launcher of all helper processes. Each helper has a watcher process ("ottop-watch")
 * as parent: it is forked before threads and BPF exist, drops the rights that the helper must not
 * have, starts the helper and restarts it when it dies. The helper has one socket to ottop
 * (HELPER_SOCK) and limits on memory, files, and on CPU and wall time of each piece of work. The
 * watcher reports deaths, their causes, and the CPU time of all helpers to ottop.
 */
#pragma once

#include <sys/types.h>

#include "bpf/model/base.h"

#define HELPER_SOCK 3	/* descriptor of the helper's socket: SOCK_SEQPACKET */

enum helper_rights {
	HELPER_COMPUTES,	/* user nobody, no capabilities: computes from descriptors that it is sent */
	HELPER_LOOKS_UP,	/* user nobody, no capabilities: may open files and sockets, not execute programs */
	HELPER_KEEPS,		/* the user who started ottop, with `capabilities` and no others */
};

enum helper_death {
	HELPER_DIED,		/* by a signal not caused by a limit: a crash, a kill */
	HELPER_NO_MEMORY,	/* it aborted: out of memory under its limit, or a corrupt heap */
	HELPER_CPU,		/* a piece of work took more CPU time than cpu_s */
	HELPER_STUCK,		/* a piece of work took longer than stuck_s */
	HELPER_FAILED,		/* it could not be set up, or exited */
};

struct helper_spec {
	const char *name;	/* of the process: 15 bytes at most */
	/* Runs in the helper: works until its socket is closed; the helper ends when it returns. */
	void (*serve)(const void *arg);
	const void *arg;
	/*
	 * In the watcher: the helper died at work: sends an error answer. NULL: none is expected.
	 */
	void (*died)(u32 work, enum helper_death how);
	enum helper_rights rights;
	u64 capabilities;	/* HELPER_KEEPS: 1 << CAP_... */
	u64 memory_bytes;	/* of address space */
	u64 data_bytes;		/* private writable, without stacks (RLIMIT_DATA); 0: no limit */
	u32 files;		/* open descriptors */
	s32 nice;
	u32 cpu_s, stuck_s;	/* of one piece of work, see helper_work() */
};

struct helper_page;

struct helper {
	int sock;		/* -1: not running */
	pid_t watcher;
	const struct helper_spec *spec;		/* must outlive it */
	const volatile struct helper_page *page;
	u32 reported_deaths;
};

#define HELPER_NONE { .sock = -1 }

/* Starts it, unless it runs. Before threads exist and before any BPF is loaded. 0 or -errno. */
int helper_start(struct helper *h, const struct helper_spec *spec);
/* Ends it, killing it if necessary. Messages still in the socket are lost. */
void helper_stop(struct helper *h);
/* Its watcher is gone: closes the socket; it then counts as not running. */
void helper_lost(struct helper *h);

/* Number of its deaths so far; callable from any thread. */
u32 helper_deaths(const struct helper *h);
/* Logs a line for each helper that has died since the last call, with the reason. */
void helpers_report(void);
/* "ottop-symbols died 2 times, last: killed by SIGKILL"; "" where none has died. */
void helpers_deaths_text(char *buf, size_t cap);
/* CPU time of all helpers, past and present, with their watchers. */
u64 helpers_cpu_ns(void);
/* The pids of all helpers and watchers; returns their number. */
u32 helpers_pids(u32 *ret, u32 cap);

/*
 * In the helper: begins work number `work`, or ends it (0). Meanwhile cpu_s, stuck_s, died() apply.
 */
void helper_work(u32 work);
