/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connections_tcp.h: a TCP socket's counters, by net/ipv4/tcp_input.c and tcp_output.c. Pure. */
#pragma once

#include "bpf/model/base.h"
#include "bpf/collectors/connections/connections.h"

enum conn_direction { DIR_UNKNOWN, DIR_OPENED, DIR_ACCEPTED };
/* Evidence for a direction, the weakest first: see direction_by in schema.def. */
enum conn_evidence { BY_NOTHING, BY_PORTS, BY_COUNTERS, BY_LISTENER, BY_BOUND, BY_SEEN };
struct conn_verdict {
	enum conn_direction direction;
	enum conn_evidence by;
};
enum conn_reason {
	END_OPEN, END_CLOSED, END_RESET, END_REFUSED, END_TIMED_OUT, END_UNREACHABLE, N_ENDS
};

/* Payload bytes received; bytes_received counts the peer's FIN as one byte. */
u64 tcp_rx_bytes(const struct wire_sock *w);
/* Payload bytes acknowledged: bytes_acked also counts our SYN (if we connected) and our FIN. */
u64 tcp_tx_bytes(const struct wire_sock *w, enum conn_direction d);
/*
 * The direction, from the socket alone. If its start was not seen: the two counts of acknowledged bytes
 * differ by the SYN of an opener; BY_NOTHING when they differ otherwise. They are not read at the same
 * instant, so while it sends they may differ by chance.
 */
struct conn_verdict tcp_direction(const struct wire_sock *w);
/* The weakest evidence: only one of the two ports is in the ephemeral range (first to last). */
struct conn_verdict conn_ports_direction(u16 local, u16 remote, u16 first, u16 last);
/* "opened"; NULL where it is not known. */
const char *conn_direction_name(enum conn_direction d);
/* "listener"; NULL for BY_NOTHING. */
const char *conn_evidence_name(enum conn_evidence by);
/* `state`: the last one before the end, `err`: errno of the socket. */
enum conn_reason tcp_reason(int state, int err);
/* True if it was never established. */
bool tcp_failed(const struct wire_end *e);
/* "ESTABLISHED"; "?" for a state that does not exist. */
const char *tcp_state_name(int state);
/* "closed" and so on; NULL for END_OPEN. */
const char *conn_reason_name(enum conn_reason r);
/* Shown as state of an ended connection: "REFUSED", "CLOSE". */
const char *conn_reason_state(enum conn_reason r, bool failed);
