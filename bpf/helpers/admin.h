/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * admin.h: the privileged helper. ottop drops CAP_SYS_ADMIN; this small process keeps it
 * and does on request what needs it: switching the kernel's BPF run-time statistics,
 * opening perf events (Debian's perf_event_paranoid = 3 requires it), entering network
 * namespaces. Its only input is fixed-size requests from ottop.
 */
#pragma once

#include "bpf/helpers/launch.h"
#include "bpf/model/base.h"

extern const struct helper_spec admin_spec;

#define ADMIN_PATH 96

/* Forks it. Call before threads exist. 0 or -errno. */
int admin_start(void);
void admin_stop(void);
/* 0 or -errno (no helper, no permission). */
int admin_stats(bool on);
/* A CPU clock event that samples hz times a second on one CPU; a descriptor or -errno. */
int admin_cpu_clock(u32 cpu, u32 hz);
/*
 * A tracepoint ("sched", "sched_switch") as a perf event; a descriptor or -errno
 * (-ENOENT: no such tracepoint, or no tracefs). Where tracefs is not mounted the helper
 * mounts a private, detached one (fsmount(2)).
 */
int admin_tracepoint(const char *category, const char *name);
/*
 * A uprobe at that offset (or return of the function there) as a perf event; descriptor or -errno.
 */
int admin_uprobe(int fd, u64 offset, bool returns);
/*
 * In the network namespace of that file (/proc/PID/ns/net, /run/netns/NAME): opens
 * its net/dev; starts the pass of an attached iterator. A descriptor or -errno;
 * -ESTALE: the file is not the namespace of that number (any more).
 */
int admin_netns_dev(const char *path, u32 inum);
int admin_netns_iter(const char *path, u32 inum, int link_fd);
