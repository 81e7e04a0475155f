/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes_unread.h: of how many processes /proc does not tell who they are, and why. */
#ifndef OTTOP_PROCESSES_UNREAD_H
#define OTTOP_PROCESSES_UNREAD_H

#include "bpf/host/proctab.h"

/* A tick begins: nothing is missing yet. */
void unread_begin(void);
/* One process of this tick, after identity_read(); its working directory where that was looked for. */
void unread_count(const struct proc *p, bool in_scope, bool by_cgroup);
/*
 * "/proc hides 94 of 127 processes: ..."; "" when all could be read. Returns its length, which
 * is less than cap.
 */
size_t unread_text(char *buf, size_t cap);

/* After all tables have their status: those with rows of processes lack what --cgroup could not place. */
void unread_report_left_out(struct builder *b);

#endif
