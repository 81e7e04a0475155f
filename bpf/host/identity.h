/* SPDX-License-Identifier: GPL-2.0-or-later */
/* identity.h: who a process is, as far as only /proc knows: command line, cgroup, directory. */
#ifndef OTTOP_IDENTITY_H
#define OTTOP_IDENTITY_H

#include "bpf/host/proctab.h"

/*
 * Reads what is missing or changed. A process that is gone, or that /proc hides, keeps what it
 * has; p->unread says how often that happened in a row.
 */
void identity_read(struct proc *p);
/* Reads the command line alone. 0 or -errno. */
int identity_title(struct proc *p);
/* The command line of an exec event: `len` bytes, NULs between the arguments; cut: there was more. */
void identity_args(struct proc *p, const char *args, u32 len, bool cut);
/* Takes over what a fork inherits. */
void identity_inherit(struct proc *child, const struct proc *parent);
/* Before p is freed: gives back its part of what long command lines may take in all. */
void identity_forget(struct proc *p);
void identity_cwd(struct proc *p);

#endif
