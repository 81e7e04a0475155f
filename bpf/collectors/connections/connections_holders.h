/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_holders.h: sockets held by several processes (fork, SCM_RIGHTS): the last user is the
 * owner or, if unknown, the youngest holder: the child forked to serve it.
 */
#pragma once

#include "bpf/collectors/connections/connections_table.h"

/* A pass found a descriptor of the socket in this process. */
void holders_seen(struct conn *c, const struct wire_owner *o, u32 pass);
/* The pass is over: assigns owners by what it has seen. */
void holders_settle(u32 pass);
/* How often there was no room for a holder, or to track the users of a socket. */
u64 holders_unfollowed(void);
void holders_clear(void);
