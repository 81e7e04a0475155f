/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * launch.h: the one launcher of helper processes. Between ottop and each helper stands
 * a watcher ("ottop-watch"): it is forked before threads and BPF exist, gives up what
 * the helper must not have, starts the helper, and starts it anew when it has died.
 * The helper has one socket to ottop (HELPER_SOCK) and limits of its own: memory, files,
 * and for each piece of work CPU time and time on the clock. What ends a helper, how
 * often, and what all of them cost is known to ottop.
 */
#ifndef OTTOP_LAUNCH_H
#define OTTOP_LAUNCH_H

#include <sys/types.h>

#include "bpf/model/base.h"

#define HELPER_SOCK 3	/* its descriptor of the socket: SOCK_SEQPACKET */

enum helper_rights {
	HELPER_COMPUTES,	/* nobody, no capability: computes from descriptors that it is sent */
	HELPER_LOOKS_UP,	/* nobody, no capability: may open files and sockets; no programs */
	HELPER_KEEPS,		/* the user who started ottop, with `capabilities` and no others */
};

enum helper_death {
	HELPER_DIED,		/* of a signal that is none of the limits: a crash, a kill */
	HELPER_NO_MEMORY,	/* it aborted: no memory under its limit, or a broken heap */
	HELPER_CPU,		/* a piece of work took more CPU time than cpu_s */
	HELPER_STUCK,		/* a piece of work took longer than stuck_s */
	HELPER_FAILED,		/* it could not be set up, or gave up */
};

struct helper_spec {
	const char *name;	/* of the process: 15 bytes at most */
	/* The helper: works until its socket is closed; to return is the end. */
	void (*serve)(const void *arg);
	const void *arg;
	/*
	 * In the watcher, when the helper died over a piece of work: tells ottop's side, by a
	 * message through HELPER_SOCK. NULL: nobody waits for an answer.
	 */
	void (*died)(u32 work, enum helper_death how);
	enum helper_rights rights;
	u64 capabilities;	/* HELPER_KEEPS: 1 << CAP_... */
	u64 memory_bytes;	/* of address space */
	u64 data_bytes;		/* of it what it writes to, stacks aside; 0: no limit of its own */
	u32 files;		/* open descriptors */
	s32 nice;
	u32 cpu_s, stuck_s;	/* of one piece of work, see helper_work() */
};

struct helper_page;

struct helper {
	int sock;		/* -1: it does not run */
	pid_t watcher;
	const struct helper_spec *spec;		/* must stay */
	const volatile struct helper_page *page;
	u32 reported_deaths;
};

#define HELPER_NONE { .sock = -1 }

/* Starts it, if it does not run. Before threads exist and before any BPF is loaded. 0 or -errno. */
int helper_start(struct helper *h, const struct helper_spec *spec);
/* Ends it, at once if it does not end by itself. What waits in the socket is lost. */
void helper_stop(struct helper *h);
/* Its watcher is gone: closes the socket, after which it counts as one that does not run. */
void helper_lost(struct helper *h);

/* How often it has died so far; from any thread. */
u32 helper_deaths(const struct helper *h);
/* Writes a line to the log for each helper that has died since the last call, with the reason. */
void helpers_report(void);
/* "ottop-symbols died 2 times, last: killed by SIGKILL"; "" where none has died. */
void helpers_deaths_text(char *buf, size_t cap);
/* CPU time of all helpers that run and of those that ended, with their watchers. */
u64 helpers_cpu_ns(void);
/* The pids of all of them; how many. */
u32 helpers_pids(u32 *ret, u32 cap);

/*
 * In the helper, in any of its threads: begins a piece of work (its number, not 0), or
 * ends it (0). Until then cpu_s and stuck_s hold for it, and its death is told.
 */
void helper_work(u32 work);

#endif
