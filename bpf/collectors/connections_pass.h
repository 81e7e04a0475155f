/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_pass.h: the pass over all open files, which tells the sockets
 * that live, what they have counted and who holds them. It takes 0.7 us a
 * socket: with many it is spread over several ticks, within the budget.
 */
#ifndef OTTOP_CONNECTIONS_PASS_H
#define OTTOP_CONNECTIONS_PASS_H

#include "bpf/collectors/connections_table.h"

typedef struct conn *(*take_socket_fn)(const struct wire_sock *w, u64 now_ns);

/* link_fd: of the attached iterator; the caller keeps it. */
void pass_open(int link_fd);
/* Goes on with the pass, or starts the next one. 0 or -errno. */
int pass_run(const struct tick *t, take_socket_fn take_tcp);
/* Gives a connection that nobody has accepted yet to who listens there. */
void pass_listener_owner(struct conn *c, const struct wire_ends *ends);
void pass_close(void);

#endif
