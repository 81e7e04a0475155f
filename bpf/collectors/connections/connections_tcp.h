/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections_tcp.h: what the kernel's counters of a TCP socket mean. Pure
 * functions; formulas from net/ipv4/tcp_input.c and tcp_output.c.
 */
#ifndef OTTOP_CONNECTIONS_TCP_H
#define OTTOP_CONNECTIONS_TCP_H

#include "bpf/model/base.h"
#include "bpf/collectors/connections/connections.h"

enum conn_direction { DIR_UNKNOWN, DIR_OPENED, DIR_ACCEPTED };
enum conn_reason {
	END_OPEN, END_CLOSED, END_RESET, END_REFUSED, END_TIMED_OUT, END_UNREACHABLE, N_ENDS
};

/*
 * Payload bytes received: bytes_received counts the peer's FIN as one byte.
 */
u64 tcp_rx_bytes(const struct wire_sock *w);
/*
 * Payload bytes sent and acknowledged: bytes_acked counts our SYN (of who
 * opened the connection) and our FIN as one byte each.
 */
u64 tcp_tx_bytes(const struct wire_sock *w);
/*
 * Who opened it. Where its begin was not seen, the two ways to count what was
 * acknowledged differ by the SYN; DIR_UNKNOWN when they differ otherwise.
 */
enum conn_direction tcp_direction(const struct wire_sock *w);
/* Why it ended; `state`: the last one before the end, `err`: errno of the socket. */
enum conn_reason tcp_reason(int state, int err);
/* True when what ended was never a connection. */
bool tcp_failed(const struct wire_end *e);
/* "ESTABLISHED"; "?" for a state that does not exist. */
const char *tcp_state_name(int state);
/* "closed" and so on; NULL for END_OPEN. */
const char *reason_name(enum conn_reason r);
/* What stands in the place of a state: "REFUSED", "CLOSE". */
const char *reason_state(enum conn_reason r, bool failed);

#endif
