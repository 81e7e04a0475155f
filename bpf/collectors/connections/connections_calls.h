/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connections_calls.h: UDP traffic, connects that fail at once and users of shared sockets. */
#pragma once

#include "bpf/collectors/connections/connections_table.h"

struct connections_calls;

/*
 * Loads and attaches. ring_fd: map `ends`, for failed connects too. 0, or -errno and a line in why.
 */
int calls_open(int ring_fd, char *why, size_t cap);
/* The maps, or NULL where it could not be loaded. */
struct connections_calls *calls_skel(void);
/* True where UDP is counted by descriptor, under inode numbers (before 6.3). */
bool calls_by_descriptor(void);
/* Failed connects that were lost because the ring was full. */
u64 calls_lost_ring(void);
/* Starts to track the users of this TCP socket. False: no room, or not supported. */
bool calls_share(u64 cookie);
void calls_unshare(u64 cookie);
/* Its last user; tgid 0: none since calls_share(). False: not tracked. */
bool calls_user(u64 cookie, struct wire_owner *ret);
/* Each tick: attaches the programs that are needed on demand. */
void calls_follow(void);
void calls_close(void);
