/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * targets.h: which files programs are attached in: those that have the functions asked for. A
 * file is looked at once, in ottop-symbols, by the inode that processes have mapped: paths may
 * be gone, replaced, or those of a container. Sampler thread only.
 */
#ifndef OTTOP_TARGETS_H
#define OTTOP_TARGETS_H

#include "bpf/uprobes/attach.h"

/* One function: programs (NULL: none) at its entry and where it returns. */
struct uprobe_function {
	const char *symbol;		/* as symbolizer/symbols.h has it */
	u64 cookie;
	struct bpf_program *entry, *returns;
	const char *unless;		/* a symbol that, where it is found, stands for this one too */
	const char *with;		/* one without which this one is of no use */
};

struct uprobe_spec {
	const char *collector;		/* whose rows of the table probes say what is attached */
	const struct uprobe_function *functions;
	u32 n;				/* at most UPROBE_PLACES */
	const char *const *names;	/* beginnings of file names that are looked at in any process */
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
 * Files that a process has mapped as code: all of them, or those with the names of the
 * specification. What is known of them so far. ret_since_ns (NULL: not asked for): when the last of those that are attached was.
 */
enum uprobe_found targets_process(u32 pid, bool all, u64 *ret_since_ns);
/* Goes on with the processes there are, for about max_ns; true: it was through all of them. */
bool targets_scan(u64 max_ns);
/* Takes answers, and attaches. */
void targets_drain(void);

#endif
