/* SPDX-License-Identifier: GPL-2.0-or-later */
/* privileges.h: drops capabilities that are no longer needed once the programs are loaded. */
#pragma once

#include "bpf/model/base.h"

/*
 * Keeps the capabilities to load and attach more programs (BPF, PERFMON), to read the
 * /proc of other users' processes (SYS_PTRACE, DAC_READ_SEARCH, SYSLOG; CHECKPOINT_RESTORE
 * for map_files), to write a recording where the user of sudo may (DAC_OVERRIDE, CHOWN),
 * and to raise its priority (SYS_NICE, thread_follow_pace()); drops the rest for good. Applies
 * to the calling thread and threads it starts later. 0 or -errno.
 */
int privileges_drop(void);
/* True when this thread has the capability (CAP_...) now. */
bool privileges_have(int capability);
/* Drops all capabilities but those in `capabilities` (1 << CAP_...). 0 or -errno. */
int privileges_keep(u64 capabilities);
