/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scope.h: what of the host is observed, how often and how closely. Set once at start. */
#pragma once

#include "bpf/model/base.h"

#define SCOPE_MAX_PIDS 64
#define LOOKED_MAX 256	/* processes on a screen */

/* What is observed at all; everything where nothing is set. */
struct scope {
	u32 pids[SCOPE_MAX_PIDS];
	u32 n_pids;
	const char *comm_glob;	/* fnmatch(3) pattern for comm */
	const char *cgroup;	/* this path and what is below it */
};

struct sampler_options {
	u64 interval_ns;
	u64 tables;		/* TABLE_BIT()s wanted from the start */
	struct scope scope;	/* strings must live as long as the sampler */
	float budget_pct;
	u32 rate_hz;		/* stack samples a second of each CPU */
	u64 min_block_ns;	/* shorter waits are in no stack */
	bool no_lines;		/* of frames: names only */
	bool services;		/* names of services from the environments of processes */
	bool all_lines;		/* of all frames, not only of those that are seen */
};
