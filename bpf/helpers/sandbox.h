/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox.h: seccomp(2) filters of the helper processes. A helper that parses hostile
 * files may be compromised by one: it then has only these system calls and its open
 * descriptors. All other calls fail with EPERM.
 */
#pragma once

#include "bpf/model/base.h"

/*
 * Both need PR_SET_NO_NEW_PRIVS and apply to threads created later. 0 or -errno:
 * -EINVAL if the kernel has no filters; then nothing is restricted.
 */
/* For computing on descriptors it has or is sent: no opening of files, no processes, no network. */
int sandbox_compute_only(void);
/* For name lookups with any NSS module: no execve, no ptrace and the like. */
int sandbox_lookups(void);
