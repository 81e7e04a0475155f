/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper.h: a tiny process that does one privileged thing on request: switch
 * the kernel's BPF run-time statistics on and off (needs CAP_SYS_ADMIN, which
 * ottop itself gives up). It reads one byte a request and nothing else.
 */
#ifndef OTTOP_KEEPER_H
#define OTTOP_KEEPER_H

#include "bpf/base.h"

/* Forks it. Call before threads exist. 0 or -errno. */
int keeper_start(void);
/* 0 or -errno (no keeper, no permission). */
int keeper_stats(bool on);
void keeper_stop(void);

#endif
