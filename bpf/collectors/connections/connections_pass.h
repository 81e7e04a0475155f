/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_pass.h: the pass over all open files, which tells the sockets
 * that live, what they have counted and who holds them. It takes 0.7 us a
 * socket: with many it is spread over several ticks, within the budget.
 */
#ifndef OTTOP_CONNECTIONS_PASS_H
#define OTTOP_CONNECTIONS_PASS_H

#include "bpf/collectors/connections/connections_table.h"

typedef struct conn *(*take_socket_fn)(const struct wire_sock *w, u64 now_ns);

/*
 * Links of the iterator over files, and of that over the TCP sockets of one
 * namespace (-1: none). The caller keeps both.
 */
void pass_open(int files_link, int tcp_link);
/* Goes on with the pass, or starts the next one. 0 or -errno. */
int pass_run(const struct tick *t, take_socket_fn take_tcp);
/* Attributes a connection that is not accepted yet to the listening process; `only`: if there is just one. */
void pass_listener_owner(struct conn *c, const struct wire_ends *ends, bool only);
/* True when the last pass_run() went through all files: it has met all that was open. */
bool pass_was_whole(void);
/* True when the last pass_run() came to the end of the files, perhaps over several ticks. */
bool pass_ended(void);
/* False as long as the first pass has not been through: what was open before may be missing. */
bool pass_seen_all(void);
/* Before its row ends: who of those that hold it used it last. */
void pass_last_user(struct conn *c);
/* Connections that went without an end being told. */
u64 pass_lost(void);
/* Listening sockets that there was no room for, over all passes. */
u64 pass_listeners_refused(void);
void pass_close(void);

#endif
