/* SPDX-License-Identifier: GPL-2.0-or-later */
/* privileges.h: giving up what is not needed once the programs are loaded. */
#ifndef OTTOP_PRIVILEGES_H
#define OTTOP_PRIVILEGES_H

#include "bpf/model/base.h"

/*
 * Keeps the capabilities to load and attach more programs (BPF, PERFMON), to
 * read about processes of others (SYS_PTRACE, DAC_READ_SEARCH, SYSLOG;
 * CHECKPOINT_RESTORE for the files they have mapped), to write a recording where the user of sudo may
 * (DAC_OVERRIDE, CHOWN), and to go before others again (SYS_NICE, thread_follow_pace()); drops
 * the rest for good. Of the calling thread and those it starts from now on.
 * 0 or -errno.
 */
int privileges_drop(void);
/* True when this thread has the capability (CAP_...) now. */
bool privileges_have(int capability);
/* Keeps those of `capabilities` (1 << CAP_...) that it has, and no others. 0 or -errno. */
int privileges_keep(u64 capabilities);

#endif
