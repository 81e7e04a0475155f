/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_calls.h: the programs of connections_calls.bpf.c, which look at
 * calls: what UDP moves, which connects fail at once, who uses a shared socket.
 */
#ifndef OTTOP_CONNECTIONS_CALLS_H
#define OTTOP_CONNECTIONS_CALLS_H

#include "bpf/collectors/connections/connections_table.h"

struct connections_calls;

/*
 * Loads and attaches. ring_fd: map of ends, where connect() calls that failed at
 * once are told too. 0, or -errno and one line in why.
 */
int calls_open(int ring_fd, char *why, size_t cap);
/* The maps, or NULL where it could not be loaded. */
struct connections_calls *calls_skel(void);
/* True where UDP is counted by descriptor, under inode numbers (before 6.3). */
bool calls_by_descriptor(void);
/* Refused connects that were not told: the ring was full. */
u64 calls_lost_ring(void);
/* From now on it is noted who uses this TCP socket. False where there is no room or no way. */
bool calls_share(u64 cookie);
void calls_unshare(u64 cookie);
/* Who used it last; tgid 0: nobody since. False: not noted. */
bool calls_user(u64 cookie, struct wire_owner *ret);
/* Each tick: attaches what turned out to be needed. */
void calls_follow(void);
void calls_close(void);

#endif
