/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns.h: network namespaces, their names, and one process of each for /proc. Sampler thread only.
 */
#pragma once

#include "bpf/model/base.h"

struct netns {
	struct netns *next;
	u32 inum;
	u32 pid;		/* a process in it, or 0 */
	u64 start_ns;		/* of that process */
	const char *name;	/* "host", name in /run/netns, container; NULL: unknown */
	char file[64];		/* in /run/netns, or "" */
	bool seen;
};

/* Reads again the namespaces of processes, and their names; once per now_ns (that of the tick). */
void netns_refresh(u64 now_ns);
/* Name of a namespace (belongs to it), or NULL. */
const char *netns_name(u32 inum);
/* The first namespace that is known, the host's; the others by ->next. */
struct netns *netns_first(void);
/* Inode of the network namespace of a process, or 0. */
u32 netns_of(u32 pid);
/* Path of a file that is the namespace, for setns(2). 0 or -ENOENT. */
int netns_path(const struct netns *n, char *buf, size_t cap);
/* Processes whose namespace was beyond the limit at the last refresh; *ret_names: names beyond it. */
u32 netns_left_out(u32 *ret_names);
/* Processes whose namespace /proc does not show, at the last refresh. */
u32 netns_unknown(void);
/* Its process has left it: the next refresh finds another one. */
void netns_left(const struct netns *n);
void netns_clear(void);
