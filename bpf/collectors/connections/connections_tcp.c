// SPDX-License-Identifier: GPL-2.0-or-later
/* connections_tcp.c: see connections_tcp.h. */
#include <errno.h>

#include "bpf/collectors/connections/connections_payload.h"
#include "bpf/collectors/connections/connections_tcp.h"

u64 tcp_rx_bytes(const struct wire_sock *w)
{
	return payload_received(w->bytes_received, w->flags);
}

/* Bytes sent (without retransmissions) less those in flight; excludes SYN and FIN. */
static u64 acked_by_sent(const struct wire_sock *w)
{
	u64 once = w->bytes_sent - w->bytes_retrans;
	u64 data_in_flight = w->in_flight - (w->flags & WS_FIN_IN_FLIGHT ? 1u : 0u);

	return once - data_in_flight;
}

static u64 acked_less_fin(const struct wire_sock *w)
{
	return payload_acked(w->bytes_acked, w->flags);
}

struct conn_verdict tcp_direction(const struct wire_sock *w)
{
	u64 syn;

	if (w->flags & WS_OPENED || w->state == TCPS_SYN_SENT)
		return (struct conn_verdict){ DIR_OPENED, BY_SEEN };
	if (w->flags & WS_ACCEPTED)
		return (struct conn_verdict){ DIR_ACCEPTED, BY_SEEN };
	if (w->flags & WS_CONNECTED)
		return (struct conn_verdict){ DIR_OPENED, BY_BOUND };
	syn = acked_less_fin(w) - acked_by_sent(w);
	if (syn > 1)
		return (struct conn_verdict){ DIR_UNKNOWN, BY_NOTHING };
	return (struct conn_verdict){ syn ? DIR_OPENED : DIR_ACCEPTED, BY_COUNTERS };
}

struct conn_verdict conn_ports_direction(u16 local, u16 remote, u16 first, u16 last)
{
	bool l = local >= first && local <= last, r = remote >= first && remote <= last;

	if (l == r)
		return (struct conn_verdict){ DIR_UNKNOWN, BY_NOTHING };
	return (struct conn_verdict){ l ? DIR_OPENED : DIR_ACCEPTED, BY_PORTS };
}

const char *conn_direction_name(enum conn_direction d)
{
	return d == DIR_OPENED ? "opened" : d == DIR_ACCEPTED ? "accepted" : NULL;
}

const char *conn_evidence_name(enum conn_evidence by)
{
	static const char *const names[] = {
		[BY_PORTS] = "ports", [BY_COUNTERS] = "counters", [BY_LISTENER] = "listener",
		[BY_BOUND] = "bound", [BY_SEEN] = "seen",
	};

	return names[by];
}

u64 tcp_tx_bytes(const struct wire_sock *w, enum conn_direction d)
{
	u64 acked = acked_less_fin(w);

	switch (d) {
	case DIR_OPENED:
	case DIR_ACCEPTED:
		return payload_less_syn(acked, d == DIR_OPENED);
	default:
		return acked_by_sent(w);
	}
}

static bool is_unreachable(int err)
{
	return err == EHOSTUNREACH || err == ENETUNREACH || err == EHOSTDOWN || err == ENONET ||
	       err == ENETDOWN || err == EPROTO || err == ENOPROTOOPT || err == EACCES ||
	       err == EPERM;
}

/*
 * An orderly connection goes to CLOSE through FIN_WAIT or LAST_ACK. It goes there from
 * ESTABLISHED only if close() sends a reset, because of unread data or SO_LINGER
 * (net/ipv4/tcp.c, __tcp_close()).
 */
enum conn_reason tcp_reason(int state, int err)
{
	if (err == ECONNREFUSED)
		return END_REFUSED;
	if (err == ETIMEDOUT)
		return END_TIMED_OUT;
	if (is_unreachable(err))
		return END_UNREACHABLE;
	if (state == TCPS_SYN_SENT)	/* closed by its own process */
		return END_CLOSED;
	if (err)
		return END_RESET;
	return state == TCPS_ESTABLISHED || state == TCPS_CLOSE_WAIT || state == TCPS_SYN_RECV ?
		END_RESET : END_CLOSED;
}

bool tcp_failed(const struct wire_end *e)
{
	return e->sock.state == TCPS_SYN_SENT ||
	       (e->sock.flags & WS_OPENED && e->sock.begun_ns && !e->sock.open_ns);
}

const char *tcp_state_name(int state)
{
	static const char *const names[] = {
		[TCPS_ESTABLISHED] = "ESTABLISHED", [TCPS_SYN_SENT] = "SYN_SENT",
		[TCPS_SYN_RECV] = "SYN_RECV", [TCPS_FIN_WAIT1] = "FIN_WAIT1",
		[TCPS_FIN_WAIT2] = "FIN_WAIT2", [TCPS_TIME_WAIT] = "TIME_WAIT", [TCPS_CLOSE] = "CLOSE",
		[TCPS_CLOSE_WAIT] = "CLOSE_WAIT", [TCPS_LAST_ACK] = "LAST_ACK",
		[TCPS_LISTEN] = "LISTEN", [TCPS_CLOSING] = "CLOSING", [TCPS_NEW_SYN_RECV] = "SYN_RECV",
	};

	return state > 0 && state < (int)ARRAY_SIZE(names) ? names[state] : "?";
}

const char *conn_reason_name(enum conn_reason r)
{
	static const char *const names[N_ENDS] = {
		[END_CLOSED] = "closed", [END_RESET] = "reset", [END_REFUSED] = "refused",
		[END_TIMED_OUT] = "timed_out", [END_UNREACHABLE] = "unreachable",
	};

	return names[r];
}

const char *conn_reason_state(enum conn_reason r, bool failed)
{
	static const char *const names[N_ENDS] = {
		[END_OPEN] = "CLOSE", [END_CLOSED] = "CLOSE", [END_RESET] = "RESET",
		[END_REFUSED] = "REFUSED", [END_TIMED_OUT] = "TIMED_OUT",
		[END_UNREACHABLE] = "UNREACHABLE",
	};

	return failed ? names[r] : "CLOSE";
}
