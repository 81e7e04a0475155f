/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * targets.h: the files in which uprobes are attached: those that contain the requested functions.
 * Each file is searched once, by ottop-symbols, and identified by the inode that processes map:
 * paths may be deleted, replaced, or those of a container. Sampler thread only.
 */
#pragma once

#include "bpf/uprobes/attach.h"

/* One function: programs (NULL: none) at its entry and where it returns. */
struct uprobe_function {
	const char *symbol;		/* in the syntax of symbolizer/symbols.h */
	u64 cookie;
	struct bpf_program *entry, *returns;
	const char *unless;		/* skipped if this symbol is found, which covers it */
	const char *with;		/* useless without this symbol */
};

struct uprobe_spec {
	const char *collector;		/* owner of the rows of the table probes */
	const struct uprobe_function *functions;
	u32 n;				/* at most UPROBE_PLACES */
	const char *const *names;	/* prefixes of names of files to search in any process */
	u32 n_names;
};

enum uprobe_found {
	UPROBE_ENDED,		/* the process has nothing mapped any more */
	UPROBE_PENDING,		/* files are being looked at */
	UPROBE_NOTHING,		/* none of its files has the functions, or can be attached to */
	UPROBE_ATTACHED,
};

/* All of it must stay until targets_close(). */
void targets_open(const struct uprobe_spec *spec);
void targets_close(void);
/* A file that a process may map soon; it need not exist. */
void targets_path(const char *path);
/*
 * State of the files mapped as code (all, or those named). ret_since_ns (or NULL): last attached.
 */
enum uprobe_found targets_process(u32 pid, bool all, u64 *ret_since_ns);
/* Goes on with the processes there are, for about max_ns; true: it was through all of them. */
bool targets_scan(u64 max_ns);
/* Takes answers, and attaches. */
void targets_drain(void);
