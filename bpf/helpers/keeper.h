/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper.h: a tiny process that does on request what needs CAP_SYS_ADMIN, which
 * ottop itself gives up: switching the kernel's BPF run-time statistics, and
 * opening perf events (Debian's perf_event_paranoid = 3 asks for it). It reads
 * fixed-size requests from ottop and nothing else.
 */
#ifndef OTTOP_KEEPER_H
#define OTTOP_KEEPER_H

#include "bpf/helpers/launch.h"
#include "bpf/model/base.h"

extern const struct helper_spec keeper_spec;

#define KEEPER_PATH 96

/* Forks it. Call before threads exist. 0 or -errno. */
int keeper_start(void);
void keeper_stop(void);
/* 0 or -errno (no keeper, no permission). */
int keeper_stats(bool on);
/* A CPU clock event that samples hz times a second on one CPU; a descriptor or -errno. */
int keeper_cpu_clock(u32 cpu, u32 hz);
/*
 * A tracepoint ("sched", "sched_switch") as a perf event; a descriptor or -errno
 * (-ENOENT: there is none of that name, or no tracefs to ask). Where tracefs is not
 * mounted the keeper mounts one that nobody else sees (fsmount(2)).
 */
int keeper_tracepoint(const char *category, const char *name);
/*
 * A probe at that offset of the file open as fd, or where the function that begins there
 * returns, as a perf event of all processes; a descriptor or -errno.
 */
int keeper_uprobe(int fd, u64 offset, bool returns);
/*
 * In the network namespace of that file (/proc/PID/ns/net, /run/netns/NAME): opens
 * its net/dev; starts the pass of an attached iterator. A descriptor or -errno;
 * -ESTALE: the file is not the namespace of that number (any more).
 */
int keeper_netns_dev(const char *path, u32 inum);
int keeper_netns_iter(const char *path, u32 inum, int link_fd);

#endif
