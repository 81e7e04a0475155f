/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox.h: which system calls a helper process may still make (seccomp(2)). What
 * reads hostile files may be taken over by one of them: then it has these calls,
 * its descriptors, and nothing else. Every other one fails with EPERM.
 */
#ifndef OTTOP_SANDBOX_H
#define OTTOP_SANDBOX_H

#include "bpf/model/base.h"

/*
 * Both need PR_SET_NO_NEW_PRIVS and hold for threads that are made later. 0 or
 * -errno: -EINVAL where the kernel has no filters, and all is as it was.
 */
/* For a process that computes from descriptors it has or is sent: no files, processes, networks. */
int sandbox_compute_only(void);
/* For a process that looks names up, with any module of libc: no programs, no looking into others. */
int sandbox_lookups(void);

#endif
