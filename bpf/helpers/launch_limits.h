/* SPDX-License-Identifier: GPL-2.0-or-later */
/* launch_limits.h: the restrictions of a helper; for launch.c only. */
#pragma once

#include "bpf/helpers/launch.h"

/* In the watcher before the fork: rights, signals, priority for the helper. 0 or -errno. */
int limits_of_watcher(const struct helper_spec *s);
/* Memory shared by helper and watcher, written by the helper: not trusted. */
struct helper_notes {
	u32 work;		/* see helper_work() */
	u32 pad;
	u64 fault;		/* address of a fatal fault in our own code: fault_own(); 0: none */
};

/* In the helper: its name, memory, descriptors and system calls. */
void limits_of_helper(const struct helper_spec *s, volatile struct helper_notes *notes);
