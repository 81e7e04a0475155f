/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connections_udp.h: UDP flows: a socket and one peer each. */
#pragma once

#include "bpf/collectors/connections/connections_table.h"

/* The interval ends. True: a grace period has to pass before udp_read(). */
bool udp_swap(void);
/* Between ticks: drains the maps when they fill up. */
void udp_drain(void);
/* A socket that the pass saw. The flow of a connected one, or NULL. */
struct conn *udp_socket(const struct wire_sock *w, u32 pass, u64 now_ns);
/* The end of a pass: closes flows of sockets that neither it nor the one before has seen. */
void udp_close_unseen(u32 pass, u64 pass_start_ns, u64 now_ns);
/* Adds the counts of this interval to the table of connections. After the pass. */
void udp_read(const struct tick *t);
void udp_clear(void);
