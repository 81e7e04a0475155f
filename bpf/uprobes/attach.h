/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attach.h: programs at places in a file, for every process that has it mapped, now or
 * later. By one link for all places where the kernel has that (uprobe_multi, 6.6), else
 * by a perf event for each; never by tracefs, where they would stay when ottop is killed.
 */
#pragma once

#include "bpf/model/base.h"

struct bpf_program;

#define UPROBE_PLACES 24

struct uprobe_place {
	u64 offset;	/* in the file */
	u64 cookie;	/* what bpf_get_attach_cookie() returns there */
};

/* Links of one program in one file. */
struct uprobe_links {
	int fds[UPROBE_PLACES];
	u32 n;
};

/* Before the program is loaded. */
void uprobe_prepare(struct bpf_program *prog);
/*
 * The same of one that is called at entries, where it returns 0, and at the return then, too, or 1: that return is not
 * seen, and costs nothing. It is attached as one of entries. False: this kernel has no such (uprobe session, 6.13), or
 * entries and returns cannot be distinguished here by the stack pointer.
 */
bool uprobe_prepare_session(struct bpf_program *prog);
/*
 * Attaches to n places (at most UPROBE_PLACES) of the file that is open as fd, which may be closed
 * then; returns: to where the function that begins there returns. All or nothing: 0 or -errno.
 */
int uprobe_attach(struct bpf_program *prog, int fd, const struct uprobe_place *places, u32 n, bool returns,
		  struct uprobe_links *ret);
void uprobe_detach(struct uprobe_links *links);
/*
 * x86 from 6.11 on kills processes under seccomp at return probes, until 6.12.14 and 6.13.3
 * ("seccomp: passthrough uretprobe systemcall without filtering"). NULL: they are safe.
 */
const char *uprobe_returns_obstacle(void);
/* The same of a kernel by its release, as uname(2) has it; for tests. */
bool uprobe_returns_kill(const char *release);
