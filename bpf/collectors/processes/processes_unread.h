/* SPDX-License-Identifier: GPL-2.0-or-later */
/* processes_unread.h: counts processes that cannot be identified from /proc, and why. */
#pragma once

#include "bpf/host/proctab.h"

/* A tick begins: resets the counts. */
void unread_begin(void);
/* One process of this tick, after identity_read(). */
void unread_count(const struct proc *p, bool in_scope, bool by_cgroup);
/* "/proc hides 94 of 127 processes: ..."; "": all could be read. Returns its length, below cap. */
void unread_text(char *buf, size_t cap);

/* After all tables have their status: marks those with rows of processes as incomplete if --cgroup could not place some. */
void unread_report_left_out(struct builder *b);
