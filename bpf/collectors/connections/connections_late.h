/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_late.h: ends whose owner is told later. What is reset from outside before
 * its process has used it (so that no pass has met it, and nobody has closed it) ends
 * without one; when its process closes it, the owner comes after. Sampler thread only.
 */
#ifndef OTTOP_CONNECTIONS_LATE_H
#define OTTOP_CONNECTIONS_LATE_H

#include "bpf/model/base.h"
#include "bpf/collectors/connections/connections.h"

#define LATE_NS (2 * NSEC_PER_SEC)	/* so long a process may take to close what was reset */

typedef void (*take_end_fn)(const struct wire_end *e);

/* known: gets ends with their owner; unknown: those whose owner nobody told in time. */
void late_open(take_end_fn known, take_end_fn unknown);
void late_close(void);
/* Keeps it until its owner is told; where there is no room it is given up at once. */
void late_keep(const struct wire_end *e);
/* An owner (tgid 0: there is none); nothing happens where no end waits for it. */
void late_owner(u64 cookie, const struct wire_owner *o);
/* Once a tick: gives up those that have waited too long. */
void late_sweep(u64 now_ns);

#endif
