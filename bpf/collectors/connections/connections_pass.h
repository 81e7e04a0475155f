/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_pass.h: the pass over all open files, which reads the open sockets,
 * their counters and their holders. It takes 0.7 us a socket; with many it is spread
 * over several ticks, within the budget.
 */
#pragma once

#include "bpf/collectors/connections/connections_table.h"

typedef struct conn *(*take_socket_fn)(const struct wire_sock *w, u64 now_ns);

/* Iterators over files and over TCP sockets of one namespace (-1: none). The caller keeps both. */
void pass_open(int files_link, int tcp_link);
/* Continues the pass, or starts the next one. 0 or -errno. */
int pass_run(const struct tick *t, take_socket_fn take_tcp);
/* Attributes a connection that is not accepted yet to the listening process; `only`: if there is just one. */
void pass_listener_owner(struct conn *c, const struct wire_ends *ends, bool only);
/* True if the last complete pass has seen a socket that listens for such connections. */
bool pass_has_listener(const struct wire_ends *ends);
/* True when the last pass_run() was a whole pass: it has seen all that was open. */
bool pass_was_whole(void);
/* True when the last pass_run() completed a pass, perhaps one over several ticks. */
bool pass_ended(void);
/* False until the first pass is complete: sockets opened before ottop may be missing. */
bool pass_seen_all(void);
/* Before its last row: sets the owner to the holder that used it last. */
void pass_last_user(struct conn *c);
/* Connections that disappeared without a reported end. */
u64 pass_lost(void);
/* Listening sockets beyond the limit, over all passes. */
u64 pass_listeners_refused(void);
void pass_close(void);
