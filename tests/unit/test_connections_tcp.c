// SPDX-License-Identifier: GPL-2.0-or-later
/* What the counters and states of a TCP socket mean. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bpf/collectors/connections/connections_table.h"

/* ---- payload ---- */

/* The opener sent 1,000 bytes and got 500; everything is acknowledged. */
static struct wire_sock opened(void)
{
	return (struct wire_sock){
		.state = TCPS_ESTABLISHED, .flags = WS_OPENED, .bytes_acked = 1001,
		.bytes_sent = 1000, .bytes_received = 500,
	};
}

/* As the table does: given what is known of the opener. */
static u64 tx_bytes(const struct wire_sock *w)
{
	return tcp_tx_bytes(w, tcp_direction(w).direction);
}

static void syn_is_no_payload(void **state)
{
	struct wire_sock w = opened();

	(void)state;
	assert_int_equal(tx_bytes(&w), 1000);
	assert_int_equal(tcp_rx_bytes(&w), 500);
	w.flags = WS_ACCEPTED;
	w.bytes_acked = 1000;
	assert_int_equal(tx_bytes(&w), 1000);
}

static void fins_are_no_payload(void **state)
{
	struct wire_sock w = opened();

	(void)state;
	w.flags |= WS_FIN_SENT | WS_FIN_ACKED | WS_FIN_RECEIVED;
	w.bytes_acked++;
	w.bytes_received++;
	assert_int_equal(tx_bytes(&w), 1000);
	assert_int_equal(tcp_rx_bytes(&w), 500);
	w = opened();	/* a FIN that is on its way is not in bytes_acked */
	w.flags |= WS_FIN_SENT | WS_FIN_IN_FLIGHT;
	w.in_flight = 1;
	assert_int_equal(tx_bytes(&w), 1000);
}

static void nothing_moved(void **state)
{
	struct wire_sock w = { .state = TCPS_SYN_SENT, .flags = WS_OPENED };

	(void)state;
	assert_int_equal(tx_bytes(&w), 0);
	assert_int_equal(tcp_rx_bytes(&w), 0);
	w.flags |= WS_FIN_RECEIVED | WS_FIN_ACKED;
	assert_int_equal(tx_bytes(&w), 0);
	assert_int_equal(tcp_rx_bytes(&w), 0);
}

static void direction_is_found_by_the_syn(void **state)
{
	struct wire_sock w = opened();

	(void)state;
	w.flags = 0;
	assert_int_equal(tcp_direction(&w).direction, DIR_OPENED);
	assert_int_equal(tx_bytes(&w), 1000);
	w.bytes_acked = 1000;
	assert_int_equal(tcp_direction(&w).direction, DIR_ACCEPTED);
	assert_int_equal(tx_bytes(&w), 1000);
	/* 300 of the bytes were sent twice, 200 are not acknowledged, and so is a FIN */
	w = (struct wire_sock){ .state = TCPS_FIN_WAIT1, .flags = WS_FIN_SENT | WS_FIN_IN_FLIGHT,
				.bytes_sent = 1300, .bytes_retrans = 300, .in_flight = 201,
				.bytes_acked = 801 };
	assert_int_equal(tcp_direction(&w).direction, DIR_OPENED);
	assert_int_equal(tx_bytes(&w), 800);
	w.bytes_acked = 820;	/* cannot be: nothing is guessed, what was sent counts */
	assert_int_equal(tcp_direction(&w).direction, DIR_UNKNOWN);
	assert_int_equal(tx_bytes(&w), 800);
}

/* Stronger evidence decides who opened it, in any order; weaker evidence does not. */
static void evidence_has_an_order(void **state)
{
	struct wire_sock w = opened();
	struct conn_verdict v;

	(void)state;
	w.flags = 0;
	w.bytes_acked = 1000;	/* read while a byte was sent: looks accepted */
	assert_int_equal(tcp_direction(&w).by, BY_COUNTERS);
	w.flags = WS_CONNECTED;
	v = tcp_direction(&w);
	assert_int_equal(v.direction, DIR_OPENED);
	assert_int_equal(v.by, BY_BOUND);
	w.flags = WS_CONNECTED | WS_ACCEPTED;
	v = tcp_direction(&w);
	assert_int_equal(v.direction, DIR_ACCEPTED);
	assert_int_equal(v.by, BY_SEEN);
	assert_true(BY_PORTS < BY_COUNTERS && BY_COUNTERS < BY_LISTENER && BY_LISTENER < BY_BOUND &&
		    BY_BOUND < BY_SEEN);
	/* the opener is known: one byte too many or too few in the counters is not a SYN */
	assert_int_equal(tcp_tx_bytes(&w, DIR_ACCEPTED), 1000);
	assert_int_equal(tcp_tx_bytes(&w, DIR_OPENED), 999);
	assert_int_equal(tcp_tx_bytes(&w, DIR_UNKNOWN), 1000);
}

static void ports(void **state)
{
	(void)state;
	assert_int_equal(conn_ports_direction(40000, 443, 32768, 60999).direction, DIR_OPENED);
	assert_int_equal(conn_ports_direction(443, 40000, 32768, 60999).direction, DIR_ACCEPTED);
	assert_int_equal(conn_ports_direction(443, 40000, 32768, 60999).by, BY_PORTS);
	assert_int_equal(conn_ports_direction(40000, 32768, 32768, 60999).by, BY_NOTHING);
	assert_int_equal(conn_ports_direction(179, 179, 32768, 60999).by, BY_NOTHING);
	assert_int_equal(conn_ports_direction(443, 40000, 0, 0).by, BY_NOTHING);	/* no range known */
}

/* ---- ends ---- */

static void reasons(void **state)
{
	static const struct { int state, err; enum conn_reason want; } cases[] = {
		{ TCPS_LAST_ACK, 0, END_CLOSED }, { TCPS_FIN_WAIT2, 0, END_CLOSED },
		{ TCPS_CLOSING, 0, END_CLOSED }, { TCPS_ESTABLISHED, 0, END_RESET },
		{ TCPS_CLOSE_WAIT, 0, END_RESET }, { TCPS_ESTABLISHED, ECONNRESET, END_RESET },
		{ TCPS_CLOSE_WAIT, EPIPE, END_RESET }, { TCPS_SYN_SENT, ECONNREFUSED, END_REFUSED },
		{ TCPS_SYN_SENT, ETIMEDOUT, END_TIMED_OUT }, { TCPS_FIN_WAIT1, ETIMEDOUT, END_TIMED_OUT },
		{ TCPS_SYN_SENT, EHOSTUNREACH, END_UNREACHABLE },
		{ TCPS_SYN_SENT, ENETUNREACH, END_UNREACHABLE }, { TCPS_SYN_SENT, 0, END_CLOSED },
		{ TCPS_ESTABLISHED, ECONNABORTED, END_RESET },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(tcp_reason(cases[i].state, cases[i].err), cases[i].want);
	assert_string_equal(conn_reason_state(END_REFUSED, true), "REFUSED");
	assert_string_equal(conn_reason_state(END_RESET, false), "CLOSE");
	assert_null(conn_reason_name(END_OPEN));
	assert_string_equal(tcp_state_name(TCPS_FIN_WAIT2), "FIN_WAIT2");
	assert_string_equal(tcp_state_name(77), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_is_no_payload),
		cmocka_unit_test(fins_are_no_payload),
		cmocka_unit_test(nothing_moved),
		cmocka_unit_test(direction_is_found_by_the_syn),
		cmocka_unit_test(evidence_has_an_order),
		cmocka_unit_test(ports),
		cmocka_unit_test(reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
