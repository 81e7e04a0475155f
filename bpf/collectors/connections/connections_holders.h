/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_holders.h: a socket that several processes hold, by fork or sent
 * over a UNIX socket. It belongs to who used it last, as far as that can be
 * seen; else to the youngest: the child that was forked to serve it.
 */
#ifndef OTTOP_CONNECTIONS_HOLDERS_H
#define OTTOP_CONNECTIONS_HOLDERS_H

#include "bpf/collectors/connections/connections_table.h"

/* A pass met this process with a descriptor of the socket. */
void holders_seen(struct conn *c, const struct wire_owner *o, u32 pass);
/* The pass is over: owners are what it met. */
void holders_settle(u32 pass);
/* How often there was no room for a holder, or to follow who uses it, where the kernel tells. */
u64 holders_unfollowed(void);
void holders_clear(void);

#endif
